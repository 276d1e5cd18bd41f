#!/usr/bin/env python3
"""Exports torchvision's classifiers to ONNX, with an input and PyTorch's output for it.

    tests/networks/export_torchvision.py OUT_DIRECTORY [--keep-batch-norm] [NAME...]

Weights are random with a fixed seed; batch norm gets non-trivial statistics, so that folding is put to the test. For each network:
NAME.onnx, NAME.input.bin and NAME.output.bin (raw float32, 2 images), NAME.json (input shape, MACs of convolutions and linear layers
as counted by hooks in PyTorch). Needs Debian's python3-torchvision.
"""
import argparse
import json
import os
import warnings

import torch
import torchvision

NETWORKS = """alexnet vgg11_bn resnet18 resnet50 resnext50_32x4d wide_resnet50_2 mobilenet_v2 mobilenet_v3_small
mobilenet_v3_large mnasnet1_0 shufflenet_v2_x1_0 squeezenet1_1 densenet121 googlenet inception_v3 efficientnet_b0
regnet_y_400mf regnet_x_400mf convnext_tiny""".split()


def build(name):
    """The network with random weights and batch norms that have seen data, as it were."""
    torch.manual_seed(sum(map(ord, name)))
    options = {"weights": None}
    if name in ("googlenet", "inception_v3"):
        options.update(init_weights=False, aux_logits=False, transform_input=False)
    model = getattr(torchvision.models, name)(**options)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            with torch.no_grad():
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0.0, 0.2)
                module.running_mean.normal_(0.0, 0.2)
                module.running_var.uniform_(0.5, 1.5)
        if hasattr(module, "layer_scale"):
            with torch.no_grad():  # starts at 1e-6, which would hide the whole block
                module.layer_scale.uniform_(0.2, 0.8)
    return model.eval()


def count_macs(model, example):
    """Multiply-accumulates of one image in convolutions and linear layers."""
    total = 0

    def hook(module, inputs, output):
        nonlocal total
        if isinstance(module, torch.nn.Conv2d):
            total += output[0].numel() * module.weight[0].numel()
        else:
            total += output[0].numel() * module.in_features

    handles = [m.register_forward_hook(hook) for m in model.modules() if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear))]
    model(example[:1])
    for handle in handles:
        handle.remove()
    return total


def settle(model, example):
    """Random deep networks blow up or die out; batch norms that have seen the example keep activations near 1."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.7
            module.train()
    model(example)
    model.eval()


def export(name, directory, keep_batch_norm):
    size = 299 if name == "inception_v3" else 224
    model = build(name)
    generator = torch.Generator().manual_seed(7)
    example = torch.randn(2, 3, size, size, generator=generator)
    path = os.path.join(directory, name)
    with torch.no_grad():
        settle(model, torch.randn(8, 3, size, size, generator=generator))
        output = model(example)
        macs = count_macs(model, example)
    mode = torch.onnx.TrainingMode.PRESERVE if keep_batch_norm else torch.onnx.TrainingMode.EVAL
    torch.onnx.export(model, example[:1], path + ".onnx", opset_version=13, training=mode,
                      do_constant_folding=not keep_batch_norm, input_names=["input"], output_names=["logits"],
                      dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}})
    example.numpy().tofile(path + ".input.bin")
    output.numpy().tofile(path + ".output.bin")
    with open(path + ".json", "w") as file:
        json.dump({"name": name, "shape": [3, size, size], "images": 2, "macs": macs, "classes": output.shape[1]}, file)
    print(f"{name}: {macs / 1e6:.1f} MMACs, |logits| up to {output.abs().max():.3g}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory")
    parser.add_argument("names", nargs="*", default=NETWORKS)
    parser.add_argument("--keep-batch-norm", action="store_true")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    os.makedirs(arguments.directory, exist_ok=True)
    for name in arguments.names:
        export(name, arguments.directory, arguments.keep_batch_norm)


if __name__ == "__main__":
    main()
