#!/usr/bin/env python3
"""Times one FR-GAN training step in plain PyTorch, eager or compiled, the program that a user would write instead of frgan.

It does the same work as `frgan bench`. The discriminator step consists of: gather from a uint8 dataset, translation by
up to 2 pixels (reflected), dropout, Table 1 with weight norm, K + 1 class losses with consistency, Adam, weight average.
The generator step follows. It prints one line of JSON.

    python3 benchmarks/pytorch_step.py --form bf16 --threads 2

Forms: fp32 uses PyTorch's default layout. bf16 uses autocast and channels-last. It casts transposed convolutions
explicitly, because autocast on a CPU leaves them in fp32 (PyTorch 1.13 to 2.x).
"""
import argparse
import json
import os
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn

try:
    from torch.nn.utils.parametrizations import weight_norm
except ImportError:  # PyTorch 1.13
    from torch.nn.utils import weight_norm


class SqueezeExcitation(nn.Module):
    def __init__(self, channels, reduction=16):
        super().__init__()
        hidden = max(1, channels // reduction)
        self.layers = nn.Sequential(nn.Linear(channels, hidden, bias=False), nn.ReLU(inplace=True),
                                    nn.Linear(hidden, channels, bias=False), nn.Sigmoid())

    def forward(self, x):
        return x * self.layers(x.mean([2, 3]))[:, :, None, None]


class Discriminator(nn.Module):
    def __init__(self, width, classes=10):
        super().__init__()
        c64, c128, c256 = (round(n * width) for n in (64, 128, 256))

        def conv(inputs, outputs, kernel=3, stride=1, padding=1):
            return [weight_norm(nn.Conv2d(inputs, outputs, kernel, stride, padding)), nn.LeakyReLU(0.2, inplace=True)]

        self.body = nn.Sequential(
            nn.Dropout(0.2), *conv(3, c64), *conv(c64, c64), *conv(c64, c64, stride=2),
            nn.Dropout(0.2), *conv(c64, c128), *conv(c128, c128), *conv(c128, c128, stride=2), SqueezeExcitation(c128),
            nn.Dropout(0.2), *conv(c128, c256, padding=0), *conv(c256, c128, 1, padding=0),
            *conv(c128, c128, 1, padding=0), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classify = weight_norm(nn.Linear(c128, classes))

    def forward(self, x):
        features = self.body(x)
        return self.classify(features).float(), features.float()


class Deconv(nn.ConvTranspose2d):
    """A transposed convolution that doubles height and width."""

    def __init__(self, inputs, outputs, bf16, bias=False):
        super().__init__(inputs, outputs, 5, stride=2, padding=2, output_padding=1, bias=bias)
        self.bf16 = bf16

    def forward(self, x):
        if not self.bf16:
            return super().forward(x)
        bias = None if self.bias is None else self.bias.bfloat16()
        return F.conv_transpose2d(x.bfloat16(), self.weight.bfloat16(), bias, stride=2, padding=2, output_padding=1)


class Generator(nn.Module):
    def __init__(self, width, bf16, noise=100):
        super().__init__()
        c512, c256, c128 = (round(n * width) for n in (512, 256, 128))
        self.dense = nn.Sequential(nn.Linear(noise, c512 * 16, bias=False), nn.BatchNorm1d(c512 * 16),
                                   nn.ReLU(inplace=True), nn.Unflatten(1, (c512, 4, 4)))
        self.maps = nn.Sequential(Deconv(c512, c256, bf16), nn.BatchNorm2d(c256), nn.ReLU(inplace=True),
                                  Deconv(c256, c128, bf16), nn.BatchNorm2d(c128), nn.ReLU(inplace=True),
                                  weight_norm(Deconv(c128, 3, bf16, bias=True), dim=1), nn.Tanh())

    def forward(self, z, memory_format=torch.contiguous_format):
        return self.maps(self.dense(z).contiguous(memory_format=memory_format))


class Step:
    def __init__(self, options):
        self.options = options
        self.passes = "concatenated"
        self.batch = options.batch
        self.bf16 = options.form == "bf16"
        self.layout = torch.channels_last if self.bf16 else torch.contiguous_format
        self.images = torch.randint(256, (options.images, 3, 32, 32), dtype=torch.uint8)
        self.labels = torch.randint(10, (options.images,))
        self.d = Discriminator(options.width).to(memory_format=self.layout)
        self.g = Generator(options.width, self.bf16).to(memory_format=self.layout)
        if options.compile:
            self.d, self.g = (torch.compile(network, dynamic=False) for network in (self.d, self.g))
        self.average = [p.detach().clone() for p in self.d.parameters()]
        self.adam_d = torch.optim.Adam(self.d.parameters(), lr=3e-4, betas=(0.5, 0.999), foreach=True)
        self.adam_g = torch.optim.Adam(self.g.parameters(), lr=3e-4, betas=(0.5, 0.999), foreach=True)

    def augmented(self, rows):
        """The images of these rows in [-1, 1], each shifted by up to 2 pixels. Uses one gather of bytes."""
        shifts = torch.arange(32) + torch.randint(-2, 3, (2, len(rows), 1))
        y, x = 31 - (31 - shifts.abs()).abs()
        images = self.images[rows[:, None, None, None], torch.arange(3)[:, None, None], y[:, None, :, None],
                                 x[:, None, None, :]]
        return images.float().div_(127.5).sub_(1)

    def rows(self):
        return torch.randint(self.options.images, (self.batch,))

    def autocast(self):
        return torch.autocast("cpu", torch.bfloat16, enabled=self.bf16)

    def noise(self):
        return torch.rand(self.batch, 100).mul_(2).sub_(1)

    def discriminate(self, *images):
        """Logits and features of several batches, in one concatenated pass or in separate passes."""
        with self.autocast():
            if self.passes == "separate":
                return [self.d(batch.contiguous(memory_format=self.layout)) for batch in images]
            outputs = self.d(torch.cat(images).contiguous(memory_format=self.layout))
            return list(zip(*(tensor.split(self.batch) for tensor in outputs)))

    def generate(self):
        with self.autocast():
            return self.g(self.noise(), self.layout).float()

    def run(self):
        labeled, unlabeled = self.rows(), self.rows()
        if self.options.method == "supervised":
            (logits, _), = self.discriminate(self.augmented(labeled))
            loss = F.cross_entropy(logits, self.labels[labeled])
        else:
            with torch.no_grad():
                generated = self.generate()
            (logits, _), (first, _), (second, _), (fake, _) = self.discriminate(
                self.augmented(labeled), self.augmented(unlabeled), self.augmented(unlabeled), generated)
            loss = (F.cross_entropy(logits, self.labels[labeled])
                    + F.softplus(-first.logsumexp(1)).mean() + F.softplus(fake.logsumexp(1)).mean()
                    + 30 * F.mse_loss(first.softmax(1), second.softmax(1)))
        self.adam_d.zero_grad(set_to_none=True)
        loss.backward()
        self.adam_d.step()
        with torch.no_grad():
            torch._foreach_mul_(self.average, 0.9999)
            torch._foreach_add_(self.average, list(self.d.parameters()), alpha=1 - 0.9999)
        if self.options.method == "supervised":
            return
        self.d.requires_grad_(False)  # the generator's step needs no gradients of these parameters
        (fake, features), = self.discriminate(self.generate())
        if self.options.gen_loss == "feature_matching":
            with torch.no_grad():
                (_, real), = self.discriminate(self.augmented(self.rows()))
            loss = F.l1_loss(features.mean(0), real.mean(0))
        else:
            loss = F.softplus(-fake.logsumexp(1)).mean()
        self.adam_g.zero_grad(set_to_none=True)
        loss.backward()
        self.adam_g.step()
        self.d.requires_grad_(True)


def timed(step):
    start = time.perf_counter()
    step.run()
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--form", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--compile", action="store_true", help="compile both networks (torch.compile, PyTorch 2)")
    parser.add_argument("--method", choices=["fr-gan", "supervised"], default="fr-gan")
    parser.add_argument("--width", type=float, default=1.0, help="factor on the channel counts of Table 1")
    parser.add_argument("--batch", type=int, default=100, help="number of images of each kind per step")
    parser.add_argument("--gen-loss", choices=["nonsaturating", "feature_matching"], default="nonsaturating")
    parser.add_argument("--steps", type=int, default=5, help="number of timed steps")
    parser.add_argument("--warm-up", type=int, help="untimed steps per mode of --passes; default 2, compiled 4")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--passes", choices=["faster", "concatenated", "separate"], default="faster",
                        help="discriminator passes: one over all batches, one per batch, or the faster in warm-up")
    parser.add_argument("--images", type=int, default=73257, help="size of the (random) dataset")
    options = parser.parse_args()
    options.warm_up = options.warm_up or (4 if options.compile else 2)
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)

    step, warm_up = Step(options), {}
    for step.passes in ["concatenated", "separate"] if options.passes == "faster" else [options.passes]:
        warm_up[step.passes] = min(timed(step) for _ in range(options.warm_up))
    step.passes = min(warm_up, key=warm_up.get)
    seconds = [timed(step) for _ in range(options.steps)]
    print(json.dumps({"seconds_per_step": statistics.median(seconds), "steps": [round(s, 4) for s in seconds],
                      "method": options.method, "form": options.form, "compiled": options.compile, "passes": step.passes,
                      "width": options.width, "batch": options.batch, "threads": options.threads, "torch": torch.__version__}))


if __name__ == "__main__":
    main()
