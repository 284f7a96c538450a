#!/usr/bin/env python3
"""memory_test.py FRGAN: a run of 20,000 small FR-GAN steps with evaluations, image grids and checkpoints. Its memory must
not grow by more than 1 MB after the first 1,000 steps. The peak that the program expects before the first step must be
within 15 % of the true peak. Large photos must be decoded one by one. Needs the Python of scripts/python-tools."""

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

from PIL import Image

import tiny_runs

FRGAN = os.path.abspath(sys.argv.pop(1))
STEPS, WARM_UP = 20_000, 1_000


def memory_of(process, name):
    """A value of /proc/PID/status in bytes, or None if the process has ended."""
    try:
        found = re.search(rf"^{name}:\s*(\d+) kB", Path(f"/proc/{process.pid}/status").read_text(), re.MULTILINE)
    except OSError:
        return None
    return 1024 * int(found[1]) if found else None


class MemoryTest(unittest.TestCase):
    def test_memory_does_not_grow(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            tiny_runs.make_images(folder / "data")
            process = tiny_runs.start(FRGAN, folder, "train", "--run", "run", *tiny_runs.SMALL, *tiny_runs.GENERATOR,
                                      "--steps", str(STEPS), "--log-every", "50", "--evaluate-every", "500",
                                      "--sample-every", "500", "--checkpoint-minutes", "0.1")
            errors = []
            reader = threading.Thread(target=lambda: errors.append(process.stderr.read()))
            reader.start()
            log, samples, peak = folder / "run/metrics.jsonl", [], 0
            while process.poll() is None:
                anonymous, top = memory_of(process, "RssAnon"), memory_of(process, "VmHWM")
                lines = log.read_text().splitlines() if log.exists() else []
                steps = [int(step) for step in re.findall(r'^{"step":(\d+)', "\n".join(lines[-3:]), re.MULTILINE)]
                if anonymous and steps:
                    samples.append((max(steps), anonymous))
                    peak = max(peak, top or 0)
                time.sleep(0.2)
            reader.join()
            self.assertEqual(process.returncode, 0, errors)
            process.stdout.close()
            process.stderr.close()
        before = [memory for step, memory in samples if WARM_UP <= step <= WARM_UP + 500]
        after = [memory for step, memory in samples if step >= STEPS - 1000]
        # The smallest of each: evaluations and checkpoints need memory for a moment.
        growth = min(after) - min(before)
        expected = float(re.search(r"expected peak memory: ([\d.]+) GiB", errors[0])[1])
        print(f"{len(samples)} samples, {min(before) / 1e6:.1f} MB after {WARM_UP} steps, growth {growth / 1e6:.2f} MB; "
              f"peak {peak / 2**30:.3f} GiB, expected {expected} GiB")
        self.assertLessEqual(growth, 1_000_000)
        self.assertLess(abs(expected * 2**30 / peak - 1), 0.15)

    def test_large_photos_are_decoded_one_by_one(self):
        peaks = []
        for size in ((64, 64), (5472, 3648)):  # the second is 60 MB when decoded
            with tempfile.TemporaryDirectory() as name:
                for i in range(8):
                    path = Path(name) / "train" / "ab"[i % 2] / f"{i}.jpg"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    Image.effect_noise((64, 64), 50 + i).convert("RGB").resize(size).save(path)
                process = subprocess.Popen([FRGAN, "data", "info", name, "--image-size", "32", "--quiet"],
                                           stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
                self.assertEqual(process.returncode, 0)
                peaks.append(usage.ru_maxrss / 1000)
        print(f"peak with small photos {peaks[0]:.0f} MB, with large ones {peaks[1]:.0f} MB")
        self.assertLess(peaks[1] - peaks[0], 100)


if __name__ == "__main__":
    unittest.main()
