#!/usr/bin/env bash
# From a clean checkout to a first search: packages, release build, configs/demo.yaml.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pare=build/release/pare
run=runs/demo

usage() {
	cat <<END
usage: scripts/demo.sh [options of pare run]
Installs missing packages, builds the release preset and runs configs/demo.yaml into $run.
If $run is there already, the study goes on where it stopped; of a finished one, the report is printed again.
Options (such as --set seed=2) go to \`pare run\`; a study that goes on takes --quiet only.
END
}

for argument; do
	case $argument in
	--help | -h) usage && exit ;;
	esac
done

scripts/deps.sh --without-tests
cmake --preset release >/dev/null
cmake --build --preset release --target pare -- --quiet
if [ -e $run ]; then
	$pare resume $run "$@"
else
	$pare run configs/demo.yaml --run-dir $run "$@"
fi
echo "Try next: $pare show $run --trial best; $pare front $run; $pare export $run --trial best -o small.onnx"
