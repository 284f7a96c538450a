"""Tests which files tidy.py --torch regards as changed, and through which file it checks a header."""

import os
import subprocess
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
        clean = {name: text for name, text in os.environ.items() if not name.startswith(("GIT_", "FRGAN_"))}
        for patch in (mock.patch.object(tidy, "ROOT", self.root), mock.patch("builtins.print"),
                      mock.patch.dict(os.environ, clean, clear=True)):
            patch.start()
            self.addCleanup(patch.stop)

    def git(self, *arguments):
        subprocess.run(["git", "-C", self.root, "-c", "user.name=a", "-c", "user.email=a@b", *arguments],
                       check=True, capture_output=True)

    def commit(self, *names):
        if not (self.root / ".git").exists():
            self.git("init", "-b", "main")
        for name in names:
            file = self.root / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(name)
        self.git("add", "-A")
        self.git("commit", "-m", " ".join(names))

    def changed(self):
        return {str(file.relative_to(self.root)) for file in tidy.changed()}

    def test_on_main_last_commit_and_uncommitted_changes(self):
        self.commit("src/a.cpp")
        self.assertEqual(self.changed(), set())  # a clone with one commit
        self.commit("src/b.cpp")
        self.commit("src/c.cpp")
        (self.root / "src/new.cpp").write_text("")
        (self.root / "src/a.cpp").write_text("other")
        (self.root / "src/b.cpp").unlink()
        self.assertEqual(self.changed(), {"src/c.cpp", "src/new.cpp", "src/a.cpp", "src/b.cpp"})

    def test_on_branch_all_its_commits(self):
        self.commit("src/a.cpp")
        self.git("update-ref", "refs/remotes/origin/main", "HEAD")
        self.commit("src/b.cpp")
        self.commit("src/c.cpp")
        self.assertEqual(self.changed(), {"src/b.cpp", "src/c.cpp"})
        os.environ["FRGAN_TIDY_SINCE"] = "HEAD~1"
        self.assertEqual(self.changed(), {"src/c.cpp"})
        os.environ["FRGAN_TIDY_SINCE"] = "nothing"
        self.assertRaises(SystemExit, self.changed)

    def test_without_git_nothing_changed(self):
        self.assertEqual(self.changed(), set())

    def test_header_is_checked_through_one_file(self):
        a, b, c = (self.root / f"src/{name}.cpp" for name in "abc")
        header, other = self.root / "src/c.h", self.root / "src/other.h"
        files = {a: {a, header}, b: {b, header, other}, c: {c, header, other}}
        for names, read in [([], []), ([a], [a]), ([header], [c]), ([header, a], [a]), ([other], [b]),
                            ([header, other], [c]), ([self.root / "src/gone.cpp"], [])]:
            with mock.patch.object(tidy, "changed", lambda: {name: len(name.stem) for name in names}):
                self.assertEqual(tidy.representatives(files), read, names)


if __name__ == "__main__":
    unittest.main()
