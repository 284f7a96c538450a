#!/usr/bin/env python3
"""Runs clang-tidy on our source files: tidy.py BUILD [--torch]. Skips files that have not changed since they passed.

Without --torch: checks all files that do not include LibTorch.
With --torch: checks files that include LibTorch. Needs a build with the wheel's LibTorch, because clang cannot parse
Debian's headers. Each file takes half a minute, so only changed files are checked: uncommitted changes, and commits since
the merge base with FRGAN_TIDY_SINCE (default: origin/main; on main itself: the last commit). A changed header is checked
through one file that includes it. No file is started after FRGAN_TIDY_SECONDS (default 120; CI uses 600).
"""

import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

MIN_FILES = 20  # with fewer candidates, the detection of LibTorch headers must be broken, and the check fails
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


def uses_torch(read, command):
    """Whether a file includes LibTorch, directly or by a precompiled header (which `read`, its dependencies, does not list)."""
    outside = [header for header in read if ROOT not in header.parents]
    return "cmake_pch" in command or any(not {"torch", "ATen", "c10"}.isdisjoint(header.parts) for header in outside)


def compiled(build):
    """Yields (file, files it was compiled from, compile command) for our files."""
    known = dependencies(build)
    for command in json.loads((build / "compile_commands.json").read_text()):
        file = Path(command["file"])
        if ROOT / "src" in file.parents or ROOT / "app" in file.parents:
            read = known.get(command["command"].split(" -o ")[1].split()[0], [])
            if not read:
                sys.exit(f"{file}: not compiled in {build}; build it first")
            yield file, read, command


def git(*arguments):
    done = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True)
    return done.stdout.split() if done.returncode == 0 else []


def changed():
    """{changed file: number of added lines}; see the module's documentation for what counts as changed."""
    since = os.environ.get("FRGAN_TIDY_SINCE")
    base = git("merge-base", since or "origin/main", "HEAD")
    if since and not base:
        sys.exit(f"FRGAN_TIDY_SINCE: no commit '{since}' with a common history")
    if not since and base in ([], git("rev-parse", "HEAD")):
        base = git("rev-parse", "--verify", "HEAD~1") or git("rev-parse", "HEAD")  # a clone with one commit
    counts = git("diff", "--numstat", "--no-renames", "--relative", *base)  # added, removed, name; "-" for binary files
    lines = {ROOT / name: int(added) for added, name in zip(counts[::3], counts[2::3]) if added != "-"}
    lines |= {ROOT / name: 1 << 30 for name in git("ls-files", "--others", "--exclude-standard")}
    print(f"changed since {base[0][:12] if base else '(no git repository)'}: {len(lines)} files")
    return lines


def representatives(files):
    """Selects from {file: its includes}: changed files, most changed first, then one file for each other changed header."""
    lines = changed()
    chosen = sorted(files.keys() & lines.keys(), key=lambda file: (-lines[file], file))
    for header in sorted(lines):
        users = [file for file, read in files.items() if header in read]
        if header.suffix == ".h" and users and not set(users) & set(chosen):
            chosen.append(min(users, key=lambda file: (file.stem != header.stem, len(files[file]), file)))
    return chosen


def main():
    build, with_torch = Path(sys.argv[1]).resolve(), sys.argv[2:] == ["--torch"]
    until = time.monotonic() + int(os.environ.get("FRGAN_TIDY_SECONDS", "120")) if with_torch else float("inf")
    stamps = build / "tidy"
    stamps.mkdir(exist_ok=True)
    # Adapt GCC's commands to clang. clang would load GCC's precompiled header, so it gets a copy of the header's source in
    # another folder. It rejects -fvect-cost-model and has no omp.h. clang 14 does not know newer processor features.
    files, commands = {}, []
    for file, read, command in compiled(build):
        header = re.search(r"-include (\S*cmake_pch\.hxx)", command["command"])
        if header:
            copy = stamps / "cmake_pch.hxx"
            copy.write_text(Path(header[1]).read_text())
            command["command"] = command["command"].replace(header[1], str(copy))
        command["command"] = re.sub(r" -fvect-cost-model=\S+| -fopenmp\b", "", command["command"])
        commands.append(command)
        if uses_torch(read, command["command"]) == with_torch:
            files[file] = set(read)
    (stamps / "compile_commands.json").write_text(json.dumps(commands))
    chosen = representatives(files) if with_torch else files.keys()

    jobs = {}
    for file in chosen:
        stamp = stamps / str(file.relative_to(ROOT)).replace("/", "_")
        newest = max(header.stat().st_mtime for header in [*files[file], ROOT / ".clang-tidy"] if header.exists())
        if not stamp.exists() or stamp.stat().st_mtime < newest:
            jobs[file] = stamp

    def tidy(job):
        file, stamp = job
        if time.monotonic() > until:
            return None
        done = subprocess.run(["clang-tidy", "-p", stamps, "--quiet", "--extra-arg=-D__builtin_cpu_supports(name)=(*(name) != 0)", file],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if done.returncode == 0:
            stamp.touch()
        return done

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        results = dict(zip(jobs, pool.map(tidy, jobs.items())))
    left = [file.name for file, result in results.items() if result is None]
    failed = [result for result in results.values() if result and result.returncode != 0]
    print("".join(result.stdout for result in failed))
    print(f"clang-tidy: {len(jobs) - len(left)} of {len(chosen)} files checked, {len(chosen) - len(jobs)} unchanged, {len(failed)} with findings")
    if left:
        print("not checked, time limit reached:", *left)
    sys.exit(1 if failed or len(files) < MIN_FILES else 0)


if __name__ == "__main__":
    main()
