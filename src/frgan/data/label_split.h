// The label split: which training images are labeled, drawn at random or read from a file.
#pragma once

#include <filesystem>
#include <string_view>

#include "frgan/data/dataset.h"
#include "frgan/data/label_split_file.h"

namespace frgan {

// Draws a split, or reads `labels_file`. With the same data, split seed, mode and development images, a smaller number
// of labels is a subset of a larger one. If the images are files, the draw depends on their content only: an added file
// takes the place of at most one other labeled and one other development image (two labeled ones if train_images is
// set). Modes:
//   balanced      labels / K per class; if K does not divide `labels`, a usage error names the nearest multiples
//   proportional  proportional to the class frequencies in the data (Webster's method)
//   random        uniform over all images
// Development images are drawn first, uniformly from all labeled images. If train_images limits the training set, it is
// drawn next, uniformly from all other images. Label noise is applied last. Throws a usage error if there are too few
// images (in mode balanced: of any class).
LabelSplit split_labels(const Dataset& data, const SplitOptions& options);

// Reads a split and checks it against the data, as in label_split_file.h.
LabelSplit label_split_from_json(const Json& json, const Dataset& data, std::string_view name);
LabelSplit read_label_split(const std::filesystem::path& path, const Dataset& data);

}  // namespace frgan
