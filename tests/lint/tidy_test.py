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

    def test_options_for_clang(self):
        command = "ccache /usr/bin/c++ -DX -O3 -mavx2 -fopenmp -fvect-cost-model=cheap -Winvalid-pch -include /b/cmake_pch.hxx -o a.o -c a.cpp"
        self.assertEqual(tidy.options_for_clang(command), "-DX -mavx2")

    def test_sources_of_a_target_with_equal_options_form_a_group(self):
        def compilation(options, compiled, source):
            return f"c++ {options} -o {compiled} -c {source}", compiled, [Path(source)], [Path(source)]

        compilations = [compilation("-O1", "src/io/CMakeFiles/io.dir/Unity/unity_0.o", "a.cpp"),
                        compilation("-O3", "src/io/CMakeFiles/io.dir/b.cpp.o", "b.cpp"),
                        compilation("-O3 -mavx2", "src/io/CMakeFiles/io.dir/c.cpp.o", "c.cpp"),
                        compilation("-O1 -Winvalid-pch -include /b/cmake_pch.hxx", "src/nn/CMakeFiles/nn.dir/d.cpp.o", "d.cpp")]
        with mock.patch.object(tidy, "compilations", lambda build: compilations):
            found = tidy.groups(Path("build"), with_torch=False).values()
            with_torch = tidy.groups(Path("build"), with_torch=True).values()
        self.assertEqual({group.name: [source.name for source in group.sources] for group in found},
                         {"src_io_io_1": ["a.cpp", "b.cpp"], "src_io_io_2": ["c.cpp"]})
        self.assertEqual([group.text() for group in with_torch], ['#include "/b/cmake_pch.hxx"\n#include "d.cpp"\n'])


if __name__ == "__main__":
    unittest.main()
