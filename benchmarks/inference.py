#!/usr/bin/env python3
"""Times `frgan evaluate` and `frgan predict` as whole processes, and compares with their convolutions alone.

    /usr/bin/python3 benchmarks/inference.py --data-dir data/svhn

Trains a network of Table 1 for one step. Each round then times `evaluate` on 26,032 SVHN images, and `predict` on 10,000
PNG files of 32x32. The SVHN images are training images, as many as the official test set has. Each round also times the
convolutions for the same number of images in `frgan bench`, and `predict` on large images, where decoding dominates.
Nothing else should run meanwhile.
"""
import argparse
import json
import os
import pathlib
import random
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import zlib

HERE = pathlib.Path(__file__).resolve().parent
PHOTOS, PHOTO_SIZE = 40, (2048, 1536)


def run(*words):
    """Runs a command that must succeed, and returns (seconds, stdout)."""
    begin = time.perf_counter()
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begin
    if done.returncode != 0:
        sys.exit(f"command failed with exit code {done.returncode}: {' '.join(map(str, words))}\n{done.stderr}")
    return seconds, done.stdout


def write_png(path, width, height, rng):
    """Writes slightly noisy blocks of random colors, which compress like a natural image."""
    block = max(1, width // 8)
    rows = []
    for y in range(height):
        if y % block == 0:
            colors = [rng.randbytes(3) for _ in range(-(-width // block))]
            row = bytearray(b"".join(color * block for color in colors)[:3 * width])
        for _ in range(width // 4):
            row[rng.randrange(len(row))] = rng.randrange(256)
        rows.append(b"\0" + bytes(row))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"".join(rows), 6))
                     + chunk(b"IEND", b""))


def write_images(folder, count, width, height, distinct=None):
    """Writes `count` PNG files. Only the first `distinct` are different; the others are copies."""
    folder.mkdir()
    rng = random.Random(1)
    distinct = distinct or count
    for i in range(count):
        path = folder / f"{i:05}.png"
        if i < distinct:
            write_png(path, width, height, rng)
        else:
            path.write_bytes((folder / f"{i % distinct:05}.png").read_bytes())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--frgan", type=pathlib.Path, default=HERE.parent / "build/release/bin/frgan")
    parser.add_argument("--data", default="svhn", help="dataset with the images for evaluate")
    parser.add_argument("--data-dir", required=True, help="folder with the files of the dataset")
    parser.add_argument("--width", type=float, default=1.0, help="factor on the channel counts of Table 1")
    parser.add_argument("--evaluated", type=int, default=26032, help="images for evaluate; SVHN's test set has 26032")
    parser.add_argument("--images", type=int, default=10000, help="PNG files for predict")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=pathlib.Path, help="also write the results to this JSON file")
    options = parser.parse_args()

    threads = f"--threads={options.threads}"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_images(folder / "small", options.images, 32, 32)
        write_images(folder / "one", 1, 32, 32)
        write_images(folder / "photos", PHOTOS, *PHOTO_SIZE, distinct=4)
        run(options.frgan, "train", "--method=supervised", f"--data={options.data}", f"--data-dir={options.data_dir}",
            f"--width={options.width}", "--labels=1000", f"--dev-images={options.evaluated}", "--steps=1",
            threads, f"--run={folder / 'run'}")
        bench = [options.frgan, "bench", "--method=supervised", f"--width={options.width}", "--steps=1", "--gemm-size=4",
                 threads, "--json=-"]

        def predict(images):
            return run(options.frgan, "predict", folder / "run", folder / images, threads,
                       f"--output={folder / 'out.csv'}")[0]

        rows = []
        for number in range(options.rounds):
            evaluate, _ = run(options.frgan, "evaluate", folder / "run", "--on=dev", threads)
            small = predict("small")
            found = json.loads(run(*bench)[1])
            alone = found["classification"]["convolution_seconds_alone"] / found["classification"]["images"]
            network = found["classification"]["seconds"] / found["classification"]["images"]
            rows.append({"evaluate_seconds": evaluate, "predict_seconds": small, "one_image_seconds": predict("one"),
                         "photos_seconds": predict("photos"), "network_seconds_per_image": network,
                         "convolution_seconds_per_image": alone,
                         "evaluate_ratio": evaluate / (options.evaluated * alone),
                         "predict_ratio": small / (options.images * alone)})
            print(f"round {number + 1} of {options.rounds}: " +
                  ", ".join(f"{key} {value:.4g}" for key, value in rows[-1].items()), file=sys.stderr)

    middle = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
    print(f"{found['processor']}, {found['capability']}, {found['precision']}, {options.threads} threads; "
          f"{found['commit']}; medians of {options.rounds} rounds\n")
    print("| command | images | process, s | convolutions alone, s | ratio |\n|---|---|---|---|---|")
    for command, images in (("evaluate", options.evaluated), ("predict", options.images)):
        alone = images * middle["convolution_seconds_per_image"]
        print(f"| {command} | {images} | {middle[command + '_seconds']:.2f} | {alone:.2f} | "
              f"{middle[command + '_ratio']:.2f} |")
    decoding = (middle["photos_seconds"] - middle["one_image_seconds"]) / PHOTOS
    print(f"\nA process with one image takes {middle['one_image_seconds']:.2f} s. Decoding and classifying a PNG of "
          f"{PHOTO_SIZE[0]} x {PHOTO_SIZE[1]} takes {1e3 * decoding:.1f} ms, of which the network takes "
          f"{1e3 * middle['network_seconds_per_image']:.2f} ms.")
    if options.json:
        options.json.write_text(json.dumps({
            "processor": found["processor"], "capability": found["capability"], "commit": found["commit"],
            "libtorch": found["libtorch"], "precision": found["precision"], "threads": options.threads,
            "evaluated": options.evaluated, "width": options.width, "predicted": options.images,
            "photos": PHOTOS, "photo_size": PHOTO_SIZE, "rounds": rows, "medians": middle}, indent=2) + "\n")


if __name__ == "__main__":
    main()
