#!/usr/bin/env python3
"""Checks the commands in README.md.

    readme_test.py FRGAN README

Runs the frgan commands of code blocks in order, in a folder with the small images that they refer to. Time budgets are
cut to 15 seconds. Commands with --encoder need weights from the Internet, so they are not run; their options must exist,
as must those of commands within the text. Each `make TARGET` must be in the Makefile.
"""
import os
import pathlib
import random
import re
import shlex
import struct
import subprocess
import sys
import tempfile
import zlib


def write_image(path, rng):
    """Writes a small PNG of random colors, also to .jpg names: frgan detects image formats by content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    side = rng.randint(20, 40)
    rows = b"".join(b"\0" + rng.randbytes(3 * side) for _ in range(side))

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) +
                     chunk(b"IEND", b""))


def lay_out_images(folder):
    rng = random.Random(1)
    for part, count in (("train/cat", 6), ("train/dog", 6), ("unlabeled", 12), ("test/cat", 3), ("test/dog", 3)):
        for number in range(count):
            write_image(folder / "pets" / part / f"{number}.jpg", rng)
    for number in range(3):
        write_image(folder / "new" / f"{number}.jpg", rng)


def run(command, folder, environment):
    command = re.sub(r"--time-budget \S+", "--time-budget 15s", command)
    print("$", command, flush=True)
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, check=False)
    return [f"exit code {done.returncode}: {command}"] if done.returncode != 0 else []


def unknown_options(program, command):
    """Errors for the options in `command` that its --help does not list."""
    words = shlex.split(command)[1:]
    if not words or words[0].startswith("-"):
        page = subprocess.run([program, "--help"], stdout=subprocess.PIPE, text=True, check=False).stdout
    else:
        done = subprocess.run([program, words[0], "--help"], stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            return [f"unknown command: {command}"]
        page = done.stdout
    known = set(re.findall(r"--(?:\[no-\])?([a-z0-9-]+)", page))
    return [f"unknown option {option}: {command}" for option in words if option.startswith("--")
            and option[2:].split("=")[0] not in known]


def main():
    program, readme = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    text = readme.read_text(encoding="utf-8")
    blocks = [line.strip() for line in text.split("\n") if line.startswith("    ")]
    commands = [line.split("  #")[0] for line in blocks if line.startswith("frgan ")]
    targets = re.findall(r"\bmake ([a-z-]+)\s+#", text) + re.findall(r"`make ([a-z-]+)`", text)
    makefile = (readme.parent / "Makefile").read_text(encoding="utf-8")
    failures = [f"unknown make target: {target}" for target in targets
                if not re.search(rf"^{target}:", makefile, re.MULTILINE)]
    if not commands or not targets:
        failures.append("README.md contains no commands")
    for inline in re.findall(r"`(?:build/release/bin/)?(frgan [^`]+)`", text):
        if "COMMAND" not in inline:
            failures += unknown_options(program, inline)

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        lay_out_images(folder)
        environment = dict(os.environ, PATH=f"{program.parent}:{os.environ['PATH']}")
        for command in commands:
            if "--encoder" in command:
                print("NOT RUN, needs published weights:", command)
                failures += unknown_options(program, command)
            else:
                failures += run(command, folder, environment)
    sys.exit("\n".join(failures) if failures else 0)


if __name__ == "__main__":
    main()
