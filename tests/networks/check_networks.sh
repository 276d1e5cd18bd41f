#!/usr/bin/env bash
# Holds the networks of export_torchvision.py to what is promised of them, one row each:
#
#     tests/networks/export_torchvision.py NETS
#     tests/networks/check_networks.sh OUT [NETS [NAME...]]
#
# NETS: where the exported networks are (default: OUT). PARE_BUILD: build folder (default: build/release). PARE_STEP: channels are
# cut down to multiples of it (default: 1). With ONNXRUNTIME_MODULES, a
# folder in which `ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node` was run, run_onnxruntime.js follows.
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

echo "                                      |            whole network                 |  30 % of channels | 60 % of channels"
echo "network              nodes  in ms  PyTorch     MMACs  MACs groups   slim=m.   MACs   slim=m.   MACs  trains"
failed=0
for name in "${names[@]}"; do
	"$program" "$nets" "$name" "$out" "${PARE_STEP:-1}" || failed=$((failed + 1))
done
echo "$((${#names[@]} - failed)) of ${#names[@]} networks hold"
if [[ -n ${ONNXRUNTIME_MODULES:-} ]]; then
	NODE_PATH=$ONNXRUNTIME_MODULES/node_modules node "$here/run_onnxruntime.js" "$nets" "$out" "${names[@]}" || failed=$((failed + 1))
fi
exit $((failed > 0))
