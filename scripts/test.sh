#!/usr/bin/env bash
# Builds pare as users run it and as developers check it (ASan, UBSan, warnings are errors), and tests both.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
	cat <<'END'
usage: scripts/test.sh [--release-only]
Installs missing packages, builds the presets release and dev, and runs all tests of both.
The last line is "N passed, N failed", summed over both; a build that fails counts as one failure.
  --release-only  only the release build
END
}

passed=0
failed=0

# count_results FILE: adds what ctest's summary in the file says.
count_results() {
	local summary total bad
	summary=$(grep -E '[0-9]+ tests failed out of [0-9]+' "$1" || true)
	if [ -z "$summary" ]; then
		echo "no tests were run"
		failed=$((failed + 1))
		return
	fi
	total=${summary##* }
	bad=$(sed -E 's/.*[ ,]([0-9]+) tests failed out of.*/\1/' <<<"$summary")
	passed=$((passed + total - bad))
	failed=$((failed + bad))
}

test_preset() {
	local log
	echo "== $1"
	if ! cmake --preset "$1" >/dev/null || ! cmake --build --preset "$1" -- --quiet; then
		echo "the build of preset $1 failed"
		failed=$((failed + 1))
		return
	fi
	log=$(mktemp)
	ctest --preset "$1" --parallel "$(nproc)" 2>&1 | tee "$log" || true
	count_results "$log"
	rm -f "$log"
}

presets=(release dev)
case ${1-} in
'') ;;
--release-only) presets=(release) ;;
--help) usage && exit ;;
*) usage >&2 && exit 2 ;;
esac

scripts/deps.sh
# pare has threads of its own; BLAS threads beside them only slow the tests down.
export OPENBLAS_NUM_THREADS=1
for preset in "${presets[@]}"; do
	test_preset "$preset"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
