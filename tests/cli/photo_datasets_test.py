"""Tests scripts/make-photo-datasets with small stamps, photos, papers and fonts that the test makes itself.

    /usr/bin/python3 tests/cli/photo_datasets_test.py
"""
import importlib.machinery
import importlib.util
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import types
import unittest
from unittest import mock

import numpy as np
from PIL import Image, ImageDraw

SCRIPT = pathlib.Path(__file__).parents[2] / "scripts" / "make-photo-datasets"
LOADER = importlib.machinery.SourceFileLoader("make_photo_datasets", str(SCRIPT))
maker = importlib.util.module_from_spec(importlib.util.spec_from_loader("make_photo_datasets", LOADER))
LOADER.exec_module(maker)

STAMP_FOLDERS = {"bird": "animals/birds", "building": "town/houses/cartoon", "flower": "plants/flowers",
                 "fruit": "food/fruit", "insect": "animals/insects", "mammal": "animals/mammals/cats",
                 "sign": "town/roadsigns", "tool": "household/tools", "vegetable": "food/vegetables",
                 "vehicle": "vehicles/auto"}


def true_type(family, letters):
    """A font file whose letters are bars of different heights."""
    glyphs, offsets, body = [b""], [0], b""  # the first glyph, for unknown characters, is empty
    for number in range(len(letters)):
        top = 300 + 60 * number
        box, points = struct.pack(">hhhhh", 1, 100, 0, 600, top), (100, 500, 0, -500, 0, 0, top, 0)
        glyphs.append(box + struct.pack(">HH4B8h", 3, 0, 1, 1, 1, 1, *points) + b"\0\0")
    for glyph in glyphs:
        body += glyph
        offsets.append(len(body))
    codes = sorted(map(ord, letters))
    segments = [*codes, 0xFFFF]
    count = len(segments)
    cmap = struct.pack(">HHHH", 2 * count, 0, 0, 0) + struct.pack(f">{count}H", *segments) + b"\0\0"
    cmap += struct.pack(f">{count}H", *segments)
    cmap += struct.pack(f">{count}H", *[(i + 1 - code) % 65536 for i, code in enumerate(codes)], 1) + bytes(2 * count)
    cmap = struct.pack(">HHHHI", 0, 1, 3, 1, 12) + struct.pack(">HHH", 4, 6 + len(cmap), 0) + cmap
    names = family.encode("utf-16-be")
    tables = {
        b"cmap": cmap,
        b"glyf": body,
        b"head": struct.pack(">IIIIHHQQhhhhHHhhh", 0x10000, 0, 0, 0x5F0F3CF5, 0, 1000, 0, 0, 0, 0, 600, 900, 0, 8, 2, 1,
                             0),
        b"hhea": struct.pack(">Ihhh", 0x10000, 900, -100, 0) + bytes(24) + struct.pack(">H", 1),
        b"hmtx": struct.pack(">Hh", 700, 100) + bytes(2 * len(letters)),
        b"loca": struct.pack(f">{len(offsets)}I", *offsets),
        b"maxp": struct.pack(">IH", 0x10000, len(glyphs)) + struct.pack(">13H", 4, 1, *[0] * 11),
        b"name": struct.pack(">HHH", 0, 1, 18) + struct.pack(">HHHHHH", 3, 1, 0x409, 1, len(names), 0) + names,
    }
    header, position, data = struct.pack(">IHHHH", 0x10000, len(tables), 0, 0, 0), 12 + 16 * len(tables), b""
    for tag, table in sorted(tables.items()):
        header += tag + struct.pack(">III", 0, position + len(data), len(table))
        data += table + bytes(-len(table) % 4)
    return header + data


def make_sources(folder):
    random = np.random.default_rng(1)
    for name in STAMP_FOLDERS.values():
        (folder / "stamps" / name).mkdir(parents=True)
        for number in range(4):
            stamp = Image.new("RGBA", (60, 50))
            ImageDraw.Draw(stamp).ellipse((5, 5, 50, 40), fill=tuple(random.integers(0, 255, 3).tolist()) + (255,))
            stamp.save(folder / "stamps" / name / f"s{number}.png")
        stamp.save(folder / "stamps" / name / "copy.png")  # must not be divided from its original
    for kind, count in (("backgrounds", 4), ("papers", 3)):
        (folder / kind).mkdir()
        for number in range(count):
            pixels = random.integers(0, 255, (12, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).resize((160, 120)).save(folder / kind / f"{kind}{number}.png")
    (folder / "fonts").mkdir()
    for family in ("Alpha", "Beta", "Gamma", "Gamma Bold"):
        (folder / "fonts" / f"{family}.ttf").write_bytes(true_type(family, maker.LETTERS))
    # This one has no capital letters.
    (folder / "fonts" / "symbols.ttf").write_bytes(true_type("Signs", "0123456789"))


class PhotoDatasetsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        make_sources(cls.folder)
        cls.first = cls.make("first")

    @classmethod
    def run_script(cls, *words, **environment):
        return subprocess.run([sys.executable, "-B", SCRIPT, *words], capture_output=True, text=True, timeout=60,
                              check=False, env={**os.environ, **environment})

    @classmethod
    def sources(cls):
        return [f"--{kind}={cls.folder / kind}" for kind in ("stamps", "backgrounds", "papers", "fonts")]

    @classmethod
    def make(cls, name, *words):
        """{path: bytes} of all files."""
        target = cls.folder / name
        run = cls.run_script(target, "--images=30", "--test-images=20", "--size=64", *cls.sources(), *words)
        assert run.returncode == 0, run.stderr
        return {path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*") if path.is_file()}

    def test_layout(self):
        for name, dataset in maker.DATASETS.items():
            for part, count in (("train", 30), ("test", 20)):
                labels = [dataset.classes[i % len(dataset.classes)] for i in range(count)]
                expected = {f"{name}/{part}/{label}/{i:06d}.jpg" for i, label in enumerate(labels)}
                self.assertEqual({path for path in self.first if path.startswith(f"{name}/{part}/")}, expected)
        self.assertEqual(len(self.first), 3 * (30 + 20 + 1))

    def test_images_are_jpeg_of_the_requested_size(self):
        for path in self.first:
            if path.endswith(".jpg"):
                with Image.open(self.folder / "first" / path) as image:
                    self.assertEqual((image.format, image.mode), ("JPEG", "RGB"))
                    shorter = min(image.size)
                    if path.startswith("objects/"):
                        self.assertTrue(64 <= shorter <= 84 and max(image.size) <= 126, image.size)
                    else:
                        self.assertEqual(image.size, (64, 64))

    def test_runs_are_identical(self):
        self.assertEqual(self.make("second"), self.first)
        other = self.make("other", "--seed=2", "--only=surfaces")
        self.assertTrue(other.items().isdisjoint(self.first.items()))

    def test_more_images_keep_the_first_ones(self):
        more = self.make("more", "--images=40", "--only=glyphs")
        kept = {path: data for path, data in self.first.items() if path.startswith("glyphs/")}
        self.assertEqual({path: more[path] for path in kept}, kept)
        self.assertEqual(len(more), len(kept) + 10 + 1)

    def test_labels(self):
        some = self.make("labels", "--labels=10", "--only=objects")
        self.assertEqual(sum(path.startswith("objects/train/") for path in some), 10)
        self.assertEqual(sum(path.startswith("objects/unlabeled/") for path in some), 20)

    def test_parts_have_no_source_in_common(self):
        for name in maker.DATASETS:
            lines = self.first[f"{name}-sources.txt"].decode().splitlines()
            parts = {part: {line.removeprefix(part) for line in lines if line.startswith(part)}
                     for part in ("train", "test")}
            self.assertTrue(parts["train"] and parts["test"])
            self.assertTrue(parts["train"].isdisjoint(parts["test"]), name)
            if name == "objects":  # s3.png has the same bytes as copy.png, which comes first
                self.assertFalse([source for source in parts["train"] | parts["test"] if source.endswith("/s3")])
            if name == "glyphs":
                self.assertLessEqual({source.strip() for source in parts["train"] | parts["test"] if "font" in source},
                                     {"font family alpha", "font family beta", "font family gamma"})

    def test_a_common_source_is_an_error(self):
        class Leaking:
            classes = ("a", "b")

            def __init__(self, options):
                pass

            def image(self, rng, label, part):
                return Image.new("RGB", (8, 8)), ["stamp of both parts"]

        options = types.SimpleNamespace(folder=self.folder / "leak", images=2, test_images=2, labels=0, seed=1)
        with mock.patch.dict(maker.DATASETS, {"leaking": Leaking}), self.assertRaises(AssertionError):
            maker.make_dataset("leaking", options)

    def test_a_defect_changes_a_small_part_of_the_surface(self):
        dataset = maker.Surfaces(types.SimpleNamespace(size=128, seed=1, papers=self.folder / "papers"))
        plain = Image.new("RGB", (128, 128), (128, 128, 128))
        for label in set(maker.DEFECTS) - {"intact"}:
            for number in range(20):
                changed = np.asarray(getattr(dataset, label)(maker.generator(f"{number}"), plain)).astype(int)
                share = (np.abs(changed - 128).max(axis=2) > 15).mean()
                self.assertTrue(0.0005 < share < 0.06, f"{label} {number}: {share}")

    def test_errors_are_one_line(self):
        fake = self.folder / "bin"
        fake.mkdir()
        (fake / "dpkg-query").write_text("#!/bin/sh\necho installed fonts-lato\n")
        (fake / "dpkg-query").chmod(0o755)
        run = self.run_script(self.folder / "missing", "--only=objects", PATH=str(fake))
        self.assertEqual(run.returncode, 1)
        self.assertEqual(run.stderr.count("\n"), 1)
        self.assertRegex(run.stderr, "missing package tuxpaint-stamps-default; run: apt install "
                                     "--no-install-recommends tuxpaint-stamps-default lomiri-.* mypaint-data-extras\n$")
        run = self.run_script(self.folder / "first", "--only=objects", *self.sources())
        self.assertEqual(run.stderr, f"make-photo-datasets: {self.folder}/first/objects exists; remove it first\n")
        run = self.run_script(self.folder / "none", "--only=surfaces", f"--papers={self.folder / 'stamps/no'}")
        self.assertIn("no papers in", run.stderr)


if __name__ == "__main__":
    unittest.main()
