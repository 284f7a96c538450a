#!/usr/bin/env python3
"""The man page has no errors, and shell completion completes: help_files_test.py FRGAN."""

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

FRGAN = sys.argv.pop(1)


def written(format_name):
    return subprocess.run([FRGAN, "options", "--format", format_name], capture_output=True, text=True, check=True).stdout


class HelpFilesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_man_page(self):
        page = self.folder / "frgan.1"
        page.write_text(written("man"))
        lint = subprocess.run(["mandoc", "-T", "lint", "-W", "error", page], capture_output=True, text=True)
        self.assertEqual((lint.returncode, lint.stdout), (0, ""))
        text = subprocess.run(["mandoc", "-T", "ascii", page], capture_output=True, text=True, check=True).stdout
        plain = subprocess.run(["col", "-b"], input=text, capture_output=True, text=True, check=True).stdout
        for part in ("frgan train [OPTIONS]", "--learning-rate X", "frgan data fetch DATASET", "EXIT STATUS", "FRGAN_DATA"):
            self.assertIn(part, plain)

    def test_all_files_list_the_same_commands(self):
        man = re.findall(r"^\\fB(\w+)\\fR$", written("man").split(".SH COMMANDS")[1].split(".SH OPTIONS")[0], re.M)
        zsh = re.findall(r"^    '(\w+):", written("zsh").split("commands=(")[1].split("\n  )\n")[0], re.M)
        bash = self.completions("frgan", "")
        self.assertIn("help", man)
        self.assertIn("train", man)
        self.assertEqual(sorted(man), sorted(bash))
        self.assertEqual(sorted(man), sorted(zsh))

    def completions(self, *words):
        """What bash offers for the last word."""
        script = self.folder / "frgan.bash"
        script.write_text(written("bash"))
        quoted = " ".join(f"'{word}'" for word in words)
        command = f"source {script}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _frgan; printf '%s\\n' ${{COMPREPLY[@]}}"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=self.folder)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_bash_completion(self):
        self.assertEqual(self.completions("frgan", "tr"), ["train"])
        self.assertEqual(self.completions("frgan", "train", "--learn"), ["--learning-rate"])
        self.assertEqual(self.completions("frgan", "train", "--precision", ""), ["auto", "fp32", "bf16"])
        self.assertEqual(self.completions("frgan", "data", "f"), ["fetch"])
        self.assertEqual(self.completions("frgan", "help", "repr"), ["reproduce"])
        self.assertEqual(self.completions("frgan", "reproduce", "figure4"), ["figure4"])
        self.assertEqual(self.completions("frgan", "reproduce", "table3", "--budget", ""), ["paper", "hour", "smoke"])
        self.assertEqual(self.completions("frgan", "train", "--preset", "demo"), ["demo", "demo-supervised"])
        self.assertEqual(self.completions("frgan", "train", "--device", "c"), ["cpu", "cuda"])
        self.assertEqual(self.completions("frgan", "train", "--no-tens"), ["--no-tensorboard"])
        self.assertEqual(self.completions("frgan", "data", "info", "sv"), ["svhn"])
        self.assertEqual(self.completions("frgan", "data", "info", "--image"), ["--image-size"])
        (self.folder / "images.csv").touch()
        self.assertEqual(self.completions("frgan", "predict", "imag"), ["images.csv"])
        self.assertEqual(self.completions("frgan", "data", "info", "imag"), ["images.csv"])
        self.assertEqual(self.completions("frgan", "train", "--quiet", "--config", "imag"), ["images.csv"])
        self.assertEqual(self.completions("frgan", "train", "--config", "imag"), ["images.csv"])

    def test_zsh_completion_is_valid(self):
        script = self.folder / "_frgan"
        script.write_text(written("zsh"))
        self.assertTrue(script.read_text().startswith("#compdef frgan\n"))
        check = subprocess.run(["zsh", "-n", script], capture_output=True, text=True)
        self.assertEqual((check.returncode, check.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
