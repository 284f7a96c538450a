#!/usr/bin/env python3
"""Computes the golden file of image operations with Pillow, and of cutout with torch.

    /usr/bin/python3 tests/golden/make_operations.py            # writes operations.safetensors to this folder
    /usr/bin/python3 tests/golden/make_operations.py --check    # recomputes it and compares

Needs Debian's python3-pil; python3-torch is only used to store tensors. Results are bytes, and --check requires equal
ones. README.md describes the file.
"""
import math

import torch
from PIL import Image, ImageEnhance, ImageOps

from make_golden import GoldenFile, make_or_check

STEPS = 3  # operations per image
GRAY = 127


def affine(image, *matrix):
    fill = GRAY if image.mode == "L" else (GRAY,) * 3
    return image.transform(image.size, Image.Transform.AFFINE, matrix, Image.Resampling.NEAREST, fillcolor=fill)


def rotate(image, degrees):
    fill = GRAY if image.mode == "L" else (GRAY,) * 3
    return image.rotate(degrees, Image.Resampling.NEAREST, fillcolor=fill)


# In the order of the codes: name, function of an image and a magnitude, magnitudes. The first two are the ends of the
# range that random magnitudes are drawn from. One of the others has no effect.
FACTORS = (0.05, 0.95, 0.0, 0.5, 1.0, 1.9, -0.5)
SHIFTS = (-0.3, 0.3, 0.0, 0.01, -0.05, 0.125, 0.999, 1.0, -1.0, 1.5)
OPERATIONS = (
    ("identity", lambda image, _: image, (0.0,)),
    ("autocontrast", lambda image, _: ImageOps.autocontrast(image), (0.0,) * 6),
    ("brightness", lambda image, v: ImageEnhance.Brightness(image).enhance(v), FACTORS),
    ("color", lambda image, v: ImageEnhance.Color(image).enhance(v), FACTORS),
    ("contrast", lambda image, v: ImageEnhance.Contrast(image).enhance(v), FACTORS),
    ("equalize", lambda image, _: ImageOps.equalize(image), (0.0,) * 6),
    ("posterize", lambda image, v: ImageOps.posterize(image, int(v)), (4.0, 8.0, 1.0, 2.0, 4.999, 7.5)),
    ("rotate", rotate, (-30.0, 30.0, 0.0, 90.0, 180.0, 270.0, 45.0, -90.0, 360.0, 1e-6, -1e-6, 12.3456, 60.0)),
    ("sharpness", lambda image, v: ImageEnhance.Sharpness(image).enhance(v), FACTORS),
    ("shear_x", lambda image, v: affine(image, 1, v, 0, 0, 1, 0), SHIFTS),
    ("shear_y", lambda image, v: affine(image, 1, 0, 0, v, 1, 0), SHIFTS),
    ("solarize", lambda image, v: ImageOps.solarize(image, 256 * v), (0.0, 1.0, 0.5, 0.25, 0.3, 0.999)),
    ("translate_x", lambda image, v: affine(image, 1, 0, v * image.width, 0, 1, 0), SHIFTS),
    ("translate_y", lambda image, v: affine(image, 1, 0, 0, 0, 1, v * image.height), SHIFTS),
    ("invert", lambda image, _: ImageOps.invert(image), (0.0,)),
    ("cutout", None, (0.0, 0.5, 0.01, 0.3, 0.4, 1.0, 2.0)),
)
NAMES = [name for name, _, _ in OPERATIONS]


def cut_out(pixels, magnitude, position):
    """A gray square around the pixel at the position, clipped at the border."""
    height, width, _ = pixels.shape
    side = math.floor(magnitude * min(height, width) + 0.5)
    left = math.floor(position[0] * width) - side // 2
    top = math.floor(position[1] * height) - side // 2
    result = pixels.clone()
    result[max(top, 0):max(top + side, 0), max(left, 0):max(left + side, 0)] = GRAY
    return result


def apply(pixels, code, magnitude, position):
    """Applies an operation to a uint8 tensor, H x W x C."""
    name, function, _ = OPERATIONS[code]
    if name == "cutout":
        return cut_out(pixels, magnitude, position)
    height, width, channels = pixels.shape
    image = Image.frombytes("L" if channels == 1 else "RGB", (width, height), bytes(pixels.flatten().tolist()))
    changed = function(image, magnitude)
    assert changed.size == image.size and changed.mode == image.mode
    return torch.tensor(list(changed.tobytes()), dtype=torch.uint8).view(pixels.shape)


def contents(random, height, width, channels):
    """Six kinds of images."""
    def image(value):
        return torch.tensor([[[value(y, x, c) for c in range(channels)] for x in range(width)] for y in range(height)],
                            dtype=torch.uint8)
    tint = [random.randrange(256) for _ in range(channels)]
    return torch.stack([
        image(lambda y, x, c: random.randrange(256)),
        image(lambda y, x, c: (7 * y + 5 * x) * (c + 1) // 2 % 256),                                    # gradients
        image(lambda y, x, c: tint[c]),                                                                 # flat
        image(lambda y, x, c: random.choice((0, 255))),                                                 # saturated
        image(lambda y, x, c: 90 + 10 * c + int(random.gauss(0, 6))),                                   # low contrast
        image(lambda y, x, c: 30 + (200 if (y - height / 3) ** 2 + (x - width / 2) ** 2 < 36 else 0)    # a disk
              + 5 * c + random.randrange(3)),
    ])


def add_set(file, name, shape, most_magnitudes, random_magnitudes, chains):
    """Adds images, single operations with several magnitudes, and chains of operations in random order."""
    random = file.random
    images = contents(random, *shape)
    cases = []  # (image, [(code, magnitude, position), ...])

    def position():
        return random.random(), random.random()

    def nothing():
        return NAMES.index("identity"), random.uniform(-1, 1), position()

    for code, (operation, _, magnitudes) in enumerate(OPERATIONS):
        drawn = [random.uniform(*magnitudes[:2]) for _ in range(random_magnitudes)] if magnitudes[1:] else []
        for magnitude in magnitudes[:most_magnitudes] + tuple(drawn):
            chain = [nothing() for _ in range(STEPS)]
            chain[random.randrange(STEPS)] = (code, magnitude, position())
            cases.append((len(cases) % len(images), chain))
    for _ in range(chains):
        codes = [random.randrange(len(OPERATIONS)) for _ in range(STEPS)]
        chain = [(code, random.uniform(*(OPERATIONS[code][2] * 2)[:2]), position()) for code in codes]
        cases.append((random.randrange(len(images)), chain))

    chains = [chain for _, chain in cases]
    codes = torch.tensor([[code for code, _, _ in chain] for chain in chains])
    magnitudes = file.given(f"{name}.magnitudes", torch.tensor([[value for _, value, _ in chain] for chain in chains]))
    positions = file.given(f"{name}.positions", torch.tensor([[at for _, _, at in chain] for chain in chains]))
    expected = []
    for i, (image, _) in enumerate(cases):
        pixels = images[image]
        for j in range(STEPS):
            pixels = apply(pixels, codes[i, j], magnitudes[i, j].item(), positions[i, j].tolist())
        expected.append(pixels)
    file.tensors.update({f"{name}.images": images, f"{name}.image": torch.tensor([image for image, _ in cases]),
                         f"{name}.codes": codes, f"{name}.expected": torch.stack(expected)})


def operations():
    file = GoldenFile("operations")
    add_set(file, "32x32x3", (32, 32, 3), most_magnitudes=4, random_magnitudes=0, chains=10)
    add_set(file, "24x24x3", (24, 24, 3), most_magnitudes=2, random_magnitudes=1, chains=8)
    add_set(file, "16x16x1", (16, 16, 1), most_magnitudes=99, random_magnitudes=2, chains=20)
    add_set(file, "20x12x3", (20, 12, 3), most_magnitudes=3, random_magnitudes=1, chains=10)  # higher than wide
    add_set(file, "9x13x1", (9, 13, 1), most_magnitudes=99, random_magnitudes=2, chains=20)
    return file


if __name__ == "__main__":
    make_or_check(lambda: [operations()], "tests/golden/make_operations.py", tolerance=0)
