#!/usr/bin/env python3
"""Compares frgan's method linear with timm and scikit-learn: the same weights, images and labels.

    PYTHON benchmarks/compare_linear.py --frgan FRGAN --encoder FOLDER DATA... [--labels 200] [--splits 1]

PYTHON needs torch, timm, Pillow and scikit-learn. FOLDER has model.safetensors and config.json of
tf_efficientnet_lite0, as scripts/convert-encoder writes them. DATA is a folder with train/CLASS and test/CLASS, such as
those of scripts/make-photo-datasets.

timm computes features of the same squares (resized by area averaging). scikit-learn chooses C among the same 15
penalties, by the log loss of the same number of folds. Each program uses --threads threads. The times of both include
the start of the program, decoding and the evaluation on the test images; frgan also decodes the unlabeled images.
"""
import argparse
import csv
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy
import timm
import torch
from PIL import Image
from safetensors.torch import load_file
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


def images_of(folder):
    """Files and labels, by class, then by path."""
    files, labels = [], []
    for label, name in enumerate(sorted(path.name for path in folder.iterdir() if path.is_dir())):
        found = sorted(path for path in (folder / name).rglob("*") if path.suffix.lower() in SUFFIXES)
        files += found
        labels += [label] * len(found)
    return files, numpy.array(labels)


def area_weights(source, target):
    """target x source: the share of each pixel in the mean over the area of a new pixel. Pillow's BOX is not exact."""
    edges = numpy.arange(target + 1) * source / target
    pixels = numpy.arange(source)
    overlap = numpy.minimum(edges[1:, None], pixels + 1) - numpy.maximum(edges[:-1, None], pixels)
    return numpy.maximum(overlap, 0) * target / source


def square(image, size):
    pixels = numpy.asarray(image.convert("RGB"), dtype=numpy.float64)
    rows, columns = area_weights(pixels.shape[0], size), area_weights(pixels.shape[1], size)
    return numpy.round(numpy.einsum("ij,jkc,lk->ilc", rows, pixels, columns, optimize=True))


class Encoder:
    def __init__(self, folder):
        config = json.loads((folder / "config.json").read_text())
        config = config.get("pretrained_cfg", config)
        self.size = config["input_size"][1]
        self.mean = torch.tensor(config["mean"]).view(3, 1, 1)
        self.std = torch.tensor(config["std"]).view(3, 1, 1)
        self.model = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
        self.model.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
        self.model.to(memory_format=torch.channels_last)

    def image(self, path):
        pixels = torch.from_numpy(square(Image.open(path), self.size)).permute(2, 0, 1).float()
        return (pixels / 255 - self.mean) / self.std

    @torch.no_grad()
    def features(self, files, batch=16):
        parts = []
        for first in range(0, len(files), batch):
            images = torch.stack([self.image(path) for path in files[first:first + batch]])
            images = images.contiguous(memory_format=torch.channels_last)
            parts.append(self.model.forward_head(self.model.forward_features(images), pre_logits=True))
        return torch.cat(parts).double().numpy()


def frgan_error(options, data, split, folder):
    command = [options.frgan, "train", "--quiet", "--data", data, "--encoder", options.encoder / "model.safetensors",
               "--labels", options.labels, "--split-seed", split, "--threads", options.threads, "--run", folder]
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
    summary = json.loads((folder / "summary.json").read_text())
    with (folder / "labels.csv").open(newline="") as table:
        return summary["test"]["test_error"], list(csv.DictReader(table))


def compare(options, data, split):
    with tempfile.TemporaryDirectory() as folder:
        begin = time.monotonic()
        ours, labeled = frgan_error(options, data, split, pathlib.Path(folder) / "run")
        our_seconds = time.monotonic() - begin
    begin = time.monotonic()
    encoder = Encoder(options.encoder)
    classes = sorted(path.name for path in (data / "train").iterdir() if path.is_dir())
    labels = numpy.array([classes.index(row["label"]) for row in labeled])
    test_files, test_labels = images_of(data / "test")
    train = encoder.features([data / row["file"] for row in labeled])
    test = encoder.features(test_files)
    scale = numpy.sqrt((train ** 2).mean())
    search = GridSearchCV(LogisticRegression(max_iter=10000, tol=1e-6), {"C": 10.0 ** numpy.arange(-5, 2.01, 0.5)},
                          scoring="neg_log_loss", cv=StratifiedKFold(5, shuffle=True, random_state=1))
    search.fit(train / scale, labels)
    theirs = (search.predict(test / scale) != test_labels).mean()
    their_seconds = time.monotonic() - begin
    print(f"{data.name:10} split {split}  frgan {100 * ours:6.2f} % in {our_seconds:6.1f} s   "
          f"timm + scikit-learn {100 * theirs:6.2f} % in {their_seconds:6.1f} s   "
          f"guessing {100 * (1 - numpy.bincount(test_labels).max() / len(test_labels)):.1f} %", flush=True)
    return ours - theirs


def main():
    parser = argparse.ArgumentParser(description="Compares frgan's method linear with timm and scikit-learn.")
    parser.add_argument("--frgan", type=pathlib.Path, required=True)
    parser.add_argument("--encoder", type=pathlib.Path, required=True)
    parser.add_argument("--labels", type=int, default=200)
    parser.add_argument("--splits", type=int, default=1, help="label splits 1 to this number")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("data", type=pathlib.Path, nargs="+")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, timm {timm.__version__}, {options.labels} labels, {options.threads} threads")
    differences = [compare(options, data, split) for data in options.data for split in range(1, options.splits + 1)]
    worst = 100 * max(abs(difference) for difference in differences)
    print(f"largest difference of the errors: {worst:.2f} percentage points")
    sys.exit(worst > 1)


if __name__ == "__main__":
    main()
