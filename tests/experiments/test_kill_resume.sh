#!/usr/bin/env bash
# A study that is killed (SIGKILL) at random moments and resumed comes to the same result as one that never was: the same
# trials, front, weights and best network. Latencies come from one table, for they are measured.
# $1 = the program; run from the repository root. PARE_KILL_ROUNDS: how many studies are killed.
set -uo pipefail

pare=$(realpath "$1")
config=$PWD/configs/smoke.yaml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

kills=5 # at most, of each study
rounds=${PARE_KILL_ROUNDS:-12}
# Sanitizers make everything ten times as slow.
if ldd "$pare" | grep -qE 'lib[atu]b?san'; then
	rounds=${PARE_KILL_ROUNDS:-2}
fi

fail() {
	echo "FAILED: $*"
	cat "$work/log"
	exit 1
}

# What must be equal. Named by what it is; times are what may differ.
describe() {
	"$pare" trials "$1/study" --format json | grep -v '"seconds":' >"$1/trials.txt" &&
		"$pare" front "$1/study" --format json | grep -vE '"(measured_latency_ms|prediction_error)":' >"$1/front.txt" &&
		(cd "$1/study" && cksum weights/* best.onnx) >"$1/files.txt"
}

# Puts the command that begins the study in a folder, or goes on with it, into `line`: a command and no function, so that
# what is killed is the program. Every study is called "study" in its own folder: the name goes into best.onnx. A run
# killed before its configuration was written is no study; it is begun again.
choose_line() {
	line=(env -C "$1" "$pare" resume study --quiet)
	if [ ! -e "$1/study/config.yaml" ]; then
		rm -rf "$1/study"
		line=(env -C "$1" "$pare" run "$config" --run-dir study --quiet --set latency.table="$work/table.lut")
	fi
}

start_or_go_on() {
	choose_line "$1"
	"${line[@]}" >>"$work/log" 2>&1
}

# kill_after MILLISECONDS FOLDER: true when the study ended by itself before
kill_after() {
	choose_line "$2"
	"${line[@]}" >>"$work/log" 2>&1 &
	local pid=$!
	sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"
	kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
}

"$pare" lut build --config "$config" -o "$work/table.lut" >"$work/log" 2>&1 || fail "no latency table"
mkdir "$work/whole"
begin=$(date +%s%3N)
start_or_go_on "$work/whole" || fail "the undisturbed study fails"
length=$(($(date +%s%3N) - begin))
describe "$work/whole" || fail "the undisturbed study cannot be read"
[ "$(grep -c '"trial":' "$work/whole/trials.txt")" -gt 5 ] || fail "the study is too small to be worth it"

total=0
for round in $(seq "$rounds"); do
	folder=$work/round$round
	mkdir "$folder"
	: >"$work/log"
	for _ in $(seq "$kills"); do
		# Early kills are as likely as late ones: what is resumed skips what was done.
		if kill_after $((RANDOM % (length * 2 / 3) + 5)) "$folder"; then
			break
		fi
		total=$((total + 1))
	done
	start_or_go_on "$folder" || fail "round $round: cannot go on"
	describe "$folder" || fail "round $round: cannot be read"
	for file in trials front files; do
		diff "$work/whole/$file.txt" "$folder/$file.txt" >>"$work/log" || fail "round $round: the $file differ"
	done
	rm -rf "$folder"
done
[ "$total" -gt 0 ] || fail "nothing was killed"
echo "$rounds studies, killed $total times (a whole one takes $length ms): all the same"
