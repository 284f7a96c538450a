// What everything that runs a trained network needs: device and precision, its data, and the forward pass in batches.
// For images without tensors, see classifier.h and generation.h.
#pragma once

#include <filesystem>
#include <string>

#include <ATen/core/Tensor.h>

#include "frgan/classifier/checkpoint_state.h"
#include "frgan/core/hardware.h"
#include "frgan/core/messages.h"
#include "frgan/core/stop_check.h"
#include "frgan/data/data_options.h"
#include "frgan/data/dataset.h"
#include "frgan/data/load_watch.h"
#include "frgan/nn/network.h"

namespace frgan {

struct Checkpoint;  // classifier/checkpoint.h

struct Inference {
  at::Device device;
  Precision precision;
};

// Selects device and precision. Sets LibTorch's number of threads and makes malloc keep freed memory, both for the
// whole process. PrecisionChoice::kAuto selects `run_precision`, so that the results of a run are reproduced. If this
// machine only emulates bf16, it selects fp32 and warns.
Inference begin_inference(const Hardware& hardware, Precision run_precision, const Messages& messages = {});

// Loads the data of a run, as load_dataset does. If its file or folder does not exist, the Error also names the option
// for the new path of data that was moved.
Dataset load_run_data(const DataOptions& options, const std::filesystem::path& data_root, const LoadWatch& watch = {});

// The images for a trained network; passes the notes of the dataset on.
Dataset load_data(const DataSource& source, const CheckpointState& state, const Messages& messages = {});

// The folder of the run to which a checkpoint belongs: /RUN for /RUN/checkpoints/step-00012000. `checkpoint` may be
// relative to the current folder and may end with a slash.
std::filesystem::path run_folder_of(const std::filesystem::path& checkpoint);

// What differs between the data and that of the run: "train/cat/1.jpg was changed". Empty if it is the same data.
std::string data_difference(const Checkpoint& checkpoint, const Dataset& data);
// If files were added to the image folder of a run, removes their images from `data`, which then is the data of the run
// again. Returns their number.
int64_t leave_out_added_images(const Checkpoint& checkpoint, Dataset& data);
// data_difference for the test images only. Empty also if the run has no intact record of its images.
std::string test_difference(const Checkpoint& checkpoint, const ImageSet& test);

// Classifies images N x S x S x C with values 0 to 255, uint8 or float, which may be on any device. Returns logits N x
// K and features N x F, both float on the network's device. Images are copied there in batches that need at most some
// hundred megabytes. Throws an Error for other types and shapes. `stopped` is called before each batch.
Classified classify(const Network& network, const at::Tensor& images, Precision precision,
                    const StopCheck& stopped = {});

// Class probabilities of the images from their logits N x K: float N x K on the CPU. Waits for the device. Throws an
// Error that names the layer if outputs are NaN or infinite, or if different images all have the same outputs.
at::Tensor checked_probabilities(const Network& network, const at::Tensor& images, const at::Tensor& logits);

// The same after `classify`. An explicit fake logit is ignored.
at::Tensor class_probabilities(const Network& network, const at::Tensor& images, Precision precision,
                               const StopCheck& stopped = {});

// Number of images in a batch of `classify`. All batches have about the same number of pixels.
int64_t inference_batch(int64_t image_size);

}  // namespace frgan
