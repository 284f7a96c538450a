#!/usr/bin/env python3
"""encoder_cache_test.py FRGAN: published weights from a server into the cache, and their use by `frgan train`. Needs the
Python of scripts/python-tools."""

import functools
import hashlib
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

import tiny_runs

FRGAN = os.path.abspath(sys.argv.pop(1))
NARROW = ["--width", "0.0625", "--batch-size", "4", "--threads", "1"]
CONFIG = {"architecture": "resnet18.test", "input_size": [3, 32, 32], "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5],
          "license": "apache-2.0"}


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


class EncoderCache(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.temporary.name)
        tiny_runs.make_images(cls.folder / "data")
        # The averaged weights of a run of resnet18 have timm's names, as published weights do.
        cls.run_frgan(cls, "train", "--data", "data", "--method", "supervised", "--network", "resnet18", "--image-size", "32",
                      "--labels", "0", "--batch-size", "4", "--threads", "1", "--precision", "fp32", "--steps", "1", "--run",
                      "published", check=True)
        repository = cls.folder / "site/timm/resnet18.a1_in1k/resolve/main"
        repository.mkdir(parents=True)
        average = next((cls.folder / "published/checkpoints").glob("step-*1")) / "average.safetensors"
        (repository / "model.safetensors").write_bytes(average.read_bytes())
        (repository / "config.json").write_text(json.dumps(CONFIG))
        cls.digest = hashlib.sha256(average.read_bytes()).hexdigest()
        other = cls.folder / "site/timm/resnet50.a1_in1k/resolve/main"
        other.mkdir(parents=True)
        (other / "model.safetensors").write_bytes(average.read_bytes())  # of another network
        (other / "config.json").write_text(json.dumps(CONFIG))
        handler = functools.partial(QuietHandler, directory=str(cls.folder / "site"))
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.temporary.cleanup()

    def run_frgan(self, *arguments, cache="cache", check=False):
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "FRGAN_CACHE": str(self.folder / cache), "no_proxy": "127.0.0.1"}
        return subprocess.run([FRGAN, *arguments], cwd=self.folder, env=environment, capture_output=True, text=True,
                              check=check)

    def fetch(self, network, **more):
        return self.run_frgan("data", "fetch", "encoder", network, "--site",
                              f"http://127.0.0.1:{self.server.server_address[1]}", **more)

    def test_fetches_weights_and_trains_with_them(self):
        fetched = self.fetch("resnet18")
        self.assertEqual(fetched.returncode, 0, fetched.stderr)
        weights = self.folder / "cache/encoders/resnet18/model.safetensors"
        self.assertEqual(fetched.stdout, f"{weights}\n")
        self.assertIn(f"license: apache-2.0; there is no digest to compare with; SHA-256 of the weights: {self.digest}\n",
                      fetched.stderr)
        time_of_first = weights.stat().st_mtime_ns
        self.assertEqual(self.fetch("resnet18").returncode, 0)
        self.assertEqual(weights.stat().st_mtime_ns, time_of_first)  # kept
        trained = self.run_frgan("train", "--data", "data", "--labels", "0", "--threads", "1", "--run", "run")
        self.assertEqual(trained.returncode, 0, trained.stderr)
        self.assertIn(f"using the published weights {weights}; for training without them, give --method or --preset\n",
                      trained.stderr)
        summary = json.loads((self.folder / "run/summary.json").read_text())
        self.assertEqual((summary["method"], summary["encoder"]["sha256"]), ("linear", self.digest))
        self.assertIn(f"--encoder={weights}", summary["command"])

    def test_says_how_to_get_weights(self):
        trained = self.run_frgan("train", "--data", "data", "--labels", "0", *NARROW, "--dry-run", cache="empty")
        self.assertIn("hint: photos with few labels need published weights; get them with 'frgan data fetch encoder "
                      "efficientnet-lite0'\n", trained.stderr)
        chosen = self.run_frgan("train", "--data", "data", "--labels", "0", *NARROW, "--dry-run", "--steps", "1",
                                cache="empty")
        self.assertNotIn("hint", chosen.stderr)

    def test_refuses_weights_of_another_network(self):
        fetched = self.fetch("resnet50")
        self.assertEqual((fetched.returncode, fetched.stdout), (1, ""))
        self.assertIn("the weights are of the network 'resnet18', expected 'resnet50'", fetched.stderr)

    def test_names_what_is_wrong(self):
        unknown = self.fetch("resnet81")
        self.assertEqual(unknown.returncode, 2)
        self.assertIn("no published weights of 'resnet81'; available: efficientnet-lite0, resnet18", unknown.stderr)
        missing = self.fetch("convnext-tiny")
        self.assertEqual(missing.returncode, 1)
        self.assertIn("404", missing.stderr)
        incomplete = self.run_frgan("data", "fetch", "encoder")
        self.assertEqual(incomplete.returncode, 2)
        self.assertIn("missing network; for example: frgan data fetch encoder resnet18", incomplete.stderr)


if __name__ == "__main__":
    unittest.main()
