#!/usr/bin/env python3
"""Exports one small block of each family of torchvision's classifiers: the fixtures of test_onnx_blocks.

    tests/networks/export_blocks.py OUT_DIRECTORY

For each: NAME.onnx as torch.onnx.export makes it (opset 13, open batch, batch norm folded; *_kept: not folded) and
NAME.bin, raw float32: 2 images 3x8x8, then PyTorch's 2x5 outputs. Needs Debian's python3-torchvision. Weights are random
with a fixed seed.
"""
import os
import sys
import warnings

import torch
from torch import nn
from torchvision.models import convnext, densenet, efficientnet, mnasnet, mobilenetv2, mobilenetv3, regnet, resnet
from torchvision.models import shufflenetv2, squeezenet
from torchvision.models.googlenet import Inception
from torchvision.ops.misc import Conv2dNormActivation, SqueezeExcitation


class MeanHead(nn.Module):
    """MNASNet's and ShuffleNet's way of averaging."""

    def __init__(self, channels):
        super().__init__()
        self.linear = nn.Linear(channels, 5)

    def forward(self, x):
        return self.linear(x.mean([2, 3]))


class Split(nn.Module):
    """Parts of the channels go different ways; a gate with one number a pixel."""

    def __init__(self, channels):
        super().__init__()
        self.half = channels // 2
        self.left = nn.Conv2d(self.half, self.half, 3, padding=1)
        self.gate = nn.Conv2d(channels, 1, 1)

    def forward(self, x):
        left, right = torch.split(x, [self.half, x.shape[1] - self.half], dim=1)
        x = torch.cat([self.left(left), nn.functional.leaky_relu(right, 0.1)], 1)
        return x * torch.sigmoid(self.gate(x)) - nn.functional.elu(x) / 4.0


class Functions(nn.Module):
    """Functions of one number, with constants on both sides."""

    def forward(self, x):
        y = torch.tanh(x) * 0.5 + 0.25
        z = 1.0 - torch.clamp(x, -1.0, 2.0)
        w = torch.softmax(x, dim=2)
        return y * y + 1.0 + z.pow(2) + w - torch.erf(x) + nn.functional.hardsigmoid(x)


def head(channels):
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(1), nn.Dropout(0.2), nn.Linear(channels, 5)]


def stem(channels):
    return Conv2dNormActivation(3, channels, 3, 1)


def mobile_settings():
    return mobilenetv3.InvertedResidualConfig(8, 3, 16, 8, True, "HS", 1, 1, 1.0)


def norm(channels):
    return nn.LayerNorm(channels, eps=1e-6)


def blocks():
    yield "residual", [stem(8), resnet.BasicBlock(8, 8), *head(8)]
    yield "residual_kept", [stem(8), resnet.BasicBlock(8, 8), *head(8)]
    yield "grouped", [stem(16), resnet.Bottleneck(16, 4, groups=4, base_width=64), *head(16)]
    yield "inverted", [stem(8), mobilenetv2.InvertedResidual(8, 8, 1, 2), *head(8)]
    yield "hard_swish_gate", [stem(8), mobilenetv3.InvertedResidual(mobile_settings(), nn.BatchNorm2d), nn.Hardswish(),
                              *head(8)]
    mbconv = efficientnet.MBConvConfig(2, 3, 1, 8, 8, 1)
    yield "swish_gate", [stem(8), efficientnet.MBConv(mbconv, 0.0, nn.BatchNorm2d), *head(8)]
    yield "regnet", [stem(8), regnet.ResBottleneckBlock(8, 16, 2, nn.BatchNorm2d, nn.ReLU, 8, 1.0, 0.25), *head(16)]
    yield "mnasnet", [stem(8), mnasnet._InvertedResidual(8, 8, 3, 1, 2), MeanHead(8)]
    yield "shuffle", [stem(8), shufflenetv2.InvertedResidual(8, 8, 2), shufflenetv2.InvertedResidual(8, 8, 1),
                      MeanHead(8)]
    yield "dense_kept", [stem(8), densenet._DenseBlock(2, 8, 2, 4, 0.0), densenet._Transition(16, 8), *head(8)]
    yield "dense", [stem(8), densenet._DenseBlock(2, 8, 2, 4, 0.0), densenet._Transition(16, 8), *head(8)]
    yield "fire", [stem(8), nn.MaxPool2d(3, 2, ceil_mode=True), squeezenet.Fire(8, 4, 6, 6),
                   nn.Conv2d(12, 5, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(1)]
    yield "inception", [stem(8), Inception(8, 4, 4, 6, 2, 4, 4), nn.AvgPool2d(3, 2, 1), *head(18)]
    yield "convnext", [stem(8), nn.Sequential(convnext.LayerNorm2d(8, eps=1e-6), nn.Conv2d(8, 12, 2, 2)),
                       convnext.CNBlock(12, 0.5, 0.0, norm), convnext.LayerNorm2d(12, eps=1e-6), *head(12)]
    yield "gate", [stem(8), SqueezeExcitation(8, 4, scale_activation=nn.Hardsigmoid), *head(8)]
    yield "split", [stem(8), Split(8), *head(8)]
    yield "functions", [stem(8), Functions(), nn.GELU(), nn.SiLU(), *head(8)]
    yield "flatten", [stem(6), nn.MaxPool2d(2), nn.Flatten(1), nn.Linear(96, 8), nn.ReLU(inplace=True), nn.Linear(8, 5)]


def randomize(model):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            with torch.no_grad():
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0.0, 0.2)
                module.running_mean.normal_(0.0, 0.2)
                module.running_var.uniform_(0.5, 1.5)
        if isinstance(module, nn.LayerNorm):
            with torch.no_grad():
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0.0, 0.2)


def export(name, layers, directory):
    torch.manual_seed(sum(map(ord, name)))
    model = nn.Sequential(*layers)
    for layer in model.modules():
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    randomize(model)
    model.eval()
    example = torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        output = model(example)
    kept = name.endswith("_kept")
    mode = torch.onnx.TrainingMode.PRESERVE if kept else torch.onnx.TrainingMode.EVAL
    path = os.path.join(directory, name)
    torch.onnx.export(model, example[:1], path + ".onnx", opset_version=13, training=mode,
                      do_constant_folding=not kept, input_names=["input"], output_names=["logits"],
                      dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}})
    with open(path + ".bin", "wb") as file:
        file.write(example.numpy().tobytes() + output.numpy().tobytes())


def main():
    warnings.filterwarnings("ignore")
    os.makedirs(sys.argv[1], exist_ok=True)
    for name, layers in blocks():
        export(name, layers, sys.argv[1])


if __name__ == "__main__":
    main()
