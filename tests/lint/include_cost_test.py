"""Tests that include_cost.py reports violations, and nothing else."""

import unittest

import include_cost

LIMITS = {"io": {"libtorch_files": 0, "megabytes": 10}, "nn": {"libtorch_files": 10, "megabytes": 10}}


def found(io=(0, 10), nn=(10, 10)):
    return {name: {"files": 10, "libtorch_files": files, "megabytes": megabytes}
            for name, (files, megabytes) in (("io", io), ("nn", nn))}


class IncludeCostTest(unittest.TestCase):
    def problems(self, measured, users=()):
        return list(include_cost.problems(measured, users, LIMITS))

    def test_values_near_limits_pass(self):
        self.assertEqual(self.problems(found(io=(0, 10.9), nn=(10, 9.1))), [])

    def test_higher_values_fail(self):
        self.assertEqual(len(self.problems(found(io=(1, 10)))), 1)
        self.assertEqual(len(self.problems(found(io=(0, 11.2)))), 1)

    def test_limits_far_above_values_fail(self):
        self.assertEqual(len(self.problems(found(nn=(8, 8)))), 2)

    def test_folder_without_limit_fails(self):
        self.assertEqual(len(self.problems({"tables": {"libtorch_files": 0, "megabytes": 1}})), 1)

    def test_one_file_of_a_light_folder_may_include_a_library(self):
        one = [("src/frgan/io/a.cpp", "io", ["nlohmann"])]
        self.assertEqual(self.problems(found(), one), [])
        self.assertEqual(len(self.problems(found(), one + [("src/frgan/io/b.cpp", "io", ["nlohmann", "toml++"])])), 1)
        self.assertEqual(self.problems(found(), [(f"src/frgan/nn/{i}.cpp", "nn", ["LibTorch"]) for i in range(5)]), [])

    def test_folder_of(self):
        root = include_cost.Path("/root")
        self.assertEqual(include_cost.folder_of("/root/src/frgan/io/a.cpp", root), "io")
        self.assertEqual(include_cost.folder_of("/root/app/a.cpp", root), "app")
        self.assertIsNone(include_cost.folder_of("/root/benchmarks/a.cpp", root))
        self.assertIsNone(include_cost.folder_of("/usr/include/a.h", root))


if __name__ == "__main__":
    unittest.main()
