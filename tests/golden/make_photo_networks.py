#!/usr/bin/env python3
"""Computes the golden file of the networks for photos with timm, in double precision.

    PYTHON tests/golden/make_photo_networks.py            # writes photo_networks.safetensors to this folder
    PYTHON tests/golden/make_photo_networks.py --check    # recomputes it and compares with the stored file

PYTHON needs torch, timm, torchvision and numpy. The stored file is from timm 1.0.31 and torch 2.11.0.

The weights are not stored: `numbers` gives every value of a tensor as a function of its name, here and in
tests/nn/photo_networks_test.cpp. No tensor has the values that timm starts with, because some of those hide errors:
the last gain of a residual block of ResNet is 0, and the scales of ConvNeXt and DINOv2 are 1e-6 and 1e-5.

For each network and each of its layers, the file has `count` values of the output for two images, at even distances in
the order N x C x H x W (or N x T x D): the tensor NETWORK/LAYER. The names of the layers are those of
src/frgan/nn.
"""
import argparse
import pathlib
import re
import sys

import numpy
import timm
import torch

import safetensors_file

COUNT = 64
CLASSES = 7
# Our name, timm's name, side of the images, and arguments for timm.
NETWORKS = [
    ("resnet18", "resnet18", 64, {}),
    ("resnet50", "resnet50", 64, {}),
    ("efficientnet-lite0", "efficientnet_lite0", 64, {}),
    ("efficientnet-lite0-same", "tf_efficientnet_lite0", 64, {}),
    ("efficientnet-lite0-odd", "tf_efficientnet_lite0", 45, {}),
    ("convnext-tiny", "convnext_tiny", 64, {}),
    ("vit-small-14", "vit_small_patch14_dinov2", 70, {"img_size": 70}),
]
# Layers of ours that end elsewhere in timm's network.
ENDS = {"resnet18": {"bn1": "act1", "pool": "global_pool"},
        "resnet50": {"bn1": "act1", "pool": "global_pool"},
        "efficientnet": {"pool": "global_pool"},
        "convnext-tiny": {"pool": "head.global_pool"},
        "vit-small-14": {"positions": "patch_drop"}}
# Their positions have 37 x 37 patches.
POSITIONS = 1 + 37 * 37


def numbers(name, count):
    """Numbers in [0, 1), in steps of 2^-24: splitmix64 of the FNV-1a hash of the name, plus the index."""
    key = 0xCBF29CE484222325
    for byte in name.encode():
        key = (key ^ byte) * 0x100000001B3 % 2**64
    with numpy.errstate(over="ignore"):
        x = numpy.arange(1, count + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15) + numpy.uint64(key)
        x = (x ^ (x >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        x = x ^ (x >> numpy.uint64(31))
    return (x >> numpy.uint64(40)).astype(numpy.float64) * 2.0**-24


def values(name, shape):
    """The values of a tensor, rounded to single precision."""
    u = torch.from_numpy(numbers(name, torch.Size(shape).numel())).view(shape)
    if name.endswith("running_var"):
        result = 0.5 + 1.5 * u
    elif name.endswith(("bias", "running_mean")):
        result = 0.4 * u - 0.2
    elif name.endswith("gamma") or len(shape) == 1:  # gains
        result = 0.5 + u
    elif name in ("images", "cls_token", "pos_embed"):
        result = 2 * u - 1
    else:  # weights: variance 1 / fan-in
        result = (2 * u - 1) * (3 / torch.Size(shape[1:]).numel()) ** 0.5
    return result.float().double()


def fill(model):
    for name, tensor in model.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        if name == "pos_embed":
            new = values(name, (1, POSITIONS, tensor.shape[2]))
            side = round((tensor.shape[1] - 1) ** 0.5)
            new = timm.layers.resample_abs_pos_embed(new, (side, side), num_prefix_tokens=1)
        else:
            new = values(name, tuple(tensor.shape))
        tensor.copy_(new)


def layers_of(name, model):
    """(our name, module) for each layer whose output is stored."""
    modules = dict(model.named_modules())
    ends = next((ends for prefix, ends in ENDS.items() if name.startswith(prefix)), {})
    for path, module in modules.items():
        is_block = re.fullmatch(r"layer\d\.\d|blocks\.\d+" if name[:3] in ("res", "vit") else
                                r"blocks\.\d\.\d|stages\.\d\.(blocks|downsample)\.\d", path)
        named = ("conv1", "bn1", "maxpool", "fc", "conv_stem", "conv_head", "bn2", "classifier", "stem.0", "stem.1",
                 "head.norm", "head.fc", "patch_embed", "norm", "head")
        if is_block or (path in named and path not in ends and not (path == "head" and name == "convnext-tiny")):
            yield path, module
    for ours, path in ends.items():
        yield ours, modules[path]


def computed():
    tensors = {}
    for name, theirs, size, arguments in NETWORKS:
        model = timm.create_model(theirs, pretrained=False, num_classes=CLASSES, **arguments).eval().double()
        fill(model)

        def store(layer):
            def hook(_module, _inputs, output):
                flat = output.detach().contiguous().flatten()
                count = min(COUNT, len(flat))
                places = torch.arange(count) * (len(flat) // count)
                tensors[f"{name}/{layer}"] = flat[places].clone()
            return hook

        for layer, module in layers_of(name, model):
            module.register_forward_hook(store(layer))
        with torch.no_grad():
            model(values("images", (2, 3, size, size)))
    return tensors


def main():
    parser = argparse.ArgumentParser(description="Computes the golden file of the networks for photos.")
    parser.add_argument("--check", action="store_true", help="compare with the stored file")
    options = parser.parse_args()
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)  # faster beside other programs
    path = pathlib.Path(__file__).parent / "photo_networks.safetensors"
    tensors = computed()
    if not options.check:
        safetensors_file.write(path, tensors, {"source": f"timm {timm.__version__}, torch {torch.__version__}"})
        return
    stored = safetensors_file.read(path)
    wrong = sorted(set(stored) ^ set(tensors))
    wrong += [name for name in sorted(set(stored) & set(tensors))
              if stored[name].shape != tensors[name].shape
              or (stored[name] - tensors[name]).abs().max() > 1e-11 * tensors[name].abs().max()]
    if wrong:
        sys.exit("different: " + ", ".join(wrong))
    print(f"{len(tensors)} tensors agree")


if __name__ == "__main__":
    main()
