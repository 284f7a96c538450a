#!/usr/bin/env python3
"""What a test error costs: TFLOP, and seconds here and in plain PyTorch, until the mean over runs goes below a level.

    python3 benchmarks/learning_cost.py results/svhn-1000-fast/seed-* --steps-of results/step-fast.json

Runs are folders of `frgan train` that differ in their seed alone and evaluated at the same steps; the error is that of
the averaged weights. A run's own seconds depend on what else the machine did, so seconds are steps times the median step
of `compare_step.py --json`: computed for ours and theirs alike. PyTorch's would see the same errors at the same steps.
"""
import argparse
import json
import pathlib
import statistics
import sys

LEVELS = (30, 20, 15, 10)  # per cent


def test_errors(run):
    """{step: test error in per cent} of a run."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return {line["step"]: 100 * line["test_error"] for line in lines if "test_error" in line}


def mean_curve(curves):
    """{step: mean error} at the steps that all have."""
    steps = sorted(set.intersection(*(set(curve) for curve in curves)))
    if not steps:
        sys.exit("the runs have no step in common at which they were evaluated")
    return {step: statistics.mean(curve[step] for curve in curves) for step in steps}


def first_below(curve, level):
    """The first step whose error is below the level; None where there is none."""
    return next((step for step, error in curve.items() if error < level), None)


def programs(steps_of):
    """{name: seconds of a step}: frgan's default form, and PyTorch's fastest."""
    medians = json.loads(steps_of.read_text())["medians"]
    ours = min((name for name in medians if name.split()[0] == "frgan" and "wheel" not in name), key=medians.get)
    theirs = min((name for name in medians if name.startswith("PyTorch")), key=medians.get)
    return {name: medians[name] for name in (ours, theirs)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("runs", nargs="+", type=pathlib.Path)
    parser.add_argument("--steps-of", type=pathlib.Path, help="what compare_step.py wrote of the same step")
    options = parser.parse_args()

    summaries = [json.loads((run / "summary.json").read_text()) for run in options.runs]
    works = {summary["gflop_per_step"] for summary in summaries}
    if len(works) > 1:
        sys.exit(f"the runs' steps differ: {sorted(works)} GFLOP")
    gflop = works.pop()
    curves = [test_errors(run) for run in options.runs]
    curve, seconds = mean_curve(curves), programs(options.steps_of) if options.steps_of else {}

    print("| mean test error | steps | TFLOP |" + "".join(f" {name}, s |" for name in seconds) + " runs there |")
    print("|---|---|---|" + "---|" * len(seconds) + "---|")
    for level in LEVELS:
        step = first_below(curve, level)
        if step is None:
            print(f"| below {level} % | not reached | |" + " |" * len(seconds) + " |")
            continue
        there = sum(each[step] < level for each in curves)
        times = "".join(f" {step * each:.0f} |" for each in seconds.values())
        print(f"| below {level} % | {step} | {step * gflop / 1e3:.0f} |{times} {there} of {len(curves)} |")
    last = max(curve)
    finals = [each[last] for each in curves]
    spread = f" ± {statistics.stdev(finals):.2f}" if len(finals) > 1 else ""
    print(f"\nAfter {last} steps, {last * gflop / 1e3:.0f} TFLOP: {statistics.mean(finals):.2f}{spread} % "
          f"({', '.join(f'{error:.2f}' for error in finals)}).")


if __name__ == "__main__":
    main()
