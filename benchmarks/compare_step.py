#!/usr/bin/env python3
"""frgan's training step against plain PyTorch's, in turn on this machine: medians of interleaved rounds, and their ratios.

    cmake --build --preset release --target frgan_cli
    /usr/bin/python3 benchmarks/compare_step.py --threads 2 --rounds 5

Programs, each in a fresh process in each round: `frgan bench --step-only` and pytorch_step.py, both in fp32 and, where
the processor computes in it, in bf16. pytorch_step.py runs under every --python; without one, under the Python that runs
this, and under that of `make test-wheel` where it is. frgan on the LibTorch of that wheel (the preset `wheel`) runs too
where it has been built. At the end frgan measures the rate of matrix products. Nothing else should be running.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parent / "build"


def processor():
    """Name and flags as Linux has them."""
    lines = dict(line.split(":", 1) for line in pathlib.Path("/proc/cpuinfo").read_text().split("\n\n")[0].split("\n"))
    lines = {key.strip(): value.strip() for key, value in lines.items()}
    return lines.get("model name", "unknown"), lines.get("flags", "").split()


def output_of(command):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed with exit code {done.returncode}")
    return done.stdout


def measure(command):
    """The JSON that a benchmark prints."""
    return json.loads(output_of(command))


def ours(frgan, options, precision):
    loss = [f"--gen-loss={options.gen_loss}"] if options.method == "fr-gan" else []
    return [frgan, "bench", f"--method={options.method}", f"--width={options.width}", f"--batch-size={options.batch}",
            *loss, f"--steps={options.steps}", f"--threads={options.threads}", f"--precision={precision}", "--json=-"]


def theirs(python, options, form):
    work = [f"--{key}={getattr(options, key)}" for key in ("method", "width", "batch", "steps", "threads")]
    work.append(f"--gen-loss={options.gen_loss}")
    return [python, HERE / "pytorch_step.py", f"--form={form}", *work]


class Programs:
    """What runs in each round: {name: command}, and which of the names are what."""

    def __init__(self, options, precisions):
        self.commands, self.frgan, self.pytorch = {}, {}, {}  # names by (program, precision)
        self.precisions = precisions
        frgans = {"frgan": options.frgan}
        if options.wheel_frgan.exists():
            frgans["frgan on the wheel's LibTorch"] = options.wheel_frgan
        else:
            print(f"note: {options.wheel_frgan} is not there (make test-wheel): frgan runs on one LibTorch alone",
                  file=sys.stderr)
        for name, path in frgans.items():
            for precision in precisions:
                self.frgan[name, precision] = f"{name} {precision}"
                self.commands[f"{name} {precision}"] = [*ours(path, options, precision), "--step-only"]
        self.paths = frgans
        for python in options.python:
            version = output_of([python, "-c", "import torch; print(torch.__version__)"]).strip()
            for form in precisions:
                name = f"PyTorch {version} {form}"
                if name in self.commands:
                    sys.exit(f"{python}: there is a {name} already")
                self.pytorch[version, form] = name
                self.commands[name] = theirs(python, options, form)


def ratios(programs, medians):
    """Ours in the precision that it takes by itself against the best of all, and in fp32 against the best in fp32."""
    rows = []
    for (_, precision), name in programs.frgan.items():
        rivals = [other for (_, form), other in programs.pytorch.items()
                  if precision == programs.precisions[0] or form == precision]
        rival = min(rivals, key=medians.get)
        rows.append({"program": name, "rival": rival, "ratio": medians[rival] / medians[name]})
    return rows


def pythons(options):
    if options.python:
        return options.python
    if not options.wheel_python.exists():
        print(f"note: {options.wheel_python} is not there (make test-wheel, or WHEEL_PYTHON): without the PyTorch of "
              "pip", file=sys.stderr)
        return [sys.executable]
    return [sys.executable] + [options.wheel_python] * (str(options.wheel_python) != sys.executable)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--frgan", type=pathlib.Path, default=BUILD / "release/bin/frgan", help="our program")
    parser.add_argument("--wheel-frgan", type=pathlib.Path, default=BUILD / "wheel/bin/frgan",
                        help="the same on the LibTorch of pip, which may be missing")
    parser.add_argument("--python", action="append", help="a Python that has torch; again for another")
    parser.add_argument("--wheel-python", type=pathlib.Path, help="a Python that has the torch of pip, which may be missing",
                        default=os.environ.get("WHEEL_PYTHON", BUILD / "torch-wheel/bin/python3"))
    parser.add_argument("--method", choices=["fr-gan", "supervised"], default="fr-gan")
    parser.add_argument("--width", type=float, default=1.0, help="share of Table 1's channels")
    parser.add_argument("--batch", type=int, default=100, help="images of each kind")
    parser.add_argument("--gen-loss", choices=["nonsaturating", "feature_matching"], default="nonsaturating")
    parser.add_argument("--steps", type=int, default=5, help="timed steps in each process")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--gemm-size", type=int, default=4096, help="n of the largest matrices whose products are timed")
    parser.add_argument("--json", type=pathlib.Path, help="write the numbers there too")
    options = parser.parse_args()
    if not options.frgan.exists():
        sys.exit(f"{options.frgan}: no such file; build the target frgan_cli, or say where it is with --frgan")

    name, flags = processor()
    precisions = ["bf16", "fp32"] if {"avx512_bf16", "amx_bf16"} & set(flags) else ["fp32"]
    options.python = pythons(options)
    programs = Programs(options, precisions)
    rounds, found = {program: [] for program in programs.commands}, {}
    for number in range(options.rounds):
        for program, command in programs.commands.items():
            found[program] = measure(command)
            rounds[program].append(found[program]["seconds_per_step"])
            print(f"round {number + 1} of {options.rounds}: {program} {rounds[program][-1]:.3f} s", file=sys.stderr)
    medians = {program: statistics.median(seconds) for program, seconds in rounds.items()}

    gemm = {program: measure([*ours(path, options, precisions[0]), f"--gemm-size={options.gemm_size}"])
            ["gemm_gflop_per_second"] for program, path in programs.paths.items()}
    gflop = found[programs.frgan["frgan", "fp32"]]["gflop_per_step"]
    shares = {ours_name: gflop / medians[ours_name] / gemm[program][precision]
              for (program, precision), ours_name in programs.frgan.items()}
    compared = ratios(programs, medians)

    example = found[programs.frgan["frgan", "fp32"]]
    print(f"{name}, {example['capability']}, {options.threads} threads; {options.method}, width {options.width:g}, batch "
          f"{options.batch}, {options.gen_loss}, {gflop:.4g} GFLOP; frgan {example['commit']}; "
          f"median (lowest to highest) of {options.rounds} rounds\n")
    print("| program | seconds per step | GFLOP/s | share of its GEMM rate |\n|---|---|---|---|")
    for program, seconds in rounds.items():
        share = f"{100 * shares[program]:.1f} %" if program in shares else ""
        print(f"| {program} | {medians[program]:.3f} ({min(seconds):.3f} to {max(seconds):.3f}) | "
              f"{gflop / medians[program]:.4g} | {share} |")
    print()
    for program, rates in gemm.items():
        text = ", ".join(f"{precision} {rate:.4g}" for precision, rate in rates.items() if rate)
        print(f"GEMM rate of {program}: {text} GFLOP/s.")
    for row in compared:
        print(f"{row['program']} is {row['ratio']:.2f} times as fast as {row['rival']}.")
    if options.json:
        options.json.write_text(json.dumps({
            "processor": name, "capability": example["capability"], "commit": example["commit"],
            "libtorch": {program: found[programs.frgan[program, "fp32"]]["libtorch"] for program in programs.paths},
            "timed_steps": options.steps, "threads": options.threads, "method": options.method, "width": options.width,
            "gen_loss": options.gen_loss, "batch": options.batch, "gflop_per_step": gflop, "seconds_per_step": rounds,
            "medians": medians, "gemm_gflop_per_second": gemm, "share_of_gemm_rate": shares,
            "ratios": compared}, indent=2) + "\n")


if __name__ == "__main__":
    main()
