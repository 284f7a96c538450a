"""Images of two classes and training runs of a second on them, for tests that read the files of a run."""

import os
import subprocess

from PIL import Image

SMALL = ["--data", "data", "--image-size", "16", "--width", "0.0625", "--batch-size", "4", "--init-images", "8",
         "--threads", "1", "--precision", "fp32", "--seed", "3"]
GENERATOR = ["--gen-width", "8", "--noise-size", "8"]


def make_images(folder):
    for role, count in (("train", 8), ("test", 5)):
        for name, red in (("ant", 230), ("bee", 60)):
            (folder / role / name).mkdir(parents=True)
            for i in range(count):
                Image.new("RGB", (16, 16), (red, 10 * i, 100)).save(folder / role / name / f"{i}.png")


def start(frgan, folder, *arguments):
    return subprocess.Popen([frgan, *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, "OMP_NUM_THREADS": "1"})


def finish(process):
    """Returns (exit code, stdout, stderr)."""
    out, errors = process.communicate()
    return process.returncode, out, errors


def succeed(process):
    code, _, errors = finish(process)
    assert code == 0, errors
