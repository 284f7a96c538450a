#!/usr/bin/env python3
"""export_test.py FRGAN: trains small runs, exports them, and compares model.onnx in onnxruntime with frgan predict. Runs the
Python example of the model card. Needs the Python of scripts/python-tools."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy
import onnx
import onnxruntime
from PIL import Image, ImageOps

import tiny_runs

FRGAN = os.path.abspath(sys.argv.pop(1))
CLASSES = ["checks", "dots", "stripes"]
IMAGES = 201  # of each kind of file; a multiple of the number of classes


def draw(kind, rng):
    """An image of a pattern with random colors, size and noise."""
    height, width = rng.integers(20, 90, 2)
    y, x = numpy.mgrid[:height, :width]
    period = rng.uniform(6, 12)
    phase_y, phase_x = rng.uniform(0, period, 2)
    row, column = (y + phase_y) // (period / 2) % 2, (x + phase_x) // (period / 2) % 2
    mask = {"checks": (row + column) % 2, "dots": row * column, "stripes": row}[kind]
    low, high = rng.uniform(0, 90, 3), rng.uniform(150, 255, 3)
    pixels = low + mask[..., None] * (high - low) + rng.normal(0, 8, (height, width, 1))
    return Image.fromarray(pixels.clip(0, 255).astype(numpy.uint8))


def write_images(folder, count, suffix, seed):
    rng = numpy.random.default_rng(seed)
    for number in range(count):
        kind = CLASSES[number % len(CLASSES)]
        path = folder / kind / f"{number}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        draw(kind, rng).save(path)


def predictions_of(folder, model, images, *options):
    """{path: probabilities in the order of the classes} of frgan predict."""
    process = tiny_runs.start(FRGAN, folder, "predict", model, str(images), "--format", "json", *options)
    code, out, errors = tiny_runs.finish(process)
    assert code == 0, errors
    return {entry["file"]: numpy.array([entry["probabilities"][name] for name in CLASSES]) for entry in json.loads(out)}


class Exported:
    def __init__(self, folder):
        self.model = onnx.load(folder / "model.onnx")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, ["CPUExecutionProvider"])
        self.metadata = self.session.get_modelmeta().custom_metadata_map

    def run(self, pixels):
        return self.session.run(["probabilities", "unknown_score"], {"image": pixels})

    def probabilities_of_file(self, path):
        return self.run(numpy.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))[None])[0][0]


class ExportedRuns(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        write_images(cls.folder / "data/train", 240, "png", 1)
        write_images(cls.folder / "data/test", 60, "png", 2)
        write_images(cls.folder / "png", IMAGES, "png", 3)
        write_images(cls.folder / "jpg", IMAGES, "jpg", 4)
        for name, options in (("color", ["--dev-images", "60"]), ("gray", ["--channels", "1", "--network", "wrn-28-2"])):
            tiny_runs.succeed(tiny_runs.start(
                FRGAN, cls.folder, "train", "--run", name, "--data", "data", "--method", "supervised", "--width", "0.25",
                "--image-size", "32", "--steps", "30", "--batch-size", "32", "--learning-rate", "0.003", "--threads", "1",
                "--precision", "fp32", "--seed", "3", *options))
            tiny_runs.succeed(tiny_runs.start(FRGAN, cls.folder, "export", name, f"exported-{name}"))
        cls.exported = {name: Exported(cls.folder / f"exported-{name}") for name in ("color", "gray")}

    def test_file_is_valid(self):
        for exported in self.exported.values():
            model = exported.model
            onnx.checker.check_model(model, full_check=True)
            self.assertEqual((model.ir_version, model.opset_import[0].version), (8, 13))
            self.assertEqual(json.loads(exported.metadata["class_names"]), CLASSES)
            self.assertEqual([entry.name for entry in exported.session.get_outputs()], ["probabilities", "unknown_score"])

    def test_calibration(self):
        """The color run has development images, to which a temperature is fitted."""
        state = json.loads(next((self.folder / "color/checkpoints").glob("*30/state.json")).read_text())
        temperature = float(self.exported["color"].metadata["temperature"])
        self.assertAlmostEqual(temperature, state["calibration"]["temperature"], places=6)
        self.assertNotEqual(temperature, 1)
        self.assertEqual(self.exported["gray"].metadata["temperature"], "1")
        card = (self.folder / "exported-color/README.md").read_text()
        self.assertIn("fitted to development images", card)
        for row in ("| Macro F1 score |", "| Error of the baseline: guessing |", "| Expected calibration error"):
            self.assertIn(row, card)

    def test_run_is_trained(self):
        summary = json.loads((self.folder / "color/summary.json").read_text())
        self.assertLess(summary["test"]["test_error"], 0.25)

    def test_same_pixels(self):
        for name in ("color", "gray"):
            expected = predictions_of(self.folder, name, "png")
            self.assertEqual(len(expected), IMAGES)
            confidence = numpy.array([probabilities.max() for probabilities in expected.values()])
            self.assertLess(numpy.quantile(confidence, 0.25), 0.99, "probabilities near 0 and 1 would hide differences")
            worst = max(abs(self.exported[name].probabilities_of_file(self.folder / path) - probabilities).max()
                        for path, probabilities in expected.items())
            print(f"{name}: largest difference of {IMAGES} PNG files {worst:.1e}", flush=True)
            self.assertLess(worst, 1e-4)

    def test_files_of_other_decoder(self):
        agreed, total, worst = 0, 0, 0
        for name in ("color", "gray"):
            for path, probabilities in predictions_of(self.folder, name, "jpg").items():
                found = self.exported[name].probabilities_of_file(self.folder / path)
                agreed += found.argmax() == probabilities.argmax()
                worst = max(worst, abs(found - probabilities).max())
                total += 1
        print(f"JPEG files: {agreed} of {total} agree, largest difference {worst:.1e}", flush=True)
        self.assertGreaterEqual(agreed, 0.995 * total)

    def test_rounded_images_agree(self):
        """Images in memory are rounded to bytes; evaluate uses them, predict does not."""
        process = tiny_runs.start(FRGAN, self.folder, "evaluate", "color", "--json")
        code, out, errors = tiny_runs.finish(process)
        self.assertEqual(code, 0, errors)
        found = predictions_of(self.folder, "color", "data/test")
        wrong = sum(CLASSES[probabilities.argmax()] != Path(path).parent.name for path, probabilities in found.items())
        self.assertAlmostEqual(json.loads(out)["error"], wrong / len(found), delta=1.5 / len(found))

    def test_gray_images(self):
        """A gray image equals a color image with three equal channels."""
        pixels = numpy.random.default_rng(5).integers(0, 256, (3, 40, 50, 1), numpy.uint8)
        for exported in self.exported.values():
            for gray, color in zip(exported.run(pixels), exported.run(pixels.repeat(3, axis=3))):
                numpy.testing.assert_allclose(gray, color, atol=1e-5)

    def test_any_size_and_batch(self):
        rng = numpy.random.default_rng(6)
        for size in ((1, 1), (32, 32), (1, 300), (700, 500)):
            pixels = rng.integers(0, 256, (4, *size, 3), numpy.uint8)
            probabilities, scores = self.exported["color"].run(pixels)
            self.assertEqual((probabilities.shape, scores.shape), ((4, 3), (4,)))
            numpy.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
            alone = self.exported["color"].run(pixels[2:3])
            numpy.testing.assert_allclose(alone[0][0], probabilities[2], atol=1e-5)

    def test_frgan_reads_export(self):
        for name in ("color", "gray"):
            expected, found = (predictions_of(self.folder, model, "png") for model in (name, f"exported-{name}"))
            for path, probabilities in expected.items():
                numpy.testing.assert_allclose(found[path], probabilities, atol=1e-4)

    def test_python_example(self):
        folder = self.folder / "exported-color"
        path = self.folder / "jpg/dots/1.jpg"
        (folder / "photo.jpg").write_bytes(path.read_bytes())
        card = (folder / "README.md").read_text()
        example = re.search(r"```python\n(.*?)```", card, re.DOTALL)[1]
        page = Path(__file__).resolve().parents[2] / "docs/export.md"
        self.assertIn(example, page.read_text(), "docs/export.md and the model card differ")
        out = subprocess.run([sys.executable, "-c", example], cwd=folder, capture_output=True, text=True, check=True).stdout
        (folder / "photo.jpg").unlink()
        expected = predictions_of(self.folder, "color", path)[str(path)]
        label, probability, _ = out.split()
        self.assertEqual(label, CLASSES[expected.argmax()])
        self.assertAlmostEqual(float(probability), expected.max(), delta=0.05)


if __name__ == "__main__":
    unittest.main()
