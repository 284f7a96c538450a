"""Tests that paper.py reports each kind of wrong name, and nothing else."""
import tempfile
import unittest
from pathlib import Path

import paper

ROWS = "".join(f"| A{number} | | | fixed |\n" for number in range(2, paper.READINGS + 1))
GOOD = """A formula: `w(t) (z - z~)^2`. `losses/a.h: real_loss, fake_loss` and `losses/a_test.cpp: Losses.MatchGolden`
| A1 | | | `--gen-loss saturating`, `configs/gan.toml` |
Not in the paper: `--width`.
"""


class PaperTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.write("src/frgan/losses/a.h", "double real_loss();\ndouble fake_loss();\n")
        self.write("tests/losses/a_test.cpp", "TEST_F(Losses, MatchGolden) {}\n")
        self.write("configs/gan.toml", "")
        self.write("src/frgan/methods/a.cpp", """
            options.add("gen-loss", loss, "The loss (A1).",
                        Choices{"nonsaturating", "saturating"});
            options.add("width", width, "Channels.", Range<double>{0, 8});
        """)

    def write(self, name, text):
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def check(self, page):
        self.write("docs/paper.md", page)
        return list(paper.findings(self.root))

    def test_correct_page(self):
        self.assertEqual(self.check(GOOD + ROWS), [])

    def test_wrong_names(self):
        for right, wrong in [
            ("fake_loss", "no_loss"),
            ("real_loss", "real"),
            ("losses/a.h", "losses/b.h"),
            ("Losses.MatchGolden", "Losses.Match"),
            ("--width", "--wide"),
            ("--gen-loss saturating", "--gen-loss loud"),
            ("configs/gan.toml", "configs/fr-gan.toml"),
        ]:
            self.assertEqual(len(self.check(GOOD.replace(right, wrong) + ROWS)), 1, wrong)

    def test_missing_row(self):
        self.assertEqual(len(self.check(GOOD + ROWS.replace("| A7 |", "| B7 |"))), 1)

    def test_row_names_option_whose_help_does_not_name_the_row(self):
        self.assertEqual(len(self.check(GOOD + ROWS.replace("| A7 | | | fixed |", "| A7 | | | `--width` |"))), 1)

    def test_option_missing_in_its_row(self):
        self.assertEqual(len(self.check(GOOD.replace("`--gen-loss saturating`, ", "") + ROWS)), 1)


if __name__ == "__main__":
    unittest.main()
