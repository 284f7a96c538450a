#!/usr/bin/env python3
"""Checks that docs/results.md and README.md match results/, and that scripts/results-page --check sees differences."""
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(sys.argv[1])
SCRIPT = ROOT / "scripts/results-page"


def check(root):
    return subprocess.run([sys.executable, SCRIPT, "--check", root], text=True, capture_output=True)


def main():
    now = check(ROOT)
    assert now.returncode == 0, now.stdout + now.stderr
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("docs", "results"):
            shutil.copytree(ROOT / name, root / name)
        shutil.copy(ROOT / "README.md", root)
        assert check(root).returncode == 0
        tables = [*(root / "results").glob("*/table3.md"), root / "results/full-width-h100/full-width.md"]
        assert tables[-1].exists(), "the table in README.md is made from it"
        for path in tables:
            path.write_text(path.read_text().replace("FR-GAN", "FR-GUN"))
        stale = check(root)
        assert stale.returncode == 1 and "docs/results.md" in stale.stdout and "README.md" in stale.stdout, stale.stdout
        subprocess.run([sys.executable, SCRIPT, root], check=True)
        assert check(root).returncode == 0
        assert "FR-GUN" in (root / "README.md").read_text() and "FR-GUN" in (root / "docs/results.md").read_text()


main()
