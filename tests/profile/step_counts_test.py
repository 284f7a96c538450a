#!/usr/bin/env python3
"""step_counts.py finds what it should."""
import json
import pathlib
import unittest

import step_counts


class Findings(unittest.TestCase):
    def test_three_percent_more_is_allowed(self):
        self.assertEqual(step_counts.findings({"operators": 1030}, {"operators": 1000}), ([], []))
        self.assertEqual(step_counts.findings({"operators": 970}, {"operators": 1000}), ([], []))

    def test_more_is_found(self):
        high, low = step_counts.findings({"operators": 1031, "allocations": 10}, {"operators": 1000, "allocations": 10})
        self.assertEqual(high, ["operators of a step: 1031, 1000 stored: +3.1 %"])
        self.assertEqual(low, [])

    def test_fewer_is_a_note(self):
        high, low = step_counts.findings({"allocations": 900}, {"allocations": 1000})
        self.assertEqual(high, [])
        self.assertEqual(low, ["allocations of a step: 900, 1000 stored: -10.0 %"])

    def test_both_methods_are_stored_whole(self):
        stored = json.loads(pathlib.Path(step_counts.STORED).read_text())
        for place, methods in stored.items():
            for method in ("fr-gan", "supervised"):
                self.assertLessEqual({"operators", "allocations"}, methods[method].keys(), f"{place}: {method}")
        self.assertLessEqual({"instructions"}, stored["LibTorch 1.13.0, AVX2"]["fr-gan"].keys())


if __name__ == "__main__":
    unittest.main()
