#!/usr/bin/env bash
# Every header outside tests/ compiles alone, in strict C11 with warnings as errors. Run from the repository root.
set -euo pipefail

compiler=${CC:-cc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Headers over the generated ONNX schema need it, as the build does.
make_onnx_schema() {
	protoc-c --proto_path=/usr/include/onnx --c_out="$work" onnx.proto
}

# compiles_alone HEADER: includes it twice, so that a missing include guard shows as well.
compiles_alone() {
	printf '#include "%s"\n#include "%s"\nextern int not_empty;\n' "$1" "$1" |
		"$compiler" -std=c11 -Wall -Wextra -Wpedantic -Werror -D_GNU_SOURCE -I. -isystem "$work" -fsyntax-only -x c -
}

# The check must see a header that leans on another's includes, and one without a guard.
echo 'size_t lean(void);' >"$work/leaning.h"
echo 'struct twice { int x; };' >"$work/unguarded.h"
printf '#ifndef A\n#define A\n#include <stddef.h>\nsize_t stand(void);\n#endif\n' >"$work/standing.h"
failed=0
for header in leaning unguarded; do
	if compiles_alone "$work/$header.h" 2>/dev/null; then
		echo "not caught: $header.h"
		failed=1
	fi
done
compiles_alone "$work/standing.h" || failed=1

make_onnx_schema
checked=0
while IFS= read -r -d '' header; do
	compiles_alone "$header" || failed=1
	checked=$((checked + 1))
done < <(find engine latency_lut evaluators search experiments -name '*.h' -print0 | sort -z)
echo "$checked headers"
[ "$checked" -gt 0 ] || failed=1
exit "$failed"
