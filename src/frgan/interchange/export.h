// Export of a trained classifier for other programs, as `frgan export` does (docs/export.md). This header includes no
// LibTorch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "frgan/core/messages.h"

namespace frgan {

struct ExportRequest {
  std::filesystem::path checkpoint;  // a run, for its newest intact checkpoint, or a checkpoint
  std::filesystem::path folder;      // new or empty
  bool overwrite = false;            // replaces an earlier export in `folder`
  bool allow_older = false;          // accepts an older checkpoint if the newest one is corrupt
};

struct ExportSummary {
  std::filesystem::path checkpoint;
  std::string network;  // --network, or the method if it has its own network
  int64_t classes = 0, image_size = 0, channels = 0;
  int64_t weights = 0;     // numbers
  int64_t onnx_bytes = 0;  // size of model.onnx
};

// Writes the folder atomically:
//
//   model.onnx          preparation of images, network and calibrated outputs, for ONNX runtimes
//   model.safetensors   the weights of the same network, with folded weight norm and batch norm
//   config.json         classes, image size, and the options of the network
//   README.md           the model card
//
// Throws an Error if the checkpoint has no trained classifier or unusable weights, or if the folder has other files, or
// an earlier export without `overwrite`.
//
//   const ExportSummary done = export_model({.checkpoint = "runs/a", .folder = "exported"});
ExportSummary export_model(const ExportRequest& request, const Messages& messages = {});

}  // namespace frgan
