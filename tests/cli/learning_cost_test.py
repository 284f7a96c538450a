#!/usr/bin/env python3
"""Tests benchmarks/learning_cost.py on two runs with known errors.

    learning_cost_test.py SCRIPT
"""
import json
import pathlib
import subprocess
import sys
import tempfile


def write_run(folder, errors, gflop=2.0):
    folder.mkdir()
    lines = [{"step": 100, "losses": {}}]
    lines += [{"step": 1000 * (i + 1), "test_error": error} for i, error in enumerate(errors)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "summary.json").write_text(json.dumps({"gflop_per_step": gflop}))


def main():
    script = sys.argv[1]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_run(folder / "one", [0.40, 0.25, 0.12, 0.11])
        write_run(folder / "two", [0.22, 0.15, 0.18, 0.13])
        write_run(folder / "other", [0.5], gflop=1.0)
        medians = {"frgan bf16": 0.5, "frgan fp32": 0.75, "frgan on the wheel's LibTorch bf16": 0.25,
                   "PyTorch 1 fp32": 2.0, "PyTorch 2 bf16": 1.0}
        (folder / "steps.json").write_text(json.dumps({"medians": medians}))

        def output(*runs):
            command = [sys.executable, "-B", script, *(folder / run for run in runs), "--steps-of", folder / "steps.json"]
            return subprocess.run(command, capture_output=True, text=True, check=False)

        found = output("one", "two").stdout
        for expected in ("| mean test error | steps | TFLOP | frgan bf16, s | PyTorch 2 bf16, s | runs below |",
                         "| below 30 % | 2000 | 4 | 1000 | 2000 | 2 of 2 |",
                         "| below 20 % | 3000 | 6 | 1500 | 3000 | 2 of 2 |",
                         "| below 15 % | 4000 | 8 | 2000 | 4000 | 2 of 2 |",
                         "| below 10 % | not reached |",
                         "After 4000 steps, 8 TFLOP: 12.00 ± 1.41 % (11.00, 13.00)."):
            if expected not in found:
                sys.exit(f"expected {expected!r} in\n{found}")
        refused = output("one", "other")
        if refused.returncode == 0 or "differ in GFLOP per step" not in refused.stderr:
            sys.exit(f"runs with different work per step were accepted: {refused.stderr}")


if __name__ == "__main__":
    main()
