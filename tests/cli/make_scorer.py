"""Writes TorchScript networks for `frgan score --scorer`: make_scorer.py FOLDER."""
import pathlib
import sys

import torch


class Colours(torch.nn.Module):
    """Two classes, by whether red or green is stronger. The features are the means of the three color channels."""

    def forward(self, images):
        small = torch.nn.functional.interpolate(images, [8, 8], mode="bilinear", align_corners=False)
        means = small.mean([2, 3])
        difference = 20 * (means[:, 0] - means[:, 1])
        return torch.stack([difference, -difference], 1), means


class TenClasses(torch.nn.Module):
    """Ten logits, no features."""

    def forward(self, images):
        return images.flatten(1)[:, :10]


folder = pathlib.Path(sys.argv[1])
for name, network in (("colours", Colours()), ("ten_classes", TenClasses())):
    torch.jit.script(network).save(str(folder / f"{name}.pt"))
