#!/usr/bin/python3
"""How fast pare trains and infers, beside PyTorch, on the same networks.

    cmake --preset release && cmake --build --preset release
    tests/bench/bench_train.py [--models resnet20,vgg_small] [--rounds 15] [--threads 2]

Needs Debian's python3-torch. Both sides take turns in short rounds, so that a busy moment of the machine hits both; the
ratio is taken round by round (PyTorch's milliseconds / pare's: above 1 means that pare is faster) and its median is
printed with the quartiles. PyTorch runs in eager mode in two memory formats (contiguous and channels_last); the faster
one in a trial round is used. For inference both sides have batch norm folded into the convolutions.
"""
import argparse
import os
import statistics
import subprocess
import sys
import time

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class ConvNorm(nn.Module):
    """Convolution and batch norm, which fold() makes one."""

    def __init__(self, channels_in, channels_out, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels_out)

    def fold(self):
        self.conv, self.norm = fuse_conv_bn_eval(self.conv, self.norm), nn.Identity()

    def forward(self, x):
        return self.norm(self.conv(x))


class Block(nn.Module):
    """Two convolutions and an option-A shortcut."""

    def __init__(self, channels_in, channels_out, stride):
        super().__init__()
        self.first = ConvNorm(channels_in, channels_out, stride)
        self.second = ConvNorm(channels_out, channels_out)
        self.stride, self.missing = stride, channels_out - channels_in

    def forward(self, x):
        y = self.second(functional.relu(self.first(x), inplace=True))
        if self.stride > 1:
            x = x[:, :, :: self.stride, :: self.stride]
        if self.missing:
            x = functional.pad(x, (0, 0, 0, 0, self.missing // 2, self.missing - self.missing // 2))
        return functional.relu(y + x, inplace=True)


def make_resnet(depth, shape):
    layers, channels = [ConvNorm(shape[0], 16), nn.ReLU(inplace=True)], 16
    for stage in range(3):
        for block in range((depth - 2) // 6):
            layers.append(Block(channels, 16 << stage, 2 if stage and not block else 1))
            channels = 16 << stage
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def make_vgg_small(shape):
    layers, channels = [], shape[0]
    for width in (32, 64, 128):
        for _ in range(2):
            layers += [ConvNorm(channels, width), nn.ReLU(inplace=True)]
            channels = width
        layers.append(nn.MaxPool2d(2))
    features = 128 * (shape[1] // 8) * (shape[2] // 8)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(features, 256), nn.ReLU(inplace=True), nn.Linear(256, 10))


def make_model(name, shape):
    return make_vgg_small(shape) if name == "vgg_small" else make_resnet(int(name[len("resnet"):]), shape)


class Torch:
    """PyTorch's side of one case."""

    def __init__(self, name, shape, training, batch, memory_format):
        torch.manual_seed(1)
        self.model = make_model(name, shape).to(memory_format=memory_format)
        self.parameters = sum(p.numel() for p in self.model.parameters())
        self.training = training
        self.images = torch.randn(batch, *shape).contiguous(memory_format=memory_format)
        self.labels = torch.arange(batch) % 10
        self.model.train(training)
        if training:
            self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
        else:
            for module in self.model.modules():
                if isinstance(module, ConvNorm):
                    module.fold()
            self.model = self.model.to(memory_format=memory_format)

    def run_once(self):
        if not self.training:
            with torch.inference_mode():
                self.model(self.images)
            return
        self.optimizer.zero_grad(set_to_none=True)
        functional.cross_entropy(self.model(self.images), self.labels).backward()
        self.optimizer.step()

    def measure(self, runs):
        start = time.perf_counter()
        for _ in range(runs):
            self.run_once()
        return (time.perf_counter() - start) * 1e3 / runs

    def close(self):
        pass


class Pare:
    """pare's side: a program that runs as often as it is told."""

    def __init__(self, program, name, shape, training, batch, threads):
        what = "train" if training else "infer"
        command = [program, name, "x".join(map(str, shape)), what, str(batch), str(threads)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.parameters = int(self.answer().split()[0])

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit("bench_engine ended: see its message above")
        return line

    def measure(self, runs):
        self.process.stdin.write(f"{runs}\n")
        self.process.stdin.flush()
        return float(self.answer())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def fastest_torch(name, shape, training, batch):
    """The better of the two memory formats."""
    best, best_ms, best_format = None, float("inf"), ""
    for text, memory_format in (("contiguous", torch.contiguous_format), ("channels_last", torch.channels_last)):
        side = Torch(name, shape, training, batch, memory_format)
        side.measure(2)
        ms = statistics.median(side.measure(1) for _ in range(5))
        if ms < best_ms:
            best, best_ms, best_format = side, ms, text
    return best, best_ms, best_format


def quartiles(values):
    if len(values) < 2:
        return values[0], values[0], values[0]
    return tuple(statistics.quantiles(values, n=4, method="inclusive"))


def run_case(options, name, shape, training, batch):
    torch_side, torch_ms, memory_format = fastest_torch(name, shape, training, batch)
    pare_side = Pare(options.program, name, shape, training, batch, options.threads)
    if pare_side.parameters != torch_side.parameters:
        sys.exit(f"{name}: {pare_side.parameters} parameters in pare, {torch_side.parameters} in PyTorch")
    pare_side.measure(2)
    runs = max(1, round(options.round_ms / max(torch_ms, pare_side.measure(1))))
    pare_ms, torch_all = [], []
    for _ in range(options.rounds):
        pare_ms.append(pare_side.measure(runs))
        torch_all.append(torch_side.measure(runs))
    low, middle, high = quartiles([t / p for t, p in zip(torch_all, pare_ms)])
    print(f"{name:10} {'x'.join(map(str, shape)):8} {'train' if training else 'infer':5} {batch:5} "
          f"{statistics.median(pare_ms):10.3f} {statistics.median(torch_all):10.3f} "
          f"{middle:6.2f} ({low:.2f} - {high:.2f})  {memory_format}", flush=True)
    pare_side.close()
    torch_side.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=os.path.join(ROOT, "build", "release", "tests", "bench", "bench_engine"))
    parser.add_argument("--models", default="resnet20,resnet56,vgg_small")
    parser.add_argument("--modes", default="train,infer")
    parser.add_argument("--train-batch", type=int, default=128)
    parser.add_argument("--infer-batches", default="1,32,256")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--round-ms", type=float, default=300.0, help="about so long is a side's turn")
    options = parser.parse_args()
    if not os.path.exists(options.program):
        sys.exit(f"{options.program} is not there: build the release preset, or name it with --program")
    torch.set_num_threads(options.threads)
    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"The machine is busy (load {load:.1f}): PyTorch's threads wait for each other and suffer most, so do not "
              f"quote these ratios", flush=True)
    print(f"PyTorch {torch.__version__}, {options.threads} threads, {options.rounds} rounds; medians, and the ratio's "
          f"quartiles")
    print(f"{'network':10} {'input':8} {'mode':5} {'batch':>5} {'pare ms':>10} {'torch ms':>10}  ratio")
    for name in options.models.split(","):
        shape = (1, 28, 28) if name == "vgg_small" else (3, 32, 32)
        if "train" in options.modes.split(","):
            run_case(options, name, shape, True, options.train_batch)
        if "infer" in options.modes.split(","):
            for batch in options.infer_batches.split(","):
                run_case(options, name, shape, False, int(batch))


if __name__ == "__main__":
    main()
