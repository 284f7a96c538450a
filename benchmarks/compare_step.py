#!/usr/bin/env python3
"""frgan's training step against plain PyTorch's, in turn on this machine: medians of interleaved rounds, and the ratio.

    cmake --build build/release --target step_benchmark
    /usr/bin/python3 benchmarks/compare_step.py --threads 2 --rounds 5

Each round runs `step_benchmark` and pytorch_step.py in both its forms (bf16 only where the processor computes in it),
each in a fresh process; the ratio is that of the better form. Nothing else should be running.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def processor():
    """Name and flags as Linux has them."""
    lines = dict(line.split(":", 1) for line in pathlib.Path("/proc/cpuinfo").read_text().split("\n\n")[0].split("\n"))
    lines = {key.strip(): value.strip() for key, value in lines.items()}
    return lines.get("model name", "unknown"), lines.get("flags", "").split()


def measure(command):
    """The JSON that a benchmark prints in its last line."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed with exit code {done.returncode}")
    return json.loads(done.stdout.strip().split("\n")[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--frgan", type=pathlib.Path, default=HERE.parent / "build/release/bin/step_benchmark",
                        help="the C++ benchmark")
    parser.add_argument("--python", default=sys.executable, help="a Python that has torch")
    parser.add_argument("--method", choices=["fr-gan", "supervised"], default="fr-gan")
    parser.add_argument("--width", type=float, default=1.0, help="share of Table 1's channels")
    parser.add_argument("--batch", type=int, default=100, help="pictures of each kind")
    parser.add_argument("--steps", type=int, default=5, help="timed steps in each process")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=pathlib.Path, help="write the numbers there too")
    options = parser.parse_args()
    if not options.frgan.exists():
        sys.exit(f"{options.frgan}: no such file; build the target step_benchmark, or say where it is with --frgan")

    name, flags = processor()
    work = [f"--{key}={getattr(options, key)}" for key in ("method", "width", "batch", "steps", "threads")]
    commands = {"frgan": [options.frgan, *work]}
    for form in ["fp32", "bf16"] if {"avx512_bf16", "amx_bf16"} & set(flags) else ["fp32"]:
        commands[f"PyTorch {form}"] = [options.python, HERE / "pytorch_step.py", f"--form={form}", *work]

    rounds, versions = {program: [] for program in commands}, {}
    for number in range(options.rounds):
        for program, command in commands.items():
            found = measure(command)
            rounds[program].append(found["seconds_per_step"])
            versions.update({key: found[key] for key in ("commit", "libtorch", "torch") if key in found})
            print(f"round {number + 1} of {options.rounds}: {program} {rounds[program][-1]:.3f} s", file=sys.stderr)

    medians = {program: statistics.median(seconds) for program, seconds in rounds.items()}
    best = min((program for program in medians if program != "frgan"), key=medians.get)
    ratio = medians[best] / medians["frgan"]
    print(f"{name}, {options.threads} threads; {options.method}, width {options.width:g}, batch {options.batch}; "
          f"median (lowest to highest) of {options.rounds} rounds\n")
    print("| program | seconds per step |\n|---|---|")
    for program, seconds in rounds.items():
        print(f"| {program} | {medians[program]:.3f} ({min(seconds):.3f} to {max(seconds):.3f}) |")
    print(f"\nfrgan is {ratio:.2f} times as fast as {best}.")
    if options.json:
        options.json.write_text(json.dumps({
            "processor": name, **versions, "timed_steps": options.steps, "threads": options.threads, "method": options.method, "width": options.width,
            "batch": options.batch, "seconds_per_step": rounds, "medians": medians, "ratio": ratio}, indent=2) + "\n")


if __name__ == "__main__":
    main()
