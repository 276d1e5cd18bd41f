#!/usr/bin/env bash
# scripts/demo.sh in a folder where installing, building and pare itself only say that they were called.
set -uo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
mkdir -p "$work/scripts" "$work/build/release" "$work/bin"
cp scripts/demo.sh "$work/scripts/"
for program in scripts/deps.sh bin/cmake build/release/pare; do
	printf '#!/bin/sh\necho %s "$@" >>"%s/calls"\n' "${program##*/}" "$work" >"$work/$program"
	chmod +x "$work/$program"
done

# demo ARGUMENTS...: output in $work/out, what was called in $work/calls
demo() {
	: >"$work/calls"
	PATH=$work/bin:$PATH bash "$work/scripts/demo.sh" "$@" >"$work/out" 2>&1 || complain "demo.sh $*: fails"
}

complain() {
	echo "FAILED: $*"
	sed 's/^/  out: /' "$work/out"
	sed 's/^/  call: /' "$work/calls"
	failed=1
}

demo --help
grep -q "^usage: scripts/demo.sh" "$work/out" || complain "--help does not help"
[ ! -s "$work/calls" ] || complain "--help installs or builds"
demo --quiet
grep -qx "pare run configs/demo.yaml --run-dir runs/demo --quiet" "$work/calls" || complain "the study is not run"
tail -1 "$work/out" | grep -q "build/release/pare show runs/demo" || complain "no next step at the end"
mkdir -p "$work/runs/demo"
demo --quiet
grep -qx "pare resume runs/demo --quiet" "$work/calls" || complain "a study that is there does not go on"

[ "$failed" -eq 0 ] && echo "all is well"
exit "$failed"
