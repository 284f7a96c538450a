#!/usr/bin/env python3
"""report_test.py FRGAN: opens the HTML report of tiny runs in headless Chromium at desktop and phone width. Checks
content, layout, accessibility, and that the console is empty. Needs the Python of scripts/python-tools."""

import html
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from PIL import Image

import tiny_runs

FRGAN = os.path.abspath(sys.argv.pop(1))

# The page is opened in an iframe of the required width, because Chromium windows are at least 500 pixels wide.
FRAME = """<!DOCTYPE html><title>frame</title><iframe id="page" width="{width}" height="2000" srcdoc="{page}"></iframe>
<script>
onload = () => {{
  const view = document.getElementById("page").contentWindow, page = view.document, root = page.documentElement;
  const all = query => [...page.querySelectorAll(query)], shown = e => view.getComputedStyle(e).display != "none";
  const curves = all("#curves .r0"), box = page.getElementById("show-0"), before = curves.filter(shown).length;
  box.click();
  const links = all("a, summary, input, [tabindex]");
  document.documentElement.dataset.found = JSON.stringify({{
    width: view.innerWidth,
    too_wide: root.scrollWidth - root.clientWidth,
    outside: all("main *").filter(e => !e.closest(".scroll") && e.getBoundingClientRect().right > root.clientWidth + 1)
                          .map(e => e.outerHTML.slice(0, 80)),
    numbers: all(".card .number").map(e => e.textContent),
    mistakes: all("#mistakes figure").length,
    painted: all("#mistakes figure svg").filter(e => e.getBoundingClientRect().height > 20).length,
    broken: all("img").filter(e => !(e.complete && e.naturalWidth > 0)).length,
    images: all("img").length,
    nameless: all("img:not([alt]), svg[role=img]:not([aria-label]), input:not([id])").length,
    unreachable: links.filter(e => {{ e.focus(); return page.activeElement != e && e.checkVisibility(); }}).length,
    hidden_curves: [before, curves.filter(shown).length],
    anchors: all("nav a").filter(e => !page.querySelector(e.getAttribute("href"))).length,
    ids: all("[id]").length - new Set(all("[id]").map(e => e.id)).size,
  }});
}};
</script>"""


def open_in_browser(path):
    """Returns (DOM, console messages)."""
    with tempfile.TemporaryDirectory() as profile:
        found = subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
             "--virtual-time-budget=5000", "--enable-logging=stderr", "--dump-dom", f"file://{path}"],
            capture_output=True, text=True, timeout=100, check=True)
    return found.stdout, [line for line in found.stderr.splitlines() if ":CONSOLE" in line]


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        tiny_runs.make_images(cls.folder / "data")
        first = tiny_runs.start(FRGAN, cls.folder, "train", "--run", "fr-gan", *tiny_runs.SMALL, *tiny_runs.GENERATOR,
                                "--steps", "40", "--evaluate-every", "2")
        tiny_runs.succeed(tiny_runs.start(FRGAN, cls.folder, "train", "--run", "supervised", "--method", "supervised",
                                          *tiny_runs.SMALL, "--steps", "20"))
        tiny_runs.succeed(first)
        stopped = tiny_runs.start(FRGAN, cls.folder, "train", "--run", "stopped", "--method", "supervised",
                                  *tiny_runs.SMALL, "--steps", "100000", "--log-every", "5")
        log = cls.folder / "stopped/metrics.jsonl"
        while (not log.exists() or log.stat().st_size == 0) and stopped.poll() is None:
            time.sleep(0.005)
        stopped.send_signal(signal.SIGINT)
        assert tiny_runs.finish(stopped)[0] == 130
        cls.code, cls.out, cls.errors = cls.report("fr-gan", "supervised", "stopped", "-o", "report.html")
        cls.page = (cls.folder / "report.html").read_text()

    @classmethod
    def report(cls, *arguments):
        return tiny_runs.finish(tiny_runs.start(FRGAN, cls.folder, "report", *arguments))

    def found_at(self, width, page=None):
        frame = self.folder / f"frame-{width}.html"
        frame.write_text(FRAME.format(width=width, page=html.escape(page or self.page)))
        dom, console = open_in_browser(frame)
        self.assertEqual(console, [])
        return json.loads(html.unescape(re.search(r'data-found="([^"]*)"', dom)[1]))

    def test_prints_file_size_and_notes(self):
        self.assertEqual(self.code, 0, self.errors)
        self.assertRegex(self.out, r"^report      report.html \(0\.\d MB\)\n$")
        self.assertEqual(self.errors,
                         "note: stopped: This run is not finished; the report shows its progress so far.\n")

    def test_content_and_layout_on_phone_and_desktop(self):
        summaries = [json.loads((self.folder / run / "summary.json").read_text()) for run in ("fr-gan", "supervised")]
        mistakes = [len(json.loads((self.folder / run / "mistakes.json").read_text())["mistakes"])
                    for run in ("fr-gan", "supervised")]
        for width in (360, 1280):
            with self.subTest(width=width):
                found = self.found_at(width)
                self.assertEqual((found["width"], found["too_wide"], found["outside"]), (width, 0, []))
                errors = [f"{100 * summary['test']['test_error']:.2f}\u00a0%" for summary in summaries]
                self.assertEqual(found["numbers"], [*errors, "not finished"])
                self.assertEqual((found["mistakes"], found["painted"]), (sum(mistakes), sum(mistakes)))
                self.assertGreater(found["images"], 2)
                self.assertEqual({name: found[name] for name in ("broken", "nameless", "unreachable", "anchors", "ids")},
                                 {"broken": 0, "nameless": 0, "unreachable": 0, "anchors": 0, "ids": 0})
                self.assertGreater(found["hidden_curves"][0], 0)
                self.assertEqual(found["hidden_curves"][1], 0)

    def test_console_is_empty_and_would_show_errors(self):
        dom, console = open_in_browser(self.folder / "report.html")
        self.assertEqual(console, [])
        self.assertTrue("<h1>3 frgan runs</h1>" in dom)
        loud = self.folder / "loud.html"
        loud.write_text("<script>console.error('heard')</script>")
        self.assertIn("heard", "".join(open_in_browser(loud)[1]))

    def test_run_without_mistakes_file_is_diagnosed(self):
        def older(name):
            shutil.copytree(self.folder / "fr-gan", self.folder / name)
            for file in ("mistakes.json", "mistakes.png", "gates.json"):
                (self.folder / name / file).unlink(missing_ok=True)

        older("older")
        code, _, errors = self.report("older", "--no-diagnose", "--output", "older.html")
        self.assertEqual((code, errors), (0, ""))
        self.assertFalse((self.folder / "older/mistakes.json").exists())
        code, _, errors = self.report("older", "--output=older.html")
        self.assertEqual((code, errors), (0, "older: classifying 10 images\n"))
        for file in ("mistakes.json", "gates.json"):
            self.assertEqual((self.folder / "older" / file).read_text(), (self.folder / "fr-gan" / file).read_text())
        older("moved")
        shutil.move(self.folder / "data", self.folder / "elsewhere")
        try:
            code, _, errors = self.report("moved", "-o", "moved.html")
        finally:
            shutil.move(self.folder / "elsewhere", self.folder / "data")
        self.assertEqual(code, 0)
        self.assertRegex(errors, r"^note: moved: The mistakes are unknown and could not be computed: .*data.*\n$")
        self.assertTrue("The mistakes are unknown and could not be computed" in (self.folder / "moved.html").read_text())

    def test_damaged_files_are_repaired_or_not_read(self):
        shutil.copytree(self.folder / "fr-gan", self.folder / "damaged")
        mistakes = self.folder / "damaged/mistakes.json"
        mistakes.write_text(mistakes.read_text()[:-20])
        options = self.folder / "damaged/options.toml"
        self.assertIn("seed = 3", options.read_text())
        options.write_text(options.read_text().replace("seed = 3", "seed = 4"))
        code, _, errors = self.report("damaged", "-o", "damaged.html")
        self.assertEqual((code, errors), (0, "damaged: classifying 10 images\n"))
        self.assertEqual(mistakes.read_text(), (self.folder / "fr-gan/mistakes.json").read_text())
        page = (self.folder / "damaged.html").read_text()  # the seed comes from the checkpoint
        self.assertRegex(page, r"<code>seed</code></th><td>3</td>")

    def large_runs(self, count):
        """Creates copies of a run with realistic file sizes: 50 mistakes, 10 grids of 100 images, 2,000 log lines."""
        def image(rows):
            width, height = 10 * 34 - 2, rows * 34 - 2
            return Image.frombytes("RGB", (width, height), random.Random(rows).randbytes(3 * width * height))

        source = self.folder / "fr-gan"
        mistakes, grid = image(5), image(10)
        found = json.loads((source / "mistakes.json").read_text())
        del found["crc32c"]
        found.update(images=100, class_counts=[50, 50], shown=list(range(50)),
                     mistakes=[[row, row % 2, 1 - row % 2, 0.9] for row in range(50)],
                     files=[f"test/class/a-photo-of-{row:04}.jpeg" for row in range(50)])
        lines = [json.loads(line) for line in (source / "metrics.jsonl").read_text().splitlines()]
        log = "".join(json.dumps({**lines[i % len(lines)], "step": i + 1}) + "\n" for i in range(2000))
        runs = [f"large/{i}" for i in range(count)]
        for i, run in enumerate(runs):
            shutil.copytree(source, self.folder / run, ignore=shutil.ignore_patterns("checkpoints", "samples", "events*"))
            options = self.folder / run / "options.toml"
            options.write_text(re.sub(r"(?m)^seed = .*", f"seed = {i}", options.read_text()))
            (self.folder / run / "metrics.jsonl").write_text(log)
            (self.folder / run / "mistakes.json").write_text(json.dumps(found))
            mistakes.save(self.folder / run / "mistakes.png")
            (self.folder / run / "samples").mkdir()
            for step in range(200, 2001, 200):
                if step == 200:
                    grid.save(self.folder / run / "samples/step-00000200.png")
                else:
                    os.link(self.folder / run / "samples/step-00000200.png",
                            self.folder / run / f"samples/step-{step:08}.png")
        return runs

    def test_page_size_is_limited(self):
        runs = self.large_runs(100)
        for count in (1, 20, 100):
            with self.subTest(runs=count):
                code, _, errors = self.report(*runs[:count], "-o", "large.html")
                self.assertEqual((code, errors), (0, ""))
                page = self.folder / "large.html"
                self.assertLess(page.stat().st_size, 3_000_000)
                text = page.read_text()
                self.assertLessEqual(max(points.count(",") for points in re.findall(r'class="curve [^"]*"[^>]* points="([^"]*)"',
                                                                                    text)), 200)
                self.assertEqual("Omitted to limit the page size: generated images" in text, count == 100)
                self.assertRegex(text, r" of 10 grids, the first \d+ images of each\. The run folder has all of them")
                if count <= 20:
                    self.assertEqual(text.count(' id="mistakes-'), count + 1)
                if count == 20:
                    self.assertEqual(open_in_browser(page)[1], [])
                    found = self.found_at(1280, text)
                    self.assertEqual((found["too_wide"], found["outside"], found["broken"], found["ids"]), (0, [], 0, 0))
                    self.assertEqual(found["painted"], found["mistakes"])

    def test_rejects_invalid_arguments(self):
        for arguments, code, message in ((["data"], 1, "data: not a run folder"),
                                         (["nowhere"], 1, "nowhere: no such folder; expected a run folder"),
                                         (["fr-gan", "./fr-gan/"], 2, "fr-gan/ is given twice"),
                                         ([], 2, "missing argument; usage: frgan report RUN..."),
                                         (["fr-gan", "-o", "no/where.html"], 1, "no/where.html: cannot write")):
            found, out, errors = self.report(*arguments)
            self.assertEqual((found, out, errors.count("\n")), (code, "", 1), errors)
            self.assertIn(message, errors)


if __name__ == "__main__":
    unittest.main()
