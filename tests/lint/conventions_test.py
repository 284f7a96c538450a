"""Tests that each check of conventions.py reports violations, and nothing else."""

import tempfile
import unittest
from pathlib import Path

import conventions

DESIGN = """
| folder | holds | may include |
|---|---|---|
| `src/frgan/core` | errors | - |
| `src/frgan/io` | files | core's errors |
| `src/frgan/data` | sets | io, core |
| `src/frgan/tables` | plans | everything above |
| `app` | commands | everything |
"""


class ConventionsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.write("docs/design.md", DESIGN)

    def write(self, name, text):
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def check(self, name):
        return list(conventions.CHECKS[name](self.root))

    def test_allowed_includes_pass(self):
        self.write("src/frgan/io/a.cpp", '#include "frgan/io/a.h"\n#include "frgan/core/error.h"\n#include <vector>\n')
        self.write("src/frgan/data/a.cpp", '#include "frgan/core/x.h"\n#include <ATen/ATen.h>\n')
        self.write("src/frgan/tables/a.cpp", '#include "frgan/data/x.h"\n')
        self.write("app/a.cpp", '#include "command.h"\n#include "frgan/tables/x.h"\n')
        self.assertEqual(self.check("includes"), [])

    def test_forbidden_includes(self):
        for folder, line in [
            ("src/frgan/core", '#include "frgan/io/a.h"'),
            ("src/frgan/io", '#include "frgan/core/options.h"'),
            ("src/frgan/io", "#include <torch/types.h>"),
            ("src/frgan/data", '#include "frgan/tables/a.h"'),
            ("src/frgan/data", '#include "dataset.h"'),
            ("src/frgan/data", "#include <frgan/io/a.h>"),
            ("src/frgan/attic", ""),
        ]:
            self.write(f"{folder}/a.cpp", line)
            self.assertEqual(len(self.check("includes")), 1, (folder, line))
            (self.root / folder / "a.cpp").unlink()

    def test_missing_design_table(self):
        self.write("docs/design.md", "nothing")
        self.assertEqual(len(self.check("includes")), 1)

    def test_names(self):
        self.write("src/frgan/data/split.h", "#pragma once\n")
        self.assertEqual(self.check("names"), [])
        for name in ["src/frgan/utils/a.cpp", "src/frgan/data/common.cpp", "src/frgan/data/a.hpp", "src/frgan/data/a.h"]:
            self.write(name, "")
            self.assertEqual(len(self.check("names")), 1, name)
            (self.root / name).unlink()

    def test_printing(self):
        self.write("app/a.cpp", 'print_output("{}", 1);\n')
        self.write("app/console.cpp", 'fmt::print("{}", 1);\n')
        self.write("src/frgan/io/a.h", '//   fmt::print("{}", 1);\n')
        self.assertEqual(self.check("printing"), [])
        self.write("app/a.cpp", 'int x;\nfmt::print(stderr, "{}", 1);\n')
        self.assertEqual(len(self.check("printing")), 1)

    def test_sizes(self):
        self.write("results/a.json", "x" * (1 << 20))
        self.assertEqual(self.check("sizes"), [])
        self.write("results/a.json", "x" * ((1 << 20) + 1))
        self.assertEqual(len(self.check("sizes")), 1)

    def test_unfinished(self):
        self.write("app/a.cpp", "// done\n// TO" + "DO: the rest\n")
        self.assertEqual(len(self.check("unfinished")), 1)

    def test_sentences(self):
        short, long = "One word after another. " * 20, "A sentence " + "that goes on " * 10 + "and ends."
        self.write("docs/a.md", f"{short}\n\n    {long}\n\n```\n{long}\n```\n| {long} |\n- {short}\n- {short}\n")
        self.write("src/frgan/io/a.h", f"// {short}\n//\n//   {long}\nint x;\n")
        self.write("runs.txt", long)
        self.assertEqual(self.check("sentences"), [])
        self.write("docs/a.md", f"{short} {long}\n\n- {long}\n")
        self.write("src/frgan/io/a.h", f"  int x;  // {long}\n// {long[:60]}\n// {long[60:]}\nint y;\n")
        self.assertEqual(len(self.check("sentences")), 3)

    def test_generated_folders_are_ignored(self):
        self.write("build/a.cpp", "// TO" + "DO\n")
        self.assertEqual(self.check("unfinished"), [])


if __name__ == "__main__":
    unittest.main()
