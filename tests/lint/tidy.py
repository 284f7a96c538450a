#!/usr/bin/env python3
"""Runs clang-tidy on our files that include no header of LibTorch: tidy.py BUILD. What has not changed since it passed is
not read again."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


LEAST = 20  # files that have no header of LibTorch; fewer: this check has gone blind


def dependencies(build):
    """{object file: what it was compiled from}, from ninja's own log."""
    listed = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True, check=True).stdout
    found, current = {}, None
    for line in listed.splitlines():
        if line.startswith("    "):
            found[current].append(line.strip())
        elif ": #deps" in line:
            current = line.split(": #deps")[0]
            found[current] = []
    return found


def main():
    build = Path(sys.argv[1]).resolve()
    root = Path(__file__).resolve().parents[2]
    known = dependencies(build)
    stamps = build / "tidy"
    stamps.mkdir(exist_ok=True)
    jobs, readable = {}, 0
    for command in json.loads((build / "compile_commands.json").read_text()):
        file = Path(command["file"])
        read = known.get(command["command"].split(" -o ")[1].split()[0], [])
        ours = root / "src" in file.parents or root / "app" in file.parents
        if not ours or "cmake_pch" in command["command"] or any("/torch/" in header or "/ATen/" in header for header in read):
            continue
        if not read:
            sys.exit(f"{file}: was not compiled in {build}, which this check needs")
        readable += 1
        stamp = stamps / str(file.relative_to(root)).replace("/", "_")
        newest = max((build / header).stat().st_mtime for header in [*read, root / ".clang-tidy"] if (build / header).exists())
        if not stamp.exists() or stamp.stat().st_mtime < newest:
            jobs[file] = stamp

    def tidy(job):
        file, stamp = job
        done = subprocess.run(["clang-tidy", "-p", build, "--quiet", file], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if done.returncode == 0:
            stamp.touch()
        return done

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        results = list(pool.map(tidy, jobs.items()))
    failed = [result for result in results if result.returncode != 0]
    print("".join(result.stdout for result in failed))
    print(f"clang-tidy: {len(jobs)} of {readable} files read, the others had passed; {len(failed)} with findings")
    sys.exit(1 if failed or readable < LEAST else 0)


main()
