#!/usr/bin/env python3
"""Compares the training steps of frgan and plain PyTorch: medians of interleaved rounds on this machine, and ratios.

    cmake --build --preset release --target frgan_cli
    /usr/bin/python3 benchmarks/compare_step.py --threads 2 --rounds 5

Each round runs each program in a new process: `frgan bench --step-only` and pytorch_step.py, both in fp32 and, if the
CPU supports it, in bf16. pytorch_step.py runs with every --python, eager and, with PyTorch 2, also compiled. By default,
these are the Python that runs this script, the one of `make test-wheel` and one with the newest PyTorch, if they exist
(`make bench` installs the newest). If frgan has also been built with the LibTorch of the wheel (CMake preset `wheel`), this
build runs too. Finally, frgan measures the rate of matrix products. Nothing else should run meanwhile.
"""
import argparse
import itertools
import json
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parent / "build"


def processor():
    """Name and flags of the CPU from /proc/cpuinfo."""
    lines = dict(line.split(":", 1) for line in pathlib.Path("/proc/cpuinfo").read_text().split("\n\n")[0].split("\n"))
    lines = {key.strip(): value.strip() for key, value in lines.items()}
    return lines.get("model name", "unknown"), lines.get("flags", "").split()


def output_of(command):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"command failed with exit code {done.returncode}: {' '.join(map(str, command))}")
    return done.stdout


def measure(command):
    """Runs a benchmark and returns the JSON that it prints."""
    return json.loads(output_of(command))


def frgan_command(frgan, options, precision):
    loss = [f"--gen-loss={options.gen_loss}"] if options.method == "fr-gan" else []
    return [frgan, "bench", f"--method={options.method}", f"--width={options.width}", f"--batch-size={options.batch}",
            *loss, f"--steps={options.steps}", f"--threads={options.threads}", f"--precision={precision}", "--json=-"]


def pytorch_command(python, options, form, compiled):
    work = [f"--{key}={getattr(options, key)}" for key in ("method", "width", "batch", "steps", "threads")]
    work.append(f"--gen-loss={options.gen_loss}")
    work += ["--compile"] * compiled
    return [python, HERE / "pytorch_step.py", f"--form={form}", *work]


class Programs:
    """The programs of a round as {name: command}, and their names by kind."""

    def __init__(self, options, precisions):
        self.commands, self.frgan = {}, {}  # names by (program, precision)
        self.pytorch = {}  # precisions by name
        self.precisions = precisions
        frgans = {"frgan": options.frgan}
        if options.wheel_frgan.exists():
            frgans["frgan on the wheel's LibTorch"] = options.wheel_frgan
        else:
            print(f"note: no {options.wheel_frgan} (built by make test-wheel): frgan runs with one LibTorch only",
                  file=sys.stderr)
        for name, path in frgans.items():
            for precision in precisions:
                self.frgan[name, precision] = f"{name} {precision}"
                self.commands[f"{name} {precision}"] = [*frgan_command(path, options, precision), "--step-only"]
        self.paths = frgans
        for python in options.python:
            version = output_of([python, "-c", "import torch; print(torch.__version__)"]).strip()
            for form, compiled in itertools.product(precisions, [False, True][:1 if version.startswith("1.") else 2]):
                name = f"PyTorch {version}{' compiled' * compiled} {form}"
                if name in self.commands:
                    sys.exit(f"{python}: duplicate program {name}; give each PyTorch version once")
                self.pytorch[name] = form
                self.commands[name] = pytorch_command(python, options, form, compiled)


def ratios(programs, medians):
    """Compares frgan in its default precision with the fastest PyTorch, and in fp32 with the fastest fp32 one."""
    rows = []
    for (_, precision), name in programs.frgan.items():
        rivals = [other for other, form in programs.pytorch.items()
                  if precision == programs.precisions[0] or form == precision]
        rival = min(rivals, key=medians.get)
        rows.append({"program": name, "rival": rival, "ratio": medians[rival] / medians[name]})
    return rows


def pythons(options):
    if options.python:
        return options.python
    found = [sys.executable]
    for python, origin in [(options.wheel_python, "make test-wheel"), (options.newest_python, "make bench")]:
        if not python.exists():
            print(f"note: no {python} (from {origin}): its PyTorch is not measured", file=sys.stderr)
        elif str(python) not in found:
            found.append(str(python))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--frgan", type=pathlib.Path, default=BUILD / "release/bin/frgan", help="the frgan program")
    parser.add_argument("--wheel-frgan", type=pathlib.Path, default=BUILD / "wheel/bin/frgan",
                        help="frgan built with the LibTorch of pip (optional)")
    parser.add_argument("--python", action="append", help="a Python with torch; may be repeated")
    parser.add_argument("--wheel-python", type=pathlib.Path, default=BUILD / "torch-wheel/bin/python3",
                        help="the Python whose LibTorch CI tests (optional)")
    parser.add_argument("--newest-python", type=pathlib.Path, default=BUILD / "torch-newest/bin/python3",
                        help="a Python with the newest torch of pip (optional)")
    parser.add_argument("--method", choices=["fr-gan", "supervised"], default="fr-gan")
    parser.add_argument("--width", type=float, default=1.0, help="factor on the channel counts of Table 1")
    parser.add_argument("--batch", type=int, default=100, help="number of images of each kind per step")
    parser.add_argument("--gen-loss", choices=["nonsaturating", "feature_matching"], default="nonsaturating")
    parser.add_argument("--steps", type=int, default=5, help="timed steps per process")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--gemm-size", type=int, default=4096, help="size n of the largest timed n x n matrix products")
    parser.add_argument("--json", type=pathlib.Path, help="also write the results to this JSON file")
    options = parser.parse_args()
    if not options.frgan.exists():
        sys.exit(f"{options.frgan}: no such file; build the target frgan_cli, or pass the program with --frgan")

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

    gemm = {program: measure([*frgan_command(path, options, precisions[0]), f"--gemm-size={options.gemm_size}"])
            ["gemm_gflop_per_second"] for program, path in programs.paths.items()}
    gflop = found[programs.frgan["frgan", "fp32"]]["gflop_per_step"]
    shares = {name_of_frgan: gflop / medians[name_of_frgan] / gemm[program][precision]
              for (program, precision), name_of_frgan in programs.frgan.items()}
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
