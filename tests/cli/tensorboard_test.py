#!/usr/bin/env python3
"""tensorboard_test.py FRGAN: reads a killed and resumed run with TensorBoard's own readers, and compares the result
with the run's metrics.jsonl. Needs the Python of scripts/python-tools."""

import json
import os
import shutil
import sys
import tempfile
import time
import unittest
from pathlib import Path

from tensorboard import context
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.data import server_ingester
from tensorboard.plugins.hparams import plugin_data_pb2
from tensorboard.util import grpc_util

import tiny_runs

FRGAN = os.path.abspath(sys.argv.pop(1))
SUMMARY_TAGS = {"learning_rate": "train/learning_rate", "images_per_second": "train/images_per_second",
                "test_error": "error/test", "dev_error": "error/dev"}
CHECKPOINT = 12  # the run is resumed from this step


def logged_points(run):
    """Returns metrics.jsonl as {tag: {step: value}}."""
    points = {}
    for line in (run / "metrics.jsonl").read_text().splitlines():
        entry = json.loads(line)
        values = {f"loss/{name}": value for name, value in entry.get("losses", {}).items()}
        values |= {tag: entry[name] for name, tag in SUMMARY_TAGS.items() if name in entry}
        for tag, value in values.items():
            points.setdefault(tag, {})[entry["step"]] = value
    return points


def steps_of(points):
    return {tag: list(series) for tag, series in points.items()}


def points_of_fast_reader(run):
    """Reads scalars with the data server, written in Rust, that the program `tensorboard` uses by default."""
    ingester = server_ingester.SubprocessServerDataIngester(
        server_binary=server_ingester.get_server_binary(), logdir=str(run), reload_interval=1,
        channel_creds_type=grpc_util.ChannelCredsType.LOCAL)
    ingester.start()
    for _ in range(100):
        found = ingester.data_provider.read_scalars(context.RequestContext(), experiment_id="", plugin_name="scalars",
                                                    downsample=10000)
        if "error/test" in found.get(".", {}) and found["."]["error/test"][-1].step == 40:
            break
        time.sleep(0.1)
    return {tag: {datum.step: datum.value for datum in series} for tag, series in found["."].items()}


class TensorBoardReads(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.run_folder = cls.folder / "run"
        tiny_runs.make_images(cls.folder / "data")
        process = tiny_runs.start(FRGAN, cls.folder, "train", "--run", "run", *tiny_runs.SMALL, *tiny_runs.GENERATOR,
                                  "--steps", "40", "--dev-images", "4", "--log-every", "2", "--evaluate-every", "5",
                                  "--sample-every", "4", "--checkpoint-minutes", "0", "--keep-checkpoints", "100")
        while not (cls.run_folder / "samples/step-00000020.png").exists() and process.poll() is None:
            time.sleep(0.005)
        process.kill()
        tiny_runs.finish(process)
        for checkpoint in (cls.run_folder / "checkpoints").iterdir():
            if int(checkpoint.name[5:13]) > CHECKPOINT:
                shutil.rmtree(checkpoint)
        cls.before = EventAccumulator(str(cls.run_folder), size_guidance={"scalars": 0}).Reload()
        with open(next(cls.run_folder.glob("events.out.tfevents.*")), "ab") as file:
            file.write(b"\x40\0\0")  # a truncated record
        tiny_runs.succeed(tiny_runs.start(FRGAN, cls.folder, "train", "--resume", "run", "--log-every", "7",
                                          "--evaluate-every", "9"))
        cls.points = logged_points(cls.run_folder)
        cls.events = EventAccumulator(str(cls.run_folder), size_guidance={"scalars": 0, "images": 0}).Reload()

    def test_killed_run_is_readable(self):
        self.assertGreaterEqual(self.before.Scalars("loss/supervised")[-1].step, 18)

    def test_scalars_match_log(self):
        found = {tag: {event.step: event.value for event in self.events.Scalars(tag)}
                 for tag in self.events.Tags()["scalars"]}
        self.assertEqual(steps_of(found), steps_of(self.points))
        self.assertEqual(list(found["loss/supervised"]), [2, 4, 6, 8, 10, 12, 14, 21, 28, 35, 40])
        for tag, series in found.items():
            for step, value in series.items():
                self.assertAlmostEqual(value, self.points[tag][step], delta=1e-6 * abs(value), msg=f"{tag} at {step}")

    def test_fast_reader_finds_same_scalars(self):
        self.assertEqual(steps_of(points_of_fast_reader(self.run_folder)), steps_of(self.points))

    def test_images_match_sample_grids(self):
        grids = {int(path.stem[5:]): path.read_bytes() for path in (self.run_folder / "samples").iterdir()}
        found = {event.step: event for event in self.events.Images("samples")}
        self.assertEqual(list(found), [*range(4, 41, 4)])
        for step, event in found.items():
            self.assertEqual(event.encoded_image_string, grids[step])
            self.assertEqual((event.width, event.height), (178, 178))

    def test_hyperparameters_match_options(self):
        def plugin_data(tag):
            content = self.events.SummaryMetadata(f"_hparams_/{tag}").plugin_data.content
            return plugin_data_pb2.HParamsPluginData.FromString(content)

        options = plugin_data("session_start_info").session_start_info.hparams
        self.assertEqual(options["method"].string_value, "fr-gan")
        self.assertEqual(options["steps"].number_value, 40)
        self.assertEqual(options["width"].number_value, 0.0625)
        self.assertEqual(options["se-bias"].WhichOneof("kind"), "bool_value")
        self.assertEqual(plugin_data("session_end_info").session_end_info.status, 1)  # success


if __name__ == "__main__":
    unittest.main(warnings="ignore")  # the fast reader's server runs until this process ends
