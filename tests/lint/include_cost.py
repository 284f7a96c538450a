#!/usr/bin/env python3
"""Guards compile time without a clock: include_cost.py BUILD [--update].

Counts, for each folder, the source files that include LibTorch (ATen, torch or c10) directly or indirectly. Also counts
the bytes of all files that the preprocessor reads, without the precompiled header. Compares both with
include_cost.json. Reads the dependencies that ninja recorded in BUILD, so it needs no compiler. A higher value fails. A value more than 10 % below the limit fails too: --update lowers
the limits.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

LIMITS = Path(__file__).with_name("include_cost.json")
TOLERANCE = 0.1
LIBTORCH = re.compile(r"/(ATen|torch|c10)/")
LIBRARIES = {"LibTorch": LIBTORCH, "toml++": re.compile(r"/toml\+\+/"), "nlohmann": re.compile(r"/nlohmann/")}
# These folders must do without the libraries above, but for one file each. core holds the only users of JSON.
LIGHT_FOLDERS = ("core", "io", "settings", "plans", "tables", "report", "app")


def dependencies(build):
    """{object: headers and source that its compilation read}"""
    listed = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True, check=True).stdout
    found, name = {}, None
    for line in listed.splitlines():
        if line and not line.startswith(" "):
            name = line.split(":")[0]
            found[name] = []
        elif line.strip() and name:
            found[name].append(line.strip())
    return found


def folder_of(source, root):
    """core, data, ..., app; None for other files."""
    path = Path(source).resolve()
    parts = path.relative_to(root).parts if path.is_relative_to(root) else ()
    if parts[:2] == ("src", "frgan"):
        return parts[2]
    return "app" if parts[:1] == ("app",) else None


def measure(build, root):
    """{folder: {"files", "libtorch_files", "megabytes"}} and [(file, libraries that it includes)]"""
    found, users = {}, []
    deps = dependencies(build)
    precompiled = [header for name, headers in deps.items() if name.endswith(".gch") for header in headers]
    commands = json.loads((Path(build) / "compile_commands.json").read_text())
    with_precompiled = {re.search(r" -o (\S+) ", command["command"])[1] for command in commands
                        if "cmake_pch.hxx" in command["command"]}
    for name, headers in deps.items():
        paths = [header if header.startswith("/") else str(Path(build) / header) for header in headers]
        # A unity object has several sources.
        sources = [path for path in paths if path.endswith(".cpp") and folder_of(path, root)]
        if not sources or not name.endswith(".o"):
            continue
        folder = folder_of(sources[0], root)
        read = set(paths) | (set(precompiled) if name in with_precompiled else set())
        entry = found.setdefault(folder, {"files": 0, "libtorch_files": 0, "megabytes": 0.0})
        libraries = [library for library, pattern in LIBRARIES.items() if any(map(pattern.search, read))]
        entry["files"] += len(sources)
        entry["libtorch_files"] += len(sources) * ("LibTorch" in libraries)
        entry["megabytes"] += sum(Path(path).stat().st_size for path in paths) / 1e6
        users += [(str(Path(source).resolve().relative_to(root)), folder, libraries) for source in sources]
    return found, users


def problems(found, users, limits):
    """One line per violation."""
    for folder, entry in sorted(found.items()):
        limit = limits.get(folder)
        if limit is None:
            yield f"{folder}: no limit stored; run include_cost.py BUILD --update"
            continue
        for key in ("libtorch_files", "megabytes"):
            slack = TOLERANCE * limit[key] + 0.1  # of megabytes; one more file fails
            high, low = limit[key] + (slack if key == "megabytes" else 0), limit[key] - slack
            if entry[key] > high:
                yield f"{folder}: {key} is {entry[key]:.4g}; the limit is {limit[key]:.4g}"
            elif entry[key] < low:
                yield f"{folder}: {key} is {entry[key]:.4g}, far below the limit {limit[key]:.4g}; lower it with --update"
    for library in LIBRARIES:
        for folder in LIGHT_FOLDERS:
            files = [file for file, of, libraries in users if of == folder and library in libraries]
            if len(files) > 1:
                yield f"{folder}: {len(files)} files include {library}, at most one may: {', '.join(files)}"


def main():
    root = Path(__file__).parents[2].resolve()
    found, users = measure(sys.argv[1], root)
    for folder, entry in sorted(found.items()):
        print(f"{folder:12} {entry['files']:3} files, {entry['libtorch_files']:3} with LibTorch, {entry['megabytes']:7.1f} MB read")
    if "--update" in sys.argv:
        stored = {folder: {"libtorch_files": entry["libtorch_files"], "megabytes": round(entry["megabytes"], 1)}
                  for folder, entry in sorted(found.items())}
        LIMITS.write_text(json.dumps(stored, indent=1) + "\n")
        return 0
    violations = list(problems(found, users, json.loads(LIMITS.read_text())))
    print("\n".join(violations))
    return 1 if violations or not found else 0


if __name__ == "__main__":
    sys.exit(main())
