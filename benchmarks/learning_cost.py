#!/usr/bin/env python3
"""Cost to reach a test error: TFLOP, and seconds in frgan and plain PyTorch, until the mean over runs is below a level.

    python3 benchmarks/learning_cost.py results/svhn-1000-fast/seed-* --steps-of results/step-fast.json

The runs are folders of `frgan train` that differ in the seed only and were evaluated at the same steps. The error is
that of the averaged weights. The measured seconds of a run depend on other load. The seconds printed here are
therefore steps times the median step time from `compare_step.py --json`, for both programs. PyTorch is assumed to
reach the same errors at the same steps.
"""
import argparse
import json
import pathlib
import statistics
import sys

LEVELS = (30, 20, 15, 10)  # percent


def test_errors(run):
    """Returns {step: test error in percent} of a run."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return {line["step"]: 100 * line["test_error"] for line in lines if "test_error" in line}


def mean_curve(curves):
    """Returns {step: mean error} at the steps that all curves have."""
    steps = sorted(set.intersection(*(set(curve) for curve in curves)))
    if not steps:
        sys.exit("the runs have no common evaluation step; pass runs that were evaluated at the same steps")
    return {step: statistics.mean(curve[step] for curve in curves) for step in steps}


def first_below(curve, level):
    """Returns the first step with an error below the level, or None."""
    return next((step for step, error in curve.items() if error < level), None)


def programs(steps_of):
    """Returns {name: seconds per step} of the fastest frgan (not on the wheel) and the fastest PyTorch program."""
    medians = json.loads(steps_of.read_text())["medians"]
    ours = min((name for name in medians if name.split()[0] == "frgan" and "wheel" not in name), key=medians.get)
    theirs = min((name for name in medians if name.startswith("PyTorch")), key=medians.get)
    return {name: medians[name] for name in (ours, theirs)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("runs", nargs="+", type=pathlib.Path)
    parser.add_argument("--steps-of", type=pathlib.Path, help="JSON file that compare_step.py wrote for the same step")
    options = parser.parse_args()

    summaries = [json.loads((run / "summary.json").read_text()) for run in options.runs]
    works = {summary["gflop_per_step"] for summary in summaries}
    if len(works) > 1:
        sys.exit(f"the runs differ in GFLOP per step: {sorted(works)}; pass runs of one configuration")
    gflop = works.pop()
    curves = [test_errors(run) for run in options.runs]
    curve, seconds = mean_curve(curves), programs(options.steps_of) if options.steps_of else {}

    print("| mean test error | steps | TFLOP |" + "".join(f" {name}, s |" for name in seconds) + " runs below |")
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
