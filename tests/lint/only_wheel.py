#!/usr/bin/env python3
"""A build on the wheel's LibTorch has nothing of Debian's: only_wheel.py BUILD WHEEL. Two would pass for one until they
crash: a header that the wheel lacks would come from /usr/include, a library from where the linker looks by itself, and a
second OpenMP would fight the first for the cores."""

import re
import subprocess
import sys
from pathlib import Path

from tidy import ROOT, dependencies


def main():
    build, wheel = (Path(argument).resolve() for argument in sys.argv[1:])
    read = {header for headers in dependencies(build).values() for header in headers}
    torch = {header for header in read if not {"torch", "ATen", "c10", "caffe2"}.isdisjoint(header.parts)}
    strange = sorted(str(header) for header in torch if not {wheel, ROOT} & set(header.parents))

    programs = [file for file in (build / "bin").iterdir() if file.is_file()]
    loaded = set()
    for program in programs:
        listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        if "libtorch" in listed:
            loaded |= set(re.findall(r"lib(?:torch|c10|caffe2|gomp)\S* => (.+?)(?: \(|$)", listed, re.MULTILINE))
    strange += sorted(library for library in loaded if wheel not in Path(library).resolve().parents)

    print(f"{len(torch)} headers of LibTorch, {len(programs)} programs that load {' '.join(sorted(loaded))}")
    print("\n".join(f"not of the wheel: {name}" for name in strange))
    sys.exit(1 if strange or len(torch) < 100 or len(loaded) < 3 else 0)


main()
