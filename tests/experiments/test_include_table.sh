#!/usr/bin/env bash
# Checks every #include outside tests/ against the house's include table, and that each third-party header stays in its
# one file or folder. Run from the repository root. A new room, library or system header is one line below.
set -euo pipefail

# room : what its files may include (a folder, or one header). The longest matching room counts.
rooms='
engine/base      : engine/base
engine/math      : engine/base engine/math
engine/graph     : engine/base engine/graph
engine/ops       : engine/base engine/math engine/graph engine/ops
engine/data      : engine/base engine/graph/tensor.h engine/graph/shape.h engine/data
engine/compress  : engine/base engine/math engine/graph engine/ops engine/compress
engine/train     : engine/base engine/math engine/graph engine/ops engine/data engine/train
engine/io        : engine/base engine/graph engine/ops engine/io
engine/zoo       : engine/base engine/graph engine/ops engine/zoo
latency_lut      : engine/base engine/graph engine/ops engine/compress engine/train engine/data engine/io engine/zoo latency_lut
evaluators       : engine/base engine/graph engine/ops engine/compress engine/train engine/data engine/io engine/zoo latency_lut evaluators
search           : engine/base search
search/ddpg      : engine/base engine/math search
experiments      : engine/base engine/graph engine/ops engine/compress engine/train engine/data engine/io engine/zoo latency_lut evaluators search experiments
'

# header : "file" (one .c file only) or "folder" (any file) : where
libraries='
cblas.h     : file   : engine/math
zlib.h      : file   : engine/base
xxhash.h    : file   : engine/base
yaml.h      : file   : experiments
sqlite3.h   : file   : experiments
jansson.h   : folder : experiments
onnx.pb-c.h : folder : engine/io
'

system='assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg stdatomic
stdbool stddef stdint stdio stdlib stdnoreturn string strings tgmath threads time
cpuid dirent dlfcn fcntl fnmatch ftw getopt glob immintrin libgen poll pthread sched spawn unistd
sys/file sys/ioctl sys/mman sys/resource sys/stat sys/statvfs sys/sysinfo sys/time sys/types sys/utsname sys/wait'

# check_tree ROOT: prints one line per offence and returns 1 if there is any.
check_tree() {
	(
		cd "$1"
		find . \( -path ./build -o -path ./runs -o -path ./tests -o -name '.?*' \) -prune -o \
			-type f \( -name '*.c' -o -name '*.h' -o -name '*.inc' \) -print0 |
			{ xargs -0r grep -HnE '^[[:space:]]*#[[:space:]]*include' || true; } |
			awk -v rooms="$rooms" -v libraries="$libraries" -v system_headers="$system" "$checker"
	)
}

# shellcheck disable=SC2016 # awk's dollars, not the shell's
checker='
function below(path, folder) { return path == folder || index(path, folder "/") == 1 }
function complain(text) { printf "%s: %s\n", place, text; bad = 1 }
function room_of(file,    room, best) {
	best = ""
	for (room in allowed)
		if (index(file, room) == 1 && length(room) > length(best))
			best = room
	return best
}
function check_library(file, header) {
	if (!below(file, where[header]))
		complain("<" header "> belongs in " where[header] "/")
	else if (kind[header] == "file" && file !~ /\.c$/)
		complain("<" header "> is included by a header; it belongs in one .c file")
	else if (kind[header] == "file" && (header in user) && user[header] != file)
		complain("<" header "> is already included by " user[header] "; it belongs in one file")
	user[header] = file
}
function check_room(file, header,    room, list, count, i) {
	room = room_of(file)
	if (room == "") {
		complain("this folder has no line in the table")
		return
	}
	count = split(allowed[room], list, " ")
	for (i = 1; i <= count; i++)
		if (below(header, list[i]))
			return
	complain("may not include \"" header "\"; " room " may include: " allowed[room])
}
BEGIN {
	count = split(rooms, lines, "\n")
	for (i = 1; i <= count; i++)
		if (split(lines[i], part, / *: */) == 2)
			allowed[part[1]] = part[2]
	count = split(libraries, lines, "\n")
	for (i = 1; i <= count; i++)
		if (split(lines[i], part, / *: */) == 3) {
			kind[part[1]] = part[2]
			where[part[1]] = part[3]
		}
	count = split(system_headers, names, /[ \n]+/)
	for (i = 1; i <= count; i++)
		is_system[names[i] ".h"] = 1
}
{
	seen++
	split($0, part, ":")
	file = substr(part[1], 3)
	place = file ":" part[2]
	header = $0
	if (!match(header, /[<"][^>"]*[>"]/)) {
		complain("an include without <name> or \"name\"")
		next
	}
	quote = substr(header, RSTART, 1)
	header = substr(header, RSTART + 1, RLENGTH - 2)
	if (header in kind)
		check_library(file, header)
	else if (quote == "\"")
		check_room(file, header)
	else if (!(header in is_system))
		complain("<" header "> is neither a system header nor a library in the table")
}
END {
	if (!seen) {
		print "no #include found at all"
		bad = 1
	}
	exit bad
}
'

# The checker must see each of these. expect_caught FILE INCLUDE: a tree that holds only this line is refused.
expect_caught() {
	local tree
	tree=$(mktemp -d)
	mkdir -p "$tree/$(dirname "$1")"
	printf '%s\n' "$2" >"$tree/$1"
	if check_tree "$tree" >/dev/null; then
		echo "not caught: $1: $2"
		failed=1
	fi
	rm -rf "$tree"
}

failed=0
expect_caught engine/base/a.c '#include "engine/graph/graph.h"'
expect_caught engine/graph/a.h '#include "engine/ops/builders.h"'
expect_caught engine/ops/a.c '#include "engine/train/train.h"'
expect_caught engine/data/a.c '#include "engine/graph/graph.h"'
expect_caught engine/compress/a.c '#include "engine/train/train.h"'
expect_caught engine/io/a.c '  #  include "engine/zoo/zoo.h"'
expect_caught latency_lut/a.c '#include "engine/math/gemm.h"'
expect_caught evaluators/a.c '#include "search/space.h"'
expect_caught search/a.c '#include "evaluators/metrics.h"'
expect_caught search/a.c '#include "engine/graph/graph.h"'
expect_caught search/netadapt.c '#include "engine/math/gemm.h"'
expect_caught experiments/a.c '#include "engine/math/gemm.h"'
expect_caught experiments/a.c '#include "spec.h"'
expect_caught tools/a.c '#include "engine/base/status.h"'
expect_caught engine/ops/a.c '#include <cblas.h>'
expect_caught engine/math/a.h '#include <cblas.h>'
expect_caught experiments/a.c $'#include <yaml.h>\n#include <png.h>'
expect_caught search/a.c '#include MACRO'

tree=$(mktemp -d)
mkdir -p "$tree/engine/base" "$tree/search"
echo '#include <zlib.h>' | tee "$tree/engine/base/a.c" >"$tree/engine/base/b.c"
if check_tree "$tree" >/dev/null; then
	echo "not caught: one library in two files"
	failed=1
fi
rm "$tree/engine/base/b.c"
printf '#include <zlib.h>\n#include <stdio.h>\n' >"$tree/engine/base/a.c"
echo '#include "engine/math/gemm.h"' >"$tree/search/ddpg_net.c"
if ! check_tree "$tree"; then
	echo "a clean tree is refused"
	failed=1
fi
rm -rf "$tree"

check_tree . || failed=1
exit "$failed"
