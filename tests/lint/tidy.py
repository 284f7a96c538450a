#!/usr/bin/env python3
"""Runs clang-tidy on what a build compiles from src/ and app/: tidy.py BUILD [--torch].

Without --torch: checks the sources that do not include LibTorch.
With --torch: checks those that do. It needs a build with the wheel's LibTorch, because clang cannot parse Debian's headers.

All sources of a CMake target that are compiled with equal options are checked as one file, because most of the time goes
into the headers. Groups that have not changed since they passed are skipped. The sources that git changed last come first.
No check starts after FRGAN_TIDY_SECONDS (default 60); the groups left are listed.
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
    return precompiled_header(command) is not None or any(not {"torch", "ATen", "c10"}.isdisjoint(header.parts) for header in outside)


def compilations(build):
    """Yields (compile command, object, our sources, files read) of each object with our sources."""
    known = dependencies(build)
    for command in json.loads((build / "compile_commands.json").read_text()):
        compiled = command["command"].split(" -o ")[1].split()[0]
        read = known.get(compiled, [])
        sources = our_sources(read)
        if sources:
            yield command["command"], compiled, sources, read


def precompiled_header(command):
    """The header that GCC precompiled and includes in every file of this command, or None."""
    header = re.search(r" -include (\S*cmake_pch\.hxx)", command)
    return header.group(1) if header else None


def options_for_clang(command):
    """The options of GCC's command without input, output, optimization (which does not change the findings), precompiled
    header (clang cannot load GCC's) and what clang rejects: -fvect-cost-model and -fopenmp (there is no omp.h)."""
    command = re.sub(r" -o .*| -Winvalid-pch -include \S+| -O\d| -fvect-cost-model=\S+| -fopenmp\b", "", command)
    return command.partition("++ ")[2]  # without the compiler and what launches it


class Group:
    """Sources of one target with equal options."""

    def __init__(self, name):
        self.name, self.sources, self.read, self.precompiled = name, [], [], set()

    def add(self, command, sources, read):
        self.sources += sources
        self.read += read
        self.precompiled |= {precompiled_header(command)} - {None}

    def text(self):
        """The file that clang-tidy checks. An ordinary include of the precompiled header does not load GCC's file."""
        return "".join(f'#include "{file}"\n' for file in [*self.precompiled, *self.sources])


def groups(build, with_torch):
    """{(target, options): Group} of all our sources with or without LibTorch."""
    found = {}
    for command, compiled, sources, read in compilations(build):
        if uses_torch(read, command) == with_torch:
            target = compiled.split("/CMakeFiles/")[0] + "/" + compiled.split("/CMakeFiles/")[1].split(".dir")[0]
            options = options_for_clang(command)
            number = sum(of == target for of, _ in found) + 1
            found.setdefault((target, options), Group(f"{target.replace('/', '_')}_{number}")).add(command, sources, read)
    return found


def last_change(sources):
    """Time of the newest change of a source: uncommitted ones now, others when they were committed."""
    def git(*arguments):
        return subprocess.run(["git", "-C", ROOT, *arguments, "--", *sources], capture_output=True, text=True).stdout
    return time.time() if git("status", "--porcelain") else int(git("log", "-1", "--format=%ct") or 0)


def main():
    build, with_torch = Path(sys.argv[1]).resolve(), sys.argv[2:] == ["--torch"]
    folder = build / "tidy"
    folder.mkdir(exist_ok=True)
    found = groups(build, with_torch)
    commands, jobs = [], {}
    for (_, options), group in found.items():
        file, stamp = folder / f"{group.name}.cpp", folder / f"{group.name}.passed"
        file.write_text(group.text())
        commands.append({"directory": str(build), "file": str(file), "command": f"c++ {options} -c {file}"})
        newest = max(header.stat().st_mtime for header in [*group.read, ROOT / ".clang-tidy"] if header.exists())
        if not stamp.exists() or stamp.stat().st_mtime < newest:
            jobs[group] = (file, stamp)
    (folder / "compile_commands.json").write_text(json.dumps(commands))

    seconds = float(os.environ.get("FRGAN_TIDY_SECONDS", "60"))
    until = time.monotonic() + seconds

    def tidy(group):
        file, stamp = jobs[group]
        if time.monotonic() > until:
            return None
        # clang 14 does not know newer processor features.
        done = subprocess.run(["clang-tidy", "-p", folder, "--quiet", "--extra-arg=-D__builtin_cpu_supports(name)=(*(name) != 0)", file],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if done.returncode == 0:
            stamp.touch()
        return done

    order = sorted(jobs, key=lambda group: -last_change(group.sources))
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        results = list(pool.map(tidy, order))
    left = [group.name for group, result in zip(order, results) if result is None]
    failed = [result for result in results if result and result.returncode != 0]
    findings = {}  # a finding in a header appears once, not once per group that includes it
    for done in failed:
        findings |= dict.fromkeys(re.split(r"\n(?=/)", done.stdout.strip()))
    print("\n".join(findings))
    count = sum(len(group.sources) for group in found.values())
    print(f"clang-tidy: {count} sources in {len(found)} groups, {len(found) - len(jobs)} unchanged, {len(failed)} with findings")
    if left:
        print(f"not checked within {seconds:.0f} s (FRGAN_TIDY_SECONDS):", *left, sep="\n  ")
    sys.exit(1 if failed or count < MIN_SOURCES else 0)


if __name__ == "__main__":
    main()
