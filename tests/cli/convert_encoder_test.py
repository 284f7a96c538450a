"""Tests scripts/convert-encoder against torch.save. Run with a Python that has torch.

    /usr/bin/python3 tests/cli/convert_encoder_test.py
"""
import collections
import importlib.machinery
import importlib.util
import io
import json
import pathlib
import pickle
import struct
import subprocess
import sys
import tempfile
import unittest

import torch

SCRIPT = pathlib.Path(__file__).parents[2] / "scripts" / "convert-encoder"
LOADER = importlib.machinery.SourceFileLoader("convert_encoder", str(SCRIPT))
converter = importlib.util.module_from_spec(importlib.util.spec_from_loader("convert_encoder", LOADER))
LOADER.exec_module(converter)

NAMES = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
         torch.int64: "I64", torch.int32: "I32", torch.uint8: "U8", torch.bool: "BOOL"}


def some_tensors():
    torch.manual_seed(1)
    shared = torch.randn(20)
    tensors = {
        "dense.weight": torch.randn(5, 7),
        "transposed": torch.randn(5, 7).t(),
        "channels_last": torch.randn(6, 3, 4, 5).contiguous(memory_format=torch.channels_last),
        "kernel_first": torch.randn(3, 3, 4, 8).permute(3, 2, 0, 1),
        "single_channel": torch.randn(3, 3, 1, 8).permute(3, 2, 0, 1),
        "expanded": torch.randn(4, 1).expand(4, 6),
        "every_other": shared[1::2],
        "first": shared[:3],
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 3),
        "half": torch.randn(3, 4).half().t(),
        "bfloat16": torch.randn(3, 4).bfloat16(),
        "double": torch.randn(3).double(),
        "steps": torch.tensor(7),
        "small": torch.arange(5, dtype=torch.int32),
        "bytes": torch.arange(5, dtype=torch.uint8),
        "mask": torch.tensor([True, False]),
    }
    return collections.OrderedDict(tensors, parameter=torch.nn.Parameter(torch.randn(2, 2)))


def saved(tensors, is_zip):
    file = io.BytesIO()
    torch.save(tensors, file, _use_new_zipfile_serialization=is_zip)
    return file.getvalue()


def raw(tensor):
    """The bytes of a tensor in row-major order."""
    flat = tensor.detach().contiguous().flatten()
    return bytes((flat.to(torch.uint8) if flat.dtype == torch.bool else flat.view(torch.uint8)).tolist())


class ConvertEncoderTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def convert(self, data, name="weights.pth"):
        source = self.folder / name
        source.write_bytes(data)
        return subprocess.run([sys.executable, "-B", SCRIPT, source, self.folder / "out"], capture_output=True, text=True,
                              timeout=60, check=False)

    def converted(self):
        data = (self.folder / "out" / "model.safetensors").read_bytes()
        start = 8 + struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8:start])
        self.assertEqual(header.pop("__metadata__"), {"format": "pt"})
        return {name: (entry["dtype"], entry["shape"], data[start + entry["data_offsets"][0]:
                                                            start + entry["data_offsets"][1]])
                for name, entry in header.items()}

    def test_both_formats_equal_torch(self):
        tensors = some_tensors()
        for is_zip in (False, True):
            for wrapped in (tensors, {"epoch": 3, "state_dict": tensors}):
                run = self.convert(saved(wrapped, is_zip))
                self.assertEqual(run.returncode, 0, run.stderr)
                found = self.converted()
                self.assertEqual(sorted(found), sorted(tensors))
                for name, tensor in tensors.items():
                    self.assertEqual(found[name], (NAMES[tensor.dtype], list(tensor.shape), raw(tensor)), name)

    def test_code_is_never_run(self):
        for is_zip in (False, True):
            data = saved({"weight": torch.zeros(2), "x": print}, is_zip)
            run = self.convert(data)
            self.assertEqual(run.returncode, 1)
            self.assertRegex(run.stderr, f"^convert-encoder: {self.folder}/weights.pth: the file contains "
                                         r"\w+\.print, which is not a part of weights\n$")
        run = self.convert(pickle.dumps(subprocess.Popen))
        self.assertIn("the file contains subprocess.Popen", run.stderr)
        self.assertFalse((self.folder / "out").exists())

    def test_damaged_files_are_errors(self):
        for is_zip in (False, True):
            data = saved({"weight": torch.randn(3, 4), "bias": torch.randn(4)}, is_zip)
            for size in range(0, len(data) - 1, 7):
                with self.assertRaises(converter.InvalidFile, msg=f"{size}"):
                    source = self.folder / "damaged.pth"
                    source.write_bytes(data[:size])
                    converter.read_weights(source)
            for place in range(0, len(data), 5):
                source.write_bytes(data[:place] + bytes([data[place] ^ 0x15]) + data[place + 1:])
                try:
                    converter.read_weights(source)  # a change of a number is no error
                except converter.InvalidFile:
                    pass

    def test_tensors_beyond_their_storage_are_errors(self):
        storage = converter.Storage("FloatStorage", 10)
        converter.Tensor(storage, 1, (3, 3), (3, 1))
        for offset, shape, strides in ((2, (3, 3), (3, 1)), (0, (3, 3), (4, 1)), (-1, (2,), (1,)), (0, (2,), (-1,)),
                                       (0, (3,), (1, 1)), (0, (1 << 40, 1 << 40), (0, 0))):
            with self.assertRaises(converter.InvalidFile):
                converter.Tensor(storage, offset, shape, strides)

    def test_hostile_pickles_are_errors(self):
        class Changed:  # a tensor whose shape the pickle changes afterwards
            def __init__(self, tensor):
                self.tensor = tensor

            def __reduce__(self):
                function, arguments = self.tensor.__reduce_ex__(2)[:2]
                return function, arguments, {"shape": (1 << 40,)}

        for is_zip in (False, True):
            run = self.convert(saved({"weight": Changed(torch.zeros(3))}, is_zip))
            self.assertEqual(run.returncode, 1)
            self.assertIn("the pickle changes a tensor", run.stderr)
            run = self.convert(saved({"__metadata__": torch.zeros(3)}, is_zip))
            self.assertIn("'__metadata__' is not a tensor", run.stderr)
            run = self.convert(saved({"weight": torch.zeros(1).expand(1 << 14, 1 << 15)}, is_zip))
            self.assertIn("a tensor is larger than its storage", run.stderr)
        header = [pickle.dumps(part, 2) for part in (converter.LEGACY_MAGIC, converter.LEGACY_PROTOCOL, {}, {}, [[1]])]
        self.assertIn("does not match the tensors", self.convert(b"".join(header)).stderr)

    def test_other_files_are_errors(self):
        for data, message in ((b"", "invalid pickle"), (b"hello", "invalid pickle"),
                              (saved([1, 2], True), "contains no dictionary of tensors"),
                              (saved({"a": 3}, True), "'a' is not a tensor")):
            run = self.convert(data)
            self.assertEqual(run.returncode, 1)
            self.assertIn(message, run.stderr)
            self.assertEqual(run.stderr.count("\n"), 1)

    def test_lite0_gets_the_names_of_timm(self):
        old = {"_conv_stem.weight": (4, 3, 3, 3), "_bn0.weight": (4,), "_bn0.num_batches_tracked": (),
               "_blocks.0._depthwise_conv.weight": (4, 1, 3, 3), "_blocks.0._bn1.bias": (4,),
               "_blocks.0._project_conv.weight": (2, 4, 1, 1), "_blocks.0._bn2.bias": (2,),
               "_blocks.3._expand_conv.weight": (12, 2, 1, 1), "_blocks.3._bn0.bias": (12,),
               "_blocks.3._bn1.bias": (12,), "_blocks.3._project_conv.weight": (2, 12, 1, 1),
               "_blocks.3._bn2.running_var": (2,), "_conv_head.weight": (8, 2, 1, 1), "_bn1.bias": (8,),
               "_fc.weight": (5, 8), "_fc.bias": (5,)}
        run = self.convert(saved({name: torch.randn(shape) for name, shape in old.items()}, False))
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(sorted(self.converted()), sorted([
            "conv_stem.weight", "bn1.weight", "blocks.0.0.conv_dw.weight", "blocks.0.0.bn1.bias",
            "blocks.0.0.conv_pw.weight", "blocks.0.0.bn2.bias", "blocks.2.0.conv_pw.weight", "blocks.2.0.bn1.bias",
            "blocks.2.0.bn2.bias", "blocks.2.0.conv_pwl.weight", "blocks.2.0.bn3.running_var", "conv_head.weight",
            "bn2.bias", "classifier.weight", "classifier.bias"]))
        config = json.loads((self.folder / "out" / "config.json").read_text())
        self.assertEqual(config["architecture"], "tf_efficientnet_lite0")


if __name__ == "__main__":
    unittest.main()
