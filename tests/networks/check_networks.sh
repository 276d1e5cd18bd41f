#!/usr/bin/env bash
# Holds the networks of export_torchvision.py to what is promised of them, one row each:
#
#     tests/networks/export_torchvision.py NETS
#     tests/networks/check_networks.sh OUT [NETS [NAME...]]
#
# NETS: where the exported networks are (default: OUT). PARE_BUILD: build folder (default: build/release). PARE_STEP:
# channels are cut down to multiples of it (default: 1). What was written goes before ONNX's checker when there is a
# python3 with onnx. With ONNXRUNTIME_MODULES, a folder in which `ONNXRUNTIME_NODE_INSTALL=skip npm install
# onnxruntime-node` was run, run_onnxruntime.js follows.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: check_networks.sh OUT [NETS [NAME...]]}
nets=${2:-$out}
shift $(($# < 2 ? $# : 2))
program=${PARE_BUILD:-$here/../../build/release}/tests/networks/check_network
names=("$@")
if [[ ${#names[@]} -eq 0 ]]; then
	for file in "$nets"/*.json; do
		names+=("$(basename "$file" .json)")
	done
fi
mkdir -p "$out"

echo "                                   |         whole network         | 30 % of channels |    60 % of channels"
echo "network              nodes  in ms   PyTorch     MMACs  MACs  cut/not  slim=m.   MACs   slim=m.   MACs  trains"
failed=0
for name in "${names[@]}"; do
	"$program" "$nets" "$name" "$out" "${PARE_STEP:-1}" || failed=$((failed + 1))
done
echo "$((${#names[@]} - failed)) of ${#names[@]} networks hold"

if /usr/bin/env python3 -c 'import onnx' 2>/dev/null; then python=python3; else python=/usr/bin/python3; fi
if "$python" -c 'import onnx' 2>/dev/null; then
	"$python" - "$out" "${names[@]}" <<'PYTHON' || failed=$((failed + 1))
import os, sys
import onnx

variants = ("full", "cut30", "cut60")
paths = [os.path.join(sys.argv[1], f"{name}.{variant}.onnx") for name in sys.argv[2:] for variant in variants]
for path in paths:
    onnx.checker.check_model(path, full_check=True)
print(len(paths), "files pass onnx.checker with full_check")
PYTHON
fi
if [[ -n ${ONNXRUNTIME_MODULES:-} ]]; then
	NODE_PATH=$ONNXRUNTIME_MODULES/node_modules node "$here/run_onnxruntime.js" "$nets" "$out" "${names[@]}" ||
		failed=$((failed + 1))
fi
exit $((failed > 0))
