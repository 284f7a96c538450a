#!/usr/bin/env python3
"""signals_test.py FRGAN: signals and closed or full outputs while frgan runs. Needs the Python of scripts/python-tools."""

import os
import re
import resource
import signal
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
TRAIN = ["train", "--method", "supervised", *tiny_runs.SMALL]
ENDLESS = ["--steps", "1000000", "--log-every", "1"]
PLAN = """
[settings]
data = "data"
image-size = 16
labels = 0
width = 0.0625
batch-size = 4
init-images = 8
[budget.only]
steps = 1000000
[[row]]
name = "only"
preset = "supervised"
"""
MESSAGE = "writing a checkpoint after this step; press Ctrl-C again after a second to stop at once"


def wait_until(condition, process, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, f"ended early with code {process.returncode}"
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.005)


def handles(process, number):
    caught = re.search(r"^SigCgt:\s*([0-9a-f]+)", Path(f"/proc/{process.pid}/status").read_text(), re.MULTILINE)
    return int(caught[1], 16) >> (number - 1) & 1


def child_of(process):
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            if re.search(rf"^PPid:\s*{process.pid}$", status.read_text(), re.MULTILINE):
                return int(status.parent.name)
        except OSError:  # the process has ended
            pass
    raise AssertionError("no child process")


class SignalsTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        tiny_runs.make_images(self.folder / "data")

    def start(self, *arguments, **options):
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        process = subprocess.Popen([FRGAN, *arguments], cwd=self.folder, text=True,
                                   env={**os.environ, "OMP_NUM_THREADS": "1"}, **options)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        process.kill()
        process.communicate()

    def start_run(self, run, *arguments, **options):
        """Starts a run and waits until it trains."""
        process = self.start(*TRAIN, *ENDLESS, "--run", run, *arguments, **options)
        log = self.folder / run / "metrics.jsonl"
        wait_until(lambda: log.exists() and log.stat().st_size > 0, process)
        return process

    def checkpoints(self, run):
        return sorted((self.folder / run / "checkpoints").glob("step-*"))

    def expect_stopped(self, process, run, code):
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, code, errors)
        self.assertIn(MESSAGE, errors)
        self.assertIn(f"continue with: frgan train --resume {run}", errors)
        self.assertTrue([path for path in self.checkpoints(run) if path.name > "step-00000000"])

    def test_each_signal_writes_a_checkpoint(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGXCPU):
            with self.subTest(number.name):
                process = self.start_run(number.name)
                process.send_signal(number)
                self.expect_stopped(process, number.name, 128 + number)

    def test_one_event_may_send_a_signal_twice(self):
        for number in (signal.SIGHUP, signal.SIGTERM):  # a closed terminal; `timeout`, systemd, Slurm
            with self.subTest(number.name):
                process = self.start_run(number.name)
                process.send_signal(number)
                self.assertIsNone(process.poll())
                process.send_signal(number)
                self.expect_stopped(process, number.name, 128 + number)

    def test_second_signal_ends_at_once(self):
        (self.folder / "plan.toml").write_text(PLAN)
        sweep = self.start("sweep", "plan.toml", "--budget", "only", "--jobs", "1")
        wait_until(lambda: list(self.folder.glob("runs/**/metrics.jsonl")), sweep)
        run = child_of(sweep)
        os.kill(run, signal.SIGSTOP)  # so that the sweep waits for it
        self.addCleanup(os.kill, run, signal.SIGKILL)  # a stopped process also survives the end of the sweep
        lines, shown = [], threading.Event()

        def read():
            for line in sweep.stderr:
                lines.append(line)
                if "stopping the runs after their next checkpoint" in line:
                    shown.set()

        reader = threading.Thread(target=read)
        reader.start()
        begin = time.monotonic()
        sweep.send_signal(signal.SIGINT)
        self.assertTrue(shown.wait(5), lines)
        # 0.2 s on an idle machine.
        self.assertLess(time.monotonic() - begin, 3)
        time.sleep(1.2)
        self.assertIsNone(sweep.poll())
        sweep.send_signal(signal.SIGINT)
        self.assertEqual(sweep.wait(timeout=5), -signal.SIGINT)
        reader.join()

    def test_nohup_ignores_the_closed_terminal(self):
        process = self.start_run("nohup", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGTERM)
        self.expect_stopped(process, "nohup", 143)

    def test_stops_while_it_loads_images(self):
        # Images that take long to decode.
        Image.effect_noise((2500, 2500), 50).convert("RGB").save(self.folder / "noise.png")
        for i in range(200):
            os.link(self.folder / "noise.png", self.folder / f"data/train/ant/noise{i}.png")
        for command in ([*TRAIN, *ENDLESS, "--run", "loading"], ["data", "convert", "all.safetensors", "--data", "data"]):
            with self.subTest(command[0]):
                process = self.start(*command)
                wait_until(lambda: handles(process, signal.SIGINT), process)
                time.sleep(0.5)  # into the loading
                process.send_signal(signal.SIGINT)
                begin = time.monotonic()
                _, errors = process.communicate(timeout=60)
                self.assertEqual(process.returncode, 130, errors)
                self.assertLess(time.monotonic() - begin, 5, "all images take much longer")
                self.assertIn("stopp", errors)
        self.assertFalse((self.folder / "loading").exists())
        self.assertEqual(list(self.folder.glob("*.safetensors*")), [])

    def test_unfinished_files_are_removed(self):
        self.assertEqual(self.start(*TRAIN, "--steps", "2", "--run", "run").wait(60), 0)
        for i in range(20000):
            os.link(self.folder / "data/test/ant/0.png", self.folder / f"data/test/ant/more{i}.png")
        for command in (["predict", "run", "data/test", "-o", "predictions.csv"],
                        ["evaluate", "run", "--predictions", "predictions.csv"]):
            with self.subTest(command[0]):
                process = self.start(*command)
                wait_until(lambda: list(self.folder.glob("predictions.csv*")), process)
                process.send_signal(signal.SIGTERM)
                _, errors = process.communicate(timeout=60)
                self.assertEqual(process.returncode, 143, errors)
                self.assertEqual(list(self.folder.glob("predictions.csv*")), [])

    def test_closed_and_full_outputs_do_not_end_training(self):
        steps = ["--steps", "30", "--log-every", "1", "--run"]
        read_end, write_end = os.pipe()
        os.close(read_end)
        with open("/dev/full", "w") as full:
            for name, options in (("full", {"stdout": full, "stderr": full}),
                                  ("dead-pipe", {"stdout": write_end, "stderr": write_end}),
                                  ("closed", {"preexec_fn": lambda: (os.close(1), os.close(2))})):
                with self.subTest(name):
                    process = self.start(*TRAIN, *steps, name, **options)
                    process.communicate(timeout=60)
                    self.assertEqual(process.returncode, 0)
                    self.assertTrue((self.folder / name / "summary.json").exists())
        os.close(write_end)

    def test_cpu_limit_writes_a_checkpoint(self):
        process = self.start_run("cpu", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (8, 60)))
        self.expect_stopped(process, "cpu", 128 + signal.SIGXCPU)


if __name__ == "__main__":
    unittest.main()
