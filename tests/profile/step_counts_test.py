#!/usr/bin/env python3
"""Tests of step_counts.py."""
import json
import pathlib
import unittest

import step_counts


class Findings(unittest.TestCase):
    def test_changes_up_to_three_percent_pass(self):
        self.assertEqual(step_counts.findings({"operators": 1030}, {"operators": 1000}), ([], []))
        self.assertEqual(step_counts.findings({"operators": 970}, {"operators": 1000}), ([], []))

    def test_larger_increases_fail(self):
        high, low = step_counts.findings({"operators": 1031, "allocations": 10}, {"operators": 1000, "allocations": 10})
        self.assertEqual(high, ["operators per step: 1031, stored 1000 (+3.1 %)"])
        self.assertEqual(low, [])

    def test_larger_decreases_are_reported(self):
        high, low = step_counts.findings({"allocations": 900}, {"allocations": 1000})
        self.assertEqual(high, [])
        self.assertEqual(low, ["allocations per step: 900, stored 1000 (-10.0 %)"])

    def test_all_counts_of_both_methods_are_stored(self):
        stored = json.loads(pathlib.Path(step_counts.STORED).read_text())
        for place, methods in stored.items():
            for method in ("fr-gan", "supervised"):
                self.assertLessEqual({"operators", "allocations"}, methods[method].keys(), f"{place}: {method}")
        self.assertLessEqual({"instructions"}, stored["LibTorch 1.13.0, AVX2"]["fr-gan"].keys())


if __name__ == "__main__":
    unittest.main()
