#!/usr/bin/env bash
# From a clean checkout to a first search: packages, release build, configs/demo.yaml. Arguments go to `pare run`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/deps.sh --without-tests
cmake --preset release >/dev/null
cmake --build --preset release --target pare -- --quiet
build/release/pare run configs/demo.yaml --run-dir runs/demo "$@"
