#!/usr/bin/env bash
# The `pare` program from outside: exit codes, what goes to stdout and what to stderr, every command over one small study.
# $1 = the program; run from the repository root.
set -uo pipefail

pare=$(realpath "$1")
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
unset NO_COLOR CI

complain() {
	echo "FAILED: $*"
	sed 's/^/  out: /' "$work/out" | head -20
	sed 's/^/  err: /' "$work/err" | head -20
	failed=1
}

# expect CODE ARGUMENTS...: runs pare; stdout in $work/out, stderr in $work/err
expect() {
	local wanted=$1 code=0
	shift
	last="pare $*"
	"$pare" "$@" >"$work/out" 2>"$work/err" </dev/null || code=$?
	[ "$code" -eq "$wanted" ] || complain "$last: exit code $code, expected $wanted"
}

# out TEXT..., err TEXT...: each is somewhere in the last command's stdout, stderr
out() { for text in "$@"; do grep -qF -- "$text" "$work/out" || complain "$last: no '$text' in stdout"; done; }
err() { for text in "$@"; do grep -qF -- "$text" "$work/err" || complain "$last: no '$text' in stderr"; done; }
silent() { [ ! -s "$work/$1" ] || complain "$last: $1 is not empty"; }
# json EXPRESSION: true of the last stdout, as Python sees it in `d`
json() {
	command -v python3 >/dev/null || return 0
	python3 -c "import json, sys; d = json.load(open(sys.argv[1])); assert $1, d" "$work/out" 2>"$work/json" ||
		complain "$last: not true of its JSON: $1"
}

echo "# usage"
expect 2
silent out
err "usage: pare" "validate"
expect 2 trian
err "did you mean 'train'?"
expect 2 lut
err "'pare lut build' or 'pare lut show'"
expect 2 modl info
err "did you mean 'model info'?"
expect 2 run
err "CONFIG is missing" "pare run --help"
expect 2 run a b
err "one argument too many"
expect 2 run configs/smoke.yaml --qiet
err "did you mean '--quiet'?"
expect 2 run configs/smoke.yaml -x
err "unknown option '-x'"
expect 2 run configs/smoke.yaml --run-dir
err "--run-dir needs an argument: DIR"
expect 2 run configs/smoke.yaml --quiet=yes
err "--quiet takes no argument"
expect 2 trials . --format jsn
err "did you mean 'json'?"
# An empty name would be the current folder.
expect 2 run configs/smoke.yaml --run-dir ""
err "--run-dir is empty: expected DIR"
expect 2 train configs/smoke.yaml -o ""
err "--output is empty: expected FILE"
expect 2 model info ""
err "empty argument: expected MODEL"
expect 2 validate ""
err "empty argument: expected CONFIG"
expect 2 resume ""
err "empty argument: expected RUN_DIR"
expect 2 lut build --model zoo:lenet:1x28x28 -o "$work/x.lut" --points 1
err "from 2 to 64"
expect 2 lut build --model zoo:lenet:1x28x28 -o "$work/x.lut" --points 65
err "from 2 to 64"
expect 2 lut build --model zoo:lenet:1x28x28 -o "$work/x.lut" --batch 4097
err "from 1 to 4096"
expect 2 lut build --model zoo:lenet:1x28x28 -o "$work/x.lut" --step 1025
err "from 1 to 1024"
expect 2 lut build -o "$work/x.lut"
err "--config or --model"
expect 2 export "$work"
err "--trial N|best|baseline is missing"
expect 2 model info zoo:resnet21
err "did you mean 'resnet20'?"
expect 2 model info zoo:resnet20:3x32
err "3x32x32"

echo "# help"
expect 0 help
out "lut build" "pare help config"
silent err
for command in validate train run resume trials front show export eval "model info" "lut build" "lut show" version help; do
	# shellcheck disable=SC2086 # two words
	expect 0 $command --help
	out "usage: pare $command" "Options:" "--color" "Example:"
	cp "$work/out" "$work/help"
	# shellcheck disable=SC2086
	expect 0 help $command
	cmp -s "$work/out" "$work/help" || complain "pare help $command is not pare $command --help"
done
for command in trials front; do
	expect 0 $command --help
	out "measured_latency_ms" "prediction_error" "seconds" "timing"
done
expect 0 help config
out "constraints" "netadapt"
for group in model lut; do
	expect 0 $group --help
	silent err
	out "pare $group COMMAND" "pare $([ $group = lut ] && echo lut build || echo model info) "
	cp "$work/out" "$work/help"
	expect 0 help $group
	cmp -s "$work/out" "$work/help" || complain "pare help $group is not pare $group --help"
done
expect 2 help nonsense
expect 0 --version
out "pare " "BLAS" "kernels"
expect 0 version --color=always
! grep -q $'\033' "$work/out" || complain "pare version has colours"
expect 2 tirals --color=always
expect 2 run --color=always
grep -q $'\033' "$work/err" || complain "--color=always gives no colours"
"$pare" version >/dev/full 2>"$work/err" && complain "a full disk is not noticed"
err "standard output"

echo "# validate"
expect 0 validate configs/smoke.yaml
out "configs/smoke.yaml: ok" "plain_cnn" "netadapt" "60 %"
silent err
expect 0 validate configs/smoke.yaml --print-effective --set seed=7
out "seed: 7" "momentum"
cp "$work/out" "$work/effective.yaml"
expect 0 validate "$work/effective.yaml"
printf 'model: {zoo: resnet8}\ndta: {format: idx}\nseed: x\n' >"$work/bad.yaml"
expect 2 validate "$work/bad.yaml"
silent out
err "bad.yaml:2:1: error:" "did you mean 'data'?" "bad.yaml:3:7: error:" "pare help config"
expect 2 validate configs/smoke.yaml --set search.controler=random
err "--set search.controler=random" "did you mean"
expect 2 validate "$work/none.yaml"
err "none.yaml"
expect 2 run "$work/bad.yaml" --run-dir "$work/none"
[ ! -e "$work/none" ] || complain "a bad configuration left a run directory"

echo "# model info"
expect 0 model info zoo:resnet20
out "40,551,040" "layer1.0.conv1" "frozen" "269,722"
grep -q '^layer1.0.conv1 .* layer1.0.conv1$' "$work/out" || complain "$last: names are cut without need"
[ "$(wc -L <"$work/out")" -le 80 ] || complain "$last: wider than 80 columns"
sed -n '/^layer3.2.add /p' "$work/out" | grep -q 'conv2.*conv2' && complain "$last: a group is named twice in a row"
expect 0 model info zoo:resnet20:3x32x32 --json
json "any(l['name'] == 'layer3.2.add' and l['group'].count('conv2') == 4 for l in d['layers'])"
json "d['macs'] == 40551040 and d['params'] == 269722 and d['bytes'] > 4 * d['params'] and d['peak_memory_bytes'] > 0"
json "sum(l['macs'] for l in d['layers']) == d['macs'] and sum(l['params'] for l in d['layers']) == d['params']"
json "sum(l['bytes'] for l in d['layers']) == d['bytes']"
json "any(g['name'] == 'conv1' and g['channels'] == 16 and g['layers'] == 10 and not g['frozen'] for g in d['groups'])"
json "all(g['frozen'] for g in d['groups'] if g['name'] in ('input', 'fc'))"
expect 1 model info "$work/none.onnx"
err "none.onnx" "No such file"
head -c 5000 /dev/urandom >"$work/garbage.onnx"
expect 1 model info "$work/garbage.onnx"
err "garbage.onnx"
expect 2 model info "$work"
err "directory"
expect 1 lut show "$work/garbage.onnx"
err "garbage.onnx"

echo "# train, eval"
short=(--set train.steps=20)
expect 0 train configs/smoke.yaml -o "$work/net.onnx" "${short[@]}"
out "search accuracy" "test accuracy" "net.onnx"
err "epoch 1/1"
sum=$(cksum <"$work/net.onnx")
expect 1 train configs/smoke.yaml -o "$work/net.onnx" "${short[@]}"
err "--force"
[ "$(cksum <"$work/net.onnx")" = "$sum" ] || complain "the refused file was changed"
expect 0 train configs/smoke.yaml -o "$work/net.onnx" "${short[@]}" --force --quiet
silent err
[ "$(cksum <"$work/net.onnx")" = "$sum" ] || complain "training twice gives two networks"
expect 1 train configs/smoke.yaml -o "$work/none/net.onnx"
err "cannot be written"
expect 0 eval "$work/net.onnx" --config configs/smoke.yaml
out "correct"
expect 0 eval "$work/net.onnx" --config configs/smoke.yaml --split search --json
json "d['total'] == 200 and d['accuracy'] == d['correct'] / d['total'] and d['loss'] > 0 and d['split'] == 'search'"
expect 2 eval zoo:resnet8 --config configs/smoke.yaml
err "zoo:resnet8: " "3x32x32"
for part in train t10k; do # 64 images of 1x8x8
	{ printf '\0\0\10\3\0\0\0\100\0\0\0\10\0\0\0\10' && head -c 4096 /dev/zero; } >"$work/$part-images-idx3-ubyte"
	{ printf '\0\0\10\1\0\0\0\100' && head -c 64 /dev/zero; } >"$work/$part-labels-idx1-ubyte"
done
printf 'model: {onnx: %s}\ndata: {format: idx, path: %s, search_images: 10}\ntrain: {steps: 1}\n' \
	"$work/net.onnx" "$work" >"$work/small.yaml"
expect 2 train "$work/small.yaml" -o "$work/misfit.onnx"
err "net.onnx: " "1x28x28" "1x8x8"
expect 1 eval "$work/net.onnx" --config configs/demo.yaml --set data.path="$work/no_such_folder"
err "no_such_folder"

echo "# run"
(cd "$work" && "$pare" run "$root/configs/smoke.yaml" >"$work/out" 2>"$work/err" </dev/null) || complain "the smoke study fails"
last="pare run"
run=$work/runs/smoke
out "baseline" "netadapt" "uniform" "Pareto front" "uncut network" "best.onnx" "pare show"
err "baseline: plain_cnn" "trial 0" "epoch"
[ -s "$run/best.onnx" ] || complain "no best.onnx"
! grep -q $'\033' "$work/out" "$work/err" || complain "escape sequences go into files"
tail -n +2 "$work/out" >"$work/report" # the first line has the folder as it was named
before=$(cd "$run" && find . -type f -exec cksum {} + | sort)
expect 1 run configs/smoke.yaml --run-dir "$run"
err "pare resume"
[ "$(cd "$run" && find . -type f -exec cksum {} + | sort)" = "$before" ] || complain "a refused run changed the study"
expect 1 run configs/smoke.yaml --run-dir /proc/none
expect 1 run configs/demo.yaml --run-dir "$work/none" --set data.path="$work/no_such_folder"
err "no_such_folder"
[ ! -e "$work/none" ] || complain "a study without data left a run directory"
expect 2 run configs/smoke.yaml --run-dir "$work/uncuttable" --set space.ignore='["*"]'
err "nothing to search"
expect 3 run configs/smoke.yaml --run-dir "$work/tight" --set train.steps=5 --set constraints.macs=1000 --quiet
err "macs" "hint"
silent out

[ ! -e "$work/tight" ] || complain "a budget out of reach left a run directory"
expect 2 run configs/smoke.yaml --run-dir "$work/met" --set constraints.macs=100% --set constraints.params=100%
err "meets all budgets"
expect 2 run configs/smoke.yaml --run-dir "$work/batch" --set train.batch=65536
err "train.batch is 65536" "800 training images"
[ ! -e "$work/met" ] && [ ! -e "$work/batch" ] || complain "a study that cannot work left a run directory"
expect 0 run configs/smoke.yaml --run-dir "$work/wild" --quiet --set fine_tune.long.learning_rate=100 \
	--set fine_tune.long.steps=300 --set fine_tune.long.weight_decay=0.9 --set fine_tune.long.momentum=0.99
err "warning" "diverged" "kept as it was scored"
out "netadapt" "best.onnx"
rm "$work/wild/latency.lut" "$work/wild/best.onnx" # without best.onnx a complete study is gone through again
expect 1 resume "$work/wild"
err "latency.lut" "is gone"

echo "# resume"
expect 0 resume "$run" --quiet
silent err
out "netadapt" "Pareto front" "best.onnx"
# The same numbers again: nothing was done twice.
grep -E '^(baseline|netadapt|uniform)' "$work/report" >"$work/wanted"
grep -E '^(baseline|netadapt|uniform)' "$work/out" | cmp -s - "$work/wanted" || complain "resuming changed the report"
before=$(cd "$run" && find . -type f -exec cksum {} + | sort)
expect 0 resume "$run"
err "the study is complete"
[ "$(wc -l <"$work/err")" -eq 1 ] || complain "resuming a complete study pretends to work"
grep -E '^(baseline|netadapt|uniform)' "$work/out" | cmp -s - "$work/wanted" || complain "resuming changed the report"
[ "$(cd "$run" && find . -type f -exec cksum {} + | sort)" = "$before" ] || complain "reporting changed the study"
rm "$run/best.onnx"
expect 0 resume "$run" --quiet
[ -s "$run/best.onnx" ] || complain "a lost best.onnx is not made again"
expect 1 resume "$work/nowhere"
err "nowhere"
expect 1 resume "$work"
err "no run directory"

echo "# trials, front, show, export"
expect 0 trials "$run"
out "controller" "netadapt" "complete"
expect 0 trials "$run" --format csv
out "trial,controller,round,parent,state,accuracy"
lines=$(wc -l <"$work/out")
expect 0 trials "$run" --format json
json "[t['trial'] for t in d] == list(range($lines - 1)) and all(t['plan'] and t['seconds'] > 0 for t in d)"
json "any(t['weights'] for t in d) and all(0 <= t['accuracy'] <= 1 for t in d)"
expect 0 front "$run"
out "uncut network"
expect 0 front "$run" --format csv
out "-1,baseline,"
expect 0 front "$run" --format json
json "d['schema'] == 1 and [o['metric'] for o in d['objectives']] == ['accuracy', 'macs', 'params']"
json "all(p['trial'] == -1 or p['plan'] for p in d['front']) and d['front'] and d['complete']"
json "[f['controller'] for f in d['finals']] == ['baseline', 'netadapt', 'uniform']"
json "all(f['within_budgets'] for f in d['finals'][1:]) and all(f['measured_latency_ms'] > 0 for f in d['finals'])"
# No point of the front is beaten by another in everything.
json "not any(p is not q and p['accuracy'] <= q['accuracy'] and p['macs'] >= q['macs'] and p['params'] >= q['params'] for p in d['front'] for q in d['front'])"
expect 0 show "$run" --trial best
out "conv1" "#" "test_accuracy" "the uncut network" "within all budgets"
expect 0 show "$run" --trial 0
expect 0 show "$run" --trial baseline
cp "$work/out" "$work/baseline"
expect 0 show "$run" --trial -1
cmp -s "$work/out" "$work/baseline" || complain "trial -1 is not the uncut network"
expect 1 show "$run" --trial 9999
err "there is no trial 9999"
expect 2 show "$run" --trial bets
err "'best'"
expect 0 export "$run" --trial best -o "$work/small.onnx"
expect 1 export "$run" --trial best -o "$work/small.onnx"
err "--force"
expect 0 export "$run" --trial best -o "$work/small.onnx" --force
expect 0 export "$run" --trial best -o "$work/trainable.onnx" --keep-batch-norm
expect 0 export "$run" --trial baseline -o "$work/uncut.onnx"
expect 1 export "$run" --trial best -o "$work/none/small.onnx"
err "cannot be written"
expect 0 model info "$work/small.onnx" --json
json "0 < d['macs'] <= 0.6 * 1411520"
! grep -q batch_norm "$work/out" || complain "the exported network has batch norm"
expect 0 model info "$work/trainable.onnx"
out "batch_norm"
expect 0 eval "$work/small.onnx" --config configs/smoke.yaml --json
accuracy=$(sed -n 's/^ *"accuracy": \([^,]*\),*$/\1/p' "$work/out")
expect 0 front "$run" --format json
json "$accuracy in [f['test_accuracy'] for f in d['finals']]"
# The study's own files are out of reach, by whatever name.
mkdir "$work/links"
ln -s "$run/study.db" "$work/links/database.onnx"
ln "$run/config.yaml" "$work/links/config.onnx"
weights=$(find "$run/weights" -type f | head -1)
ln -s "$weights" "$work/links/weights.onnx"
before=$(cd "$run" && find . -type f -exec cksum {} + | sort)
for own in "$run/study.db" "$run/../${run##*/}/study.db" "$run/study.db-wal" "$run/study.db-new" "$run/config.yaml" \
	"$run/latency.lut" "$weights" "$run/weights/new.onnx" "$work/links/"*.onnx; do
	expect 2 export "$run" --trial best --force -o "$own"
	err "a file of the study itself"
done
[ "$(cd "$run" && find . -type f -exec cksum {} + | sort)" = "$before" ] || complain "an export changed the study"
expect 0 export "$run" --trial best -o "$run/small.onnx"
rm -r "$work/links" "$run/small.onnx"
expect 2 export "$run" --trial best --force -o "$work"
err "is a directory"
expect 2 train configs/smoke.yaml --force -o "$work"
err "is a directory"
expect 2 lut build --model zoo:lenet:1x28x28 --force -o "$work"
err "is a directory"
expect 1 trials "$work"
err "no study.db"
echo "not a database, but long enough to be looked at" >"$work/study.db"
expect 1 trials "$work"
err "study.db"

echo "# lut"
expect 0 lut show "$run/latency.lut"
out "batch 16" "conv2d"
expect 0 lut show "$run/latency.lut" --json
json "d['batch'] == 16 and d['entries'] and all(e['median_ms'] > 0 for e in d['entries'])"
expect 0 lut build --config configs/smoke.yaml -o "$work/smoke.lut"
expect 1 lut build --config configs/smoke.yaml -o "$work/smoke.lut"
err "--force"
expect 0 run configs/smoke.yaml --run-dir "$work/with_table" --set latency.table="$work/smoke.lut" --set train.steps=5 --quiet

echo "# stopping"
for signal in INT TERM HUP; do
	study=$work/stopped_$signal
	# A shell ignores SIGINT for what runs in the background.
	env --default-signal=INT,HUP "$pare" run configs/smoke.yaml --run-dir "$study" --set train.steps=1000000 \
		>"$work/out" 2>"$work/err" </dev/null &
	pid=$!
	last="pare run, SIG$signal"
	for _ in $(seq 300); do
		grep -q "epoch 1/" "$work/err" && break
		sleep 0.1
	done
	kill -s "$signal" "$pid"
	code=0
	wait "$pid" || code=$?
	[ "$code" -eq 130 ] || complain "$last: exit code $code, expected 130"
	err "stopped; go on with: pare resume $study"
	silent out
done

[ "$failed" -eq 0 ] && echo "all is well"
exit "$failed"
