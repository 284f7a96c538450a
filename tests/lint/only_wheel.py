#!/usr/bin/env python3
"""Checks that a build with the wheel's LibTorch uses nothing of Debian's LibTorch: only_wheel.py BUILD WHEEL.

A mixture compiles and links, but crashes at run time. Headers that the wheel lacks would come from /usr/include, and
libraries from the linker's default folders. A second OpenMP runtime would compete with the first for the cores.
"""

import re
import subprocess
import sys
from pathlib import Path

from tidy import ROOT, dependencies


def main():
    build, wheel = (Path(argument).resolve() for argument in sys.argv[1:])
    read = {header for headers in dependencies(build).values() for header in headers}
    torch = {header for header in read if not {"torch", "ATen", "c10", "caffe2"}.isdisjoint(header.parts)}
    foreign = sorted(str(header) for header in torch if not {wheel, ROOT} & set(header.parents))

    programs = [file for file in (build / "bin").iterdir() if file.is_file()]
    loaded = set()
    for program in programs:
        listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        if "libtorch" in listed:
            loaded |= set(re.findall(r"lib(?:torch|c10|caffe2|gomp)\S* => (.+?)(?: \(|$)", listed, re.MULTILINE))
    foreign += sorted(library for library in loaded if wheel not in Path(library).resolve().parents)

    print(f"{len(torch)} LibTorch headers, {len(programs)} programs; loaded libraries: {' '.join(sorted(loaded))}")
    print("\n".join(f"not from the wheel: {name}" for name in foreign))
    sys.exit(1 if foreign or len(torch) < 100 or len(loaded) < 3 else 0)


main()
