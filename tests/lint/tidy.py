#!/usr/bin/env python3
"""Runs clang-tidy on what a build compiles from src/ and app/: tidy.py BUILD [--torch].

Without --torch: checks the sources that do not include LibTorch.
With --torch: checks those that do. It needs a build with the wheel's LibTorch, because clang cannot parse Debian's headers.

A unity build compiles several sources as one, and clang-tidy checks them as one: the headers are parsed once. Sources that
have not changed since they passed are skipped. The sources that git changed last come first. No check starts after
FRGAN_TIDY_SECONDS (default 60); the objects left are listed.
"""

import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

MIN_SOURCES = 20  # with fewer, the detection of LibTorch headers must be broken, and the check fails
ROOT = Path(__file__).resolve().parents[2]


def dependencies(build):
    """{object file: files it was compiled from}, from ninja's dependency log."""
    listed = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True, check=True).stdout
    found, current = {}, None
    for line in listed.splitlines():
        if line.startswith("    "):
            found[current].append((build / line.strip()).resolve())
        elif ": #deps" in line:
            current = line.split(": #deps")[0]
            found[current] = []
    return found


def our_sources(read):
    """The sources of src/ and app/ that a compilation read; none if it also read a test or a benchmark."""
    sources = [file for file in read if file.suffix == ".cpp" and ROOT in file.parents and "build" not in file.relative_to(ROOT).parts]
    folders = {file.relative_to(ROOT).parts[0] for file in sources}
    return sources if folders <= {"src", "app"} else []


def uses_torch(read, command):
    """Whether a file includes LibTorch, directly or by a precompiled header (which `read`, its dependencies, does not list)."""
    outside = [header for header in read if ROOT not in header.parents]
    return "cmake_pch" in command or any(not {"torch", "ATen", "c10"}.isdisjoint(header.parts) for header in outside)


def compilations(build):
    """Yields (compile command, our sources, files read) of each object with our sources."""
    known = dependencies(build)
    for command in json.loads((build / "compile_commands.json").read_text()):
        read = known.get(command["command"].split(" -o ")[1].split()[0], [])
        sources = our_sources(read)
        if sources:
            yield command, sources, read


def for_clang(command, folder):
    """GCC's command, adapted to clang. clang would load GCC's precompiled header, so it gets a copy of the header's source in
    `folder`. It rejects -fvect-cost-model and has no omp.h."""
    header = re.search(r"-include (\S*cmake_pch\.hxx)", command["command"])
    text = command["command"]
    if header:
        copy = folder / "cmake_pch.hxx"
        copy.write_text(Path(header[1]).read_text())
        text = text.replace(header[1], str(copy))
    return {**command, "command": re.sub(r" -fvect-cost-model=\S+| -fopenmp\b", "", text)}


def last_change(sources):
    """Time of the newest change of a source: uncommitted ones now, others when they were committed."""
    def git(*arguments):
        return subprocess.run(["git", "-C", ROOT, *arguments, "--", *sources], capture_output=True, text=True).stdout
    return time.time() if git("status", "--porcelain") else int(git("log", "-1", "--format=%ct") or 0)


def main():
    build, with_torch = Path(sys.argv[1]).resolve(), sys.argv[2:] == ["--torch"]
    stamps = build / "tidy"
    stamps.mkdir(exist_ok=True)
    chosen = [(for_clang(command, stamps), sources, read) for command, sources, read in compilations(build)
              if uses_torch(read, command["command"]) == with_torch]
    (stamps / "compile_commands.json").write_text(json.dumps([command for command, _, _ in chosen]))

    jobs = {}
    for command, _, read in chosen:
        file = command["file"]
        stamp = stamps / file.replace(str(ROOT), "").replace("/", "_")
        newest = max(header.stat().st_mtime for header in [*read, ROOT / ".clang-tidy"] if header.exists())
        if not stamp.exists() or stamp.stat().st_mtime < newest:
            jobs[file] = stamp

    seconds = float(os.environ.get("FRGAN_TIDY_SECONDS", "60"))
    until = time.monotonic() + seconds

    def tidy(job):
        file, stamp = job
        if time.monotonic() > until:
            return None
        # clang 14 does not know newer processor features.
        done = subprocess.run(["clang-tidy", "-p", stamps, "--quiet", "--extra-arg=-D__builtin_cpu_supports(name)=(*(name) != 0)", file],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if done.returncode == 0:
            stamp.touch()
        return done

    changed = {command["file"]: last_change(sources) for command, sources, _ in chosen if command["file"] in jobs}
    order = sorted(jobs.items(), key=lambda job: -changed[job[0]])
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        results = list(pool.map(tidy, order))
    left = [file.replace(str(build), "") for (file, _), result in zip(order, results) if result is None]
    failed = [result for result in results if result and result.returncode != 0]
    findings = {}  # a finding in a header appears once, not once per source that includes it
    for done in failed:
        findings |= dict.fromkeys(re.split(r"\n(?=/)", done.stdout.strip()))
    print("\n".join(findings))
    count = sum(len(sources) for _, sources, _ in chosen)
    print(f"clang-tidy: {count} sources in {len(chosen)} objects, {len(chosen) - len(jobs)} unchanged, {len(failed)} with findings")
    if left:
        print(f"not checked within {seconds:.0f} s (FRGAN_TIDY_SECONDS):", *left, sep="\n  ")
    sys.exit(1 if failed or count < MIN_SOURCES else 0)


if __name__ == "__main__":
    main()
