#!/usr/bin/env bash
# Networks that pare writes, before ONNX's own checker with its strict shape inference. Needs python3-onnx; passes without it.
set -euo pipefail
writer="$(dirname "$1")/tests/test_onnx_write"

python=
for candidate in python3 /usr/bin/python3; do
	if "$candidate" -c 'import onnx' 2>/dev/null; then
		python=$candidate
		break
	fi
done
if [[ -z $python ]]; then
	echo "skipped: no python3 with the onnx package"
	exit 0
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$writer" "$folder"

"$python" - "$folder" <<'PYTHON'
import glob, sys
import onnx

paths = sorted(glob.glob(sys.argv[1] + "/*.onnx"))
assert len(paths) > 5, paths
for path in paths:
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    def dims(info):
        return [d.dim_param or d.dim_value for d in info.type.tensor_type.shape.dim]
    assert dims(inferred.graph.output[0])[0] == "N", path
    # Without the declared output, ONNX must come to the same shape by itself.
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    bare.graph.output[0].type.tensor_type.ClearField("shape")
    bare = onnx.shape_inference.infer_shapes(bare, strict_mode=True)
    assert dims(bare.graph.output[0])[1:] == dims(model.graph.output[0])[1:], path
    assert model.ir_version == 7 and model.opset_import[0].version == 13, path
    print(path.rsplit("/", 1)[1], len(model.graph.node), "nodes")
PYTHON
