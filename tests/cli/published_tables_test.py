#!/usr/bin/env python3
"""Checks that the records in each folder of ROOT/results reproduce the tables there: published_tables_test.py FRGAN ROOT.

Folders with a plan NAME.toml have the tables NAME.*. The others are named BUDGET[-N-steps][-MACHINE]. Tables are made from the records alone, so no dataset is needed.
"""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM, ROOT = sys.argv[1], Path(sys.argv[2])


def write_tables(command, name, folder, options, work):
    done = subprocess.run([PROGRAM, command, name, "--tables-only", "--runs", work / "no-runs", "--output", folder, *options],
                          env={**os.environ, "FRGAN_DATA": str(work / "no-data")}, cwd=work, text=True, capture_output=True)
    assert done.returncode == 0, f"{folder.name}, {name}: exit code {done.returncode}\n{done.stderr}"


def check(folder, work):
    budget, *rest = folder.name.split("-")
    options = ["--budget", budget, *(["--steps", rest[0]] if "steps" in rest else [])]
    tables = {name: ("reproduce", name, options) for name in ("table2", "table3", "figure4")}
    tables |= {plan.stem: ("sweep", plan, []) for plan in folder.glob("*.toml")}
    copy = work / folder.name
    shutil.copytree(folder, copy)
    checked = 0
    for name, (command, plan, options) in tables.items():
        published = sorted(path for path in folder.glob(f"{name}.*") if path.suffix != ".toml")
        if not published:
            continue
        for path in published:
            (copy / path.name).unlink()
        write_tables(command, plan, copy, options, work)
        for path in published:
            assert (copy / path.name).read_text() == path.read_text(), f"{path}: not reproduced from its records"
            checked += 1
    print(f"{folder.name}: {checked} files match their records", flush=True)
    return checked


def main():
    with tempfile.TemporaryDirectory() as work:
        checked = [check(path.parent, Path(work)) for path in sorted((ROOT / "results").glob("*/runs"))]
    assert all(checked) and sum(checked) >= 25, checked


main()
