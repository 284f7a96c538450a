"""Writes the test images in this folder that OpenCV cannot write: with EXIF orientation, alpha or 16 bits.

Needs: pip install pillow numpy (made with pillow 13.0, numpy 2.4). image_file_test.cpp contains the expected values.
"""
import pathlib

import numpy
from PIL import Image

HERE = pathlib.Path(__file__).parent
# Four quadrants as stored in the file: red, blue / green, white. Orientation 6 rotates them clockwise.
stored = numpy.zeros((16, 32, 3), numpy.uint8)
stored[:8, :16], stored[:8, 16:] = (255, 0, 0), (0, 0, 255)
stored[8:, :16], stored[8:, 16:] = (0, 255, 0), (255, 255, 255)
image = Image.fromarray(stored)


def turned(orientation):
    exif = Image.Exif()
    exif[0x112] = orientation
    return exif


image.save(HERE / "turned.png", exif=turned(6))
image.save(HERE / "turned.jpg", exif=turned(6), quality=95, subsampling=0)
for orientation in range(1, 9):
    image.save(HERE / f"turned{orientation}.webp", exif=turned(orientation), lossless=True)

# Half transparent: the reader keeps the colors and drops the alpha.
image.putalpha(Image.fromarray(numpy.tile(numpy.uint8([0, 128] * 16), (16, 1))))
image.save(HERE / "alpha.png")
image.save(HERE / "alpha.webp", lossless=True, exact=True)
Image.fromarray(numpy.uint16([[0, 255, 256], [65535, 32768, 511]])).save(HERE / "16bit.png")
