"""Tests which compilations tidy.py checks, and the commands it passes to clang."""

import tempfile
import unittest
from pathlib import Path
from unittest import mock

import tidy


class TidyTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name).resolve()
        patch = mock.patch.object(tidy, "ROOT", self.root)
        patch.start()
        self.addCleanup(patch.stop)

    def sources(self, *names):
        return [file.name for file in tidy.our_sources([self.root / name for name in names])]

    def test_only_program_and_library_are_checked(self):
        self.assertEqual(self.sources("src/frgan/io/a.cpp", "app/b.cpp", "src/frgan/io/a.h"), ["a.cpp", "b.cpp"])
        self.assertEqual(self.sources("tests/io/a_test.cpp", "src/frgan/io/a.cpp"), [])
        self.assertEqual(self.sources("build/x/src/paper_plans_text.cpp"), [])
        self.assertEqual(tidy.our_sources([Path("/usr/src/googletest/a.cpp")]), [])

    def test_libtorch_is_recognised(self):
        ours, theirs = self.root / "src/torch/a.h", Path("/usr/include/ATen/ATen.h")
        self.assertFalse(tidy.uses_torch([ours], "c++ a.cpp"))
        self.assertTrue(tidy.uses_torch([ours, theirs], "c++ a.cpp"))
        self.assertTrue(tidy.uses_torch([ours], "c++ -include /b/cmake_pch.hxx a.cpp"))

    def test_command_for_clang(self):
        (self.root / "cmake_pch.hxx").write_text("#include <x.h>")
        (self.root / "tidy").mkdir()
        command = {"file": "a.cpp", "command": f"c++ -O3 -fopenmp -fvect-cost-model=cheap -include {self.root}/cmake_pch.hxx a.cpp"}
        changed = tidy.for_clang(command, self.root / "tidy")
        self.assertEqual(changed["command"], f"c++ -O3 -include {self.root}/tidy/cmake_pch.hxx a.cpp")
        self.assertEqual((self.root / "tidy/cmake_pch.hxx").read_text(), "#include <x.h>")


if __name__ == "__main__":
    unittest.main()
