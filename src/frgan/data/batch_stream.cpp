#include "frgan/data/batch_stream.h"

#include <algorithm>

#include <ATen/ops/empty.h>
#include <ATen/record_function.h>

#include "frgan/core/error.h"

namespace frgan {

BatchStream::BatchStream(ImageSet train, const LabelSplit& split, BatchStreamOptions options)
    : train_(std::move(train)),
      options_(options),
      labeled_(split.labeled),
      seen_labels_(static_cast<size_t>(train_.size()), -1) {
  TORCH_CHECK(split.train_images == train_.size(), "label split of ", split.train_images,
              " images for a training set of ", train_.size());
  const int64_t* const labels = train_.labels.data_ptr<int64_t>();
  for (size_t i = 0; i < labeled_.size(); ++i) {
    seen_labels_[labeled_[i]] = split.shown.empty() ? labels[labeled_[i]] : split.shown[i];
  }
  unlabeled_ = split.kept;
  for (int64_t row = 0; row < train_.size() && split.kept.empty(); ++row) {
    if (!std::binary_search(split.dev.begin(), split.dev.end(), row)) unlabeled_.push_back(row);
  }
}

int64_t BatchStream::steps_per_epoch(int64_t batch) const {
  return std::max<int64_t>(1, unlabeled_images() / batch);
}

Batch BatchStream::next(const BatchRequest& request, uint64_t draw, uint64_t part) {
  RECORD_FUNCTION("frgan::gather", c10::ArrayRef<const c10::IValue>{});
  const at::Device device = train_.images.device();
  const uint64_t augmentation_key = random_key(options_.seed, Stream::kAugmentation, draw, part);
  uint64_t views = 0;  // counts the views, for a different augmentation of each
  const auto view = [&](const at::Tensor& rows) {
    const uint64_t key = random_key(augmentation_key, Stream::kAugmentation, views++);
    return augmented(train_.images, rows, options_.augmentation, key, options_.dtype);
  };

  Batch batch;
  batch.dropout_key = random_key(options_.seed, Stream::kDropout, draw, part);
  if (request.labeled > 0) {
    const at::Tensor rows = draw_rows(labeled_, Stream::kLabeledOrder, request.stream, request.labeled, draw);
    batch.labels = seen_labels(rows).to(device, /*non_blocking=*/true);
    batch.labeled_rows = rows.to(device, /*non_blocking=*/true);
    for (int64_t i = 0; i < request.labeled_branches; ++i) batch.labeled.push_back(view(batch.labeled_rows));
  }
  if (request.unlabeled > 0) {
    const at::Tensor rows = draw_rows(unlabeled_, Stream::kUnlabeledOrder, request.stream, request.unlabeled, draw);
    batch.unlabeled_labels = seen_labels(rows).to(device, /*non_blocking=*/true);
    batch.unlabeled_rows = rows.to(device, /*non_blocking=*/true);
    for (int64_t i = 0; i < request.branches; ++i) batch.unlabeled.push_back(view(batch.unlabeled_rows));
  }
  if (request.noise > 0) {
    const uint64_t key = random_key(options_.seed, Stream::kNoise, draw, part);
    batch.noise = random_uniform({request.noise, request.noise_size}, lowest_noise(options_.noise_range), 1, key,
                                 at::TensorOptions(device).dtype(options_.dtype));
  }
  return batch;
}

at::Tensor BatchStream::draw_rows(const std::vector<int64_t>& set, Stream stream, uint64_t number, int64_t count,
                                  uint64_t draw) {
  const auto size = static_cast<int64_t>(set.size());
  // Rows per pass: whole batches only, or the whole set if it is smaller than a batch.
  const auto span = static_cast<uint64_t>(size >= count ? size / count * count : size);
  const at::Tensor rows = at::empty({count}, at::kLong);
  int64_t* const to = rows.data_ptr<int64_t>();
  for (int64_t taken = 0; taken < count;) {
    const uint64_t position = draw * static_cast<uint64_t>(count) + static_cast<uint64_t>(taken);
    const int64_t* const order = order_of_pass(stream, number, position / span, size);
    const auto begin = static_cast<int64_t>(position % span);
    const int64_t end = std::min(static_cast<int64_t>(span), begin + count - taken);
    for (int64_t i = begin; i < end; ++i) to[taken++] = set[order[i]];
  }
  return rows;
}

const int64_t* BatchStream::order_of_pass(Stream stream, uint64_t number, uint64_t pass, int64_t size) {
  Pass& latest = passes_[{stream, number}];
  if (!latest.order.defined() || latest.number != pass) {
    latest = {pass, random_permutation(size, random_key(options_.seed, stream, pass, number))};
  }
  return latest.order.data_ptr<int64_t>();
}

at::Tensor BatchStream::seen_labels(const at::Tensor& rows) const {
  const at::Tensor labels = at::empty_like(rows);
  std::transform(rows.data_ptr<int64_t>(), rows.data_ptr<int64_t>() + rows.numel(), labels.data_ptr<int64_t>(),
                 [this](int64_t row) { return seen_labels_[row]; });
  return labels;
}

}  // namespace frgan
