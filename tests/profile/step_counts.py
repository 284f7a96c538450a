#!/usr/bin/env python3
"""What a tiny training step costs, in numbers that do not depend on the machine's mood, against those stored beside this.

    step_counts.py operators METHOD FRGAN               operators and allocations of a step after warm-up
    step_counts.py instructions METHOD CALLGRIND_STEP   instructions of ten steps under valgrind, one thread

Fails where one is more than 3 % above the stored number; --update stores what is found. Stored are numbers for a release
of LibTorch and a set of its kernels, which is AVX2 wherever the processor has that: all libraries are told so. Where
nothing is stored, exits with 77. docs/performance.md says more.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

STORED = pathlib.Path(__file__).with_name("step_counts.json")
ALLOWED = 3  # %
NOT_STORED = 77
# Libraries choose code by the processor; valgrind's is like Haswell, whatever is below it.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OPENBLAS_CORETYPE": "Haswell",
               "ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "DNNL_MAX_CPU_ISA": "AVX2",
               "MKL_ENABLE_INSTRUCTIONS": "AVX2"}


def run(command):
    done = subprocess.run([str(word) for word in command], env={**os.environ, **ENVIRONMENT}, stdout=subprocess.PIPE,
                          text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"exit code {done.returncode}: {' '.join(map(str, command))}")
    return json.loads(done.stdout)


def count_operators(program, method):
    found = run([program, "bench", f"--method={method}", "--width=0.0625", "--batch-size=4", "--threads=1",
                 "--precision=fp32", "--steps=2", "--images=2000", "--gemm-size=4", "--json=-"])
    return found, {"operators": round(found["operators_per_step"]), "allocations": found["allocations_per_step"]}


def count_instructions(program, method):
    with tempfile.NamedTemporaryFile() as log:
        found = run(["valgrind", "--tool=callgrind", "--instr-atstart=no", "--callgrind-out-file=/dev/null",
                     f"--log-file={log.name}", program, method])
        collected = re.search(r"Collected : (\d+)", log.read().decode())
    if not collected:
        sys.exit("valgrind did not say what it collected")
    return found, {"instructions": int(collected[1]) // found["steps"]}


def findings(found, stored):
    """Two lists of lines: where a number is too high, and where it is so low that a lower one should be stored."""
    high, low = [], []
    for name, number in found.items():
        change = 100 * (number - stored[name]) / stored[name]
        line = f"{name} of a step: {number}, {stored[name]} stored: {change:+.1f} %"
        if change > ALLOWED:
            high.append(line)
        elif change < -ALLOWED:
            low.append(line)
    return high, low


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("what", choices=["operators", "instructions"])
    parser.add_argument("method")
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--update", action="store_true", help=f"stores what is found in {STORED.name}")
    options = parser.parse_args()
    count = count_operators if options.what == "operators" else count_instructions
    machine, found = count(options.program, options.method)
    stored = json.loads(STORED.read_text()) if STORED.exists() else {}
    place = stored.setdefault(f"LibTorch {machine['libtorch']}, {machine['kernels']}", {}).setdefault(options.method, {})
    print(*(f"{name} {number}" for name, number in found.items()), sep=", ")
    if options.update:
        place.update(found)
        STORED.write_text(json.dumps(stored, indent=2, sort_keys=True) + "\n")
        return
    again = f"python3 {pathlib.Path(__file__).name} {options.what} {options.method} {options.program} --update"
    if not found.keys() <= place.keys():
        print(f"nothing is stored for LibTorch {machine['libtorch']} with {machine['kernels']}; store it: {again}")
        sys.exit(NOT_STORED)
    high, low = findings(found, place)
    if low:
        print("fewer, good; store that, so that it stays:", again, *low, sep="\n  ")
    if high:
        sys.exit("\n  ".join(["more than 3 % above what is stored; make it cheaper, or say in the commit what it buys and "
                              f"store it: {again}", *high]))


if __name__ == "__main__":
    main()
