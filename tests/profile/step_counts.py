#!/usr/bin/env python3
"""Compares deterministic costs of a small training step with the values in step_counts.json.

    step_counts.py operators METHOD FRGAN               operators and allocations of one step, after warm-up
    step_counts.py instructions METHOD CALLGRIND_STEP   instructions of one step under valgrind, one thread

Fails if a value is more than 3 % above the stored one; --update stores the measured values. Values are stored per LibTorch
release and kernel set. All libraries are set to AVX2, which is used wherever the processor has it. For a LibTorch release
without stored values, the exit code is 77 (test skipped). See docs/performance.md.
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
# Libraries choose their code by processor. Valgrind emulates a processor like Haswell on every machine.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OPENBLAS_CORETYPE": "Haswell",
               "ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "DNNL_MAX_CPU_ISA": "AVX2",
               "MKL_ENABLE_INSTRUCTIONS": "AVX2"}


def run(command):
    done = subprocess.run([str(word) for word in command], env={**os.environ, **ENVIRONMENT}, stdout=subprocess.PIPE,
                          text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"command failed with exit code {done.returncode}: {' '.join(map(str, command))}")
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
        sys.exit("no 'Collected' line in the log of valgrind")
    return found, {"instructions": int(collected[1]) // found["steps"]}


def findings(found, stored):
    """Returns two lists of lines: values above the tolerance, and values so low that they should be stored."""
    high, low = [], []
    for name, number in found.items():
        change = 100 * (number - stored[name]) / stored[name]
        line = f"{name} per step: {number}, stored {stored[name]} ({change:+.1f} %)"
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
    parser.add_argument("--update", action="store_true", help=f"store the measured values in {STORED.name}")
    options = parser.parse_args()
    count = count_operators if options.what == "operators" else count_instructions
    machine, found = count(options.program, options.method)
    stored = json.loads(STORED.read_text())
    known_release = any(name.startswith(f"LibTorch {machine['libtorch']},") for name in stored)
    place = stored.setdefault(f"LibTorch {machine['libtorch']}, {machine['kernels']}", {}).setdefault(options.method, {})
    print(*(f"{name} {number}" for name, number in found.items()), sep=", ")
    if options.update:
        place.update(found)
        STORED.write_text(json.dumps(stored, indent=2, sort_keys=True) + "\n")
        return
    again = f"python3 {pathlib.Path(__file__).name} {options.what} {options.method} {options.program} --update"
    if not found.keys() <= place.keys():
        print(f"no value is stored for LibTorch {machine['libtorch']} with {machine['kernels']}; to store it, run: {again}")
        sys.exit(1 if known_release else NOT_STORED)
    high, low = findings(found, place)
    if low:
        print("lower than stored; to keep the improvement, run:", again, *low, sep="\n  ")
    if high:
        sys.exit("\n  ".join(["more than 3 % above the stored value; reduce the cost, or justify it in the commit message "
                              f"and run: {again}", *high]))


if __name__ == "__main__":
    main()
