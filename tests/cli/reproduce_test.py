#!/usr/bin/env python3
"""Runs every `frgan reproduce` target with --budget smoke: reproduce_test.py FRGAN ROOT FOLDER.

ROOT is the source tree. The test uses the first images of SVHN from ROOT/../shared/data/svhn if it exists, else random images,
in files of SVHN's format. Reading the whole dataset would take most of the time of these short runs. FOLDER keeps the
images for later calls; runs and results are deleted at the end.
"""
import csv
import json
import lzma
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PROGRAM, ROOT, FOLDER = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
LIMIT = 120  # seconds for each
DATA = FOLDER / "svhn"
COUNTS = {"train": 6000, "test": 300}  # images
WORK = FOLDER / "work"


def prepare_images():
    if (DATA / "complete").exists():
        return
    import numpy
    import scipy.io
    shutil.rmtree(DATA, ignore_errors=True)
    DATA.mkdir(parents=True)
    svhn = ROOT.parent / "shared/data/svhn"
    if svhn.exists():
        sys.path.insert(0, str(svhn))
        from svhn import decode
    for role, count in COUNTS.items():
        if svhn.exists():
            part = json.loads((svhn / "index.json").read_text())[role]["parts"][0]
            images = decode(lzma.decompress((svhn / part["file"]).read_bytes()), part["images"])[:count]
            labels = numpy.frombuffer((svhn / f"{role}.labels").read_bytes(), numpy.uint8)[:count]
        else:
            images = numpy.random.default_rng(1).integers(0, 256, (count, 32, 32, 3), dtype=numpy.uint8)
            labels = (numpy.arange(count) % 10 + 1).astype(numpy.uint8)
        scipy.io.savemat(DATA / f"{role}_32x32.mat", {"X": images.transpose(1, 2, 3, 0), "y": labels.reshape(-1, 1)})
    (DATA / "complete").touch()


def planned_runs(name, budget):
    """Returns the run folders of a plan."""
    done = subprocess.run([PROGRAM, "reproduce", name, "--budget", budget, "--dry-run"],
                          env={**os.environ, "FRGAN_DATA": str(FOLDER)}, text=True, capture_output=True)
    assert done.returncode == 0, f"{name}, {budget}: {done.stderr}"
    return {line for line in done.stdout.splitlines() if line.startswith("runs/plans/")}


def reproduce(name, *more):
    begin = time.monotonic()
    done = subprocess.run([PROGRAM, "reproduce", name, "--budget", "smoke", "--runs", WORK / "runs", "--output",
                           WORK / "results", *more], env={**os.environ, "FRGAN_DATA": str(FOLDER)}, text=True,
                          capture_output=True)
    seconds = time.monotonic() - begin
    assert done.returncode == 0, f"{name}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert seconds < LIMIT, f"{name} took {seconds:.0f} s"
    print(f"{name}: {seconds:.0f} s", flush=True)
    return done


def rows_of(name):
    with open(WORK / "results" / f"{name}.csv", newline="") as file:
        return list(csv.DictReader(file))


def expect_files(*names):
    for name in names:
        path = WORK / "results" / name
        assert path.stat().st_size > 200, path


def check_that_scores_are_kept(scored):
    """Finished scores need no scorer, and another scorer cannot replace scores whose scorer is missing."""
    runs = WORK / "runs"
    away = WORK / "away"
    shutil.move(runs, away)
    again = reproduce("table2")
    assert again.stdout == scored.stdout and not list(runs.glob("scorer_*")), again.stderr
    another = next(away.glob("supervised_labels-1000_*/checkpoints")).parent
    refused = subprocess.run([PROGRAM, "reproduce", "table2", "--budget", "smoke", "--runs", runs, "--output",
                              WORK / "results", "--scorer", another], env={**os.environ, "FRGAN_DATA": str(FOLDER)},
                             text=True, capture_output=True)
    assert refused.returncode == 1 and "pass that scorer with --scorer" in refused.stderr, refused.stderr
    assert reproduce("table2").stdout == scored.stdout
    shutil.rmtree(runs)
    shutil.move(away, runs)


def main():
    prepare_images()
    shutil.rmtree(WORK, ignore_errors=True)
    for name in ("table1", "figure1", "figure2"):
        reproduce(name)
    expect_files("table1.md", "table1.csv", "table1.tex", "table1.html", "figure1.svg", "figure2.svg")

    refused = subprocess.run([PROGRAM, "reproduce", "table2"], env={**os.environ, "FRGAN_DATA": str(FOLDER)}, text=True,
                             capture_output=True, stdin=subprocess.DEVNULL)
    assert refused.returncode == 2 and refused.stderr.count(" TFLOP with the scorer, ") == 3, refused.stderr

    first = reproduce("table3")
    expect_files("table3.md", "table3.csv", "table3.tex", "table3.html")
    ours = [row for row in rows_of("table3") if row["error_mean"]]
    assert len(ours) == 6 * 4 and len(rows_of("table3")) == 14 * 4, rows_of("table3")
    assert {row["steps"] for row in ours} == {"20"}
    fr_gan = next(row for row in ours if row["section"] == "labels 1000" and row["method"] == "FR-GAN")
    assert (fr_gan["published_error"], fr_gan["published_sd"]) == ("7.2", "0.16"), fr_gan
    again = reproduce("table3")
    assert again.stdout == first.stdout and "1 finished, 0 started, 0 new" in again.stderr, again.stderr

    scored = reproduce("table2")  # trains its scorer first
    assert "1 finished" in reproduce("scorer").stderr
    assert "FR-GAN without SE" in scored.stdout and "other scorer, not comparable" in scored.stdout
    names = [row["name"] for row in rows_of("table2")]
    assert names == ["real, train", "FR-GAN without SE", "FR-GAN without consistency", "FR-GAN", "GAN", "real, test"], names
    assert all(1 <= float(row["inception_score"]) <= 10 for row in rows_of("table2"))
    real = json.loads((WORK / "results/scores/real-train.json").read_text())
    assert real["scorer_digest"] in scored.stdout and 9 < real["scores"]["ceiling"] <= 10

    check_that_scores_are_kept(scored)

    shared = reproduce("figure3")  # uses the runs of the tables
    assert "0 started, 0 new" in shared.stderr and "1 new" not in shared.stderr, shared.stderr
    expect_files("figure3.png", "figure3-real.png", "figure3-fr-gan.png", "figure3-fr-gan-without-se.png",
                 "figure3-film.png")

    for budget in ("paper", "hour"):
        names = ("table2", "table3", "figure3", "figure4", "readings", "scorer")
        with ThreadPoolExecutor() as pool:
            runs_of = dict(zip(names, pool.map(lambda name: planned_runs(name, budget), names)))
        assert all(runs_of.values()), runs_of
        assert runs_of["figure3"] <= runs_of["table3"], "figure 3 must use the runs of table 3"
        assert runs_of["table2"] <= runs_of["table3"] | runs_of["scorer"], "table 2 must use the runs of table 3"
        assert runs_of["readings"] & runs_of["table3"], "the readings must use the FR-GAN runs of table 3"

    reproduce("figure4")
    expect_files("figure4.svg", "figure4.csv")
    assert {row["section"] for row in rows_of("figure4")} == {f"label-noise {level}" for level in ("0.0", "0.2", "0.5", "0.8")}
    reproduce("readings")
    assert len([row for row in rows_of("readings") if row["error_mean"]]) == 10
    shutil.rmtree(WORK)


main()
