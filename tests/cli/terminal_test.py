#!/usr/bin/env python3
"""terminal_test.py FRGAN: runs frgan on a pseudo-terminal. A plan with several budgets asks before it starts."""

import os
import pty
import struct
import sys
import tempfile
import unittest
from pathlib import Path

FRGAN = os.path.abspath(sys.argv.pop(1))
PLAN = """
[settings]
data = "mnist"
[budget.hour]
steps = 2
settings = {width = 0.0625, batch-size = 4, init-images = 10, labels = 10}
[budget.long]
steps = 900
settings = {width = 0.0625, batch-size = 4, init-images = 10, labels = 10}
[[row]]
name = "only"
preset = "supervised"
"""


def write_mnist(folder):
    folder.mkdir()
    for role, count in (("train", 20), ("t10k", 20)):
        images, labels = bytes(28 * 28 * count), bytes(i % 10 for i in range(count))
        (folder / f"{role}-images-idx3-ubyte").write_bytes(struct.pack(">4B3I", 0, 0, 8, 3, count, 28, 28) + images)
        (folder / f"{role}-labels-idx1-ubyte").write_bytes(struct.pack(">4BI", 0, 0, 8, 1, count) + labels)


def run_on_terminal(folder, answer, *arguments):
    """Returns (exit code, output). Types the answer as soon as the program asks."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.environ |= {"FRGAN_DATA": str(folder), "OMP_NUM_THREADS": "1"}
        os.execv(FRGAN, [FRGAN, *arguments])
    output, asked = b"", False
    while True:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:  # the program has ended
            break
        if not chunk:
            break
        output += chunk
        if b"[y/N]" in output and not asked:
            asked = True
            os.write(terminal, answer.encode() + b"\n")
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), output.decode()


class TerminalTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        write_mnist(self.folder / "mnist")
        (self.folder / "my.toml").write_text(PLAN)

    def test_asks_before_it_starts(self):
        code, output = run_on_terminal(self.folder, "n", "sweep", "my.toml")
        self.assertEqual(code, 1, output)
        self.assertIn("budget hour: 1 run of 2 steps, ", output)
        self.assertIn("Start (at least 0 s, without evaluations and scores", output)
        self.assertIn("not started; --budget chooses the length of each run: hour, long", output)
        self.assertFalse((self.folder / "runs").exists())

        code, output = run_on_terminal(self.folder, "y", "sweep", "my.toml")
        self.assertEqual(code, 0, output)
        self.assertTrue((self.folder / "results/hour/my.md").exists())

        code, output = run_on_terminal(self.folder, "", "sweep", "my.toml")
        self.assertEqual(code, 0, "nothing remains to be run")
        self.assertNotIn("[y/N]", output)

    def test_does_not_ask_if_the_budget_is_named(self):
        code, output = run_on_terminal(self.folder, "", "sweep", "my.toml", "--budget", "hour")
        self.assertEqual(code, 0, output)
        self.assertNotIn("[y/N]", output)


if __name__ == "__main__":
    unittest.main()
