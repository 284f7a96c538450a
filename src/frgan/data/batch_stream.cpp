#include "frgan/data/batch_stream.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <ATen/ops/empty.h>
#include <ATen/record_function.h>

#include "frgan/core/error.h"
#include "frgan/device/packed_inputs.h"

namespace frgan {
namespace {

Stream stream_of(Pool pool) {
  if (pool == Pool::kLabeled) return Stream::kLabeledOrder;
  return pool == Pool::kUnlabeled ? Stream::kOnlyUnlabeledOrder : Stream::kUnlabeledOrder;
}

}  // namespace

BatchStream::BatchStream(ImageSet train, const LabelSplit& split, BatchStreamOptions options)
    : train_(std::move(train)),
      options_(std::move(options)),
      labeled_(split.labeled),
      seen_labels_(static_cast<size_t>(train_.size()), -1) {
  TORCH_CHECK(split.train_images == train_.size(), "label split of ", split.train_images,
              " images for a training set of ", train_.size());
  options_.policies.merge(built_in_policies());
  const int64_t* const labels = train_.labels.data_ptr<int64_t>();
  for (size_t i = 0; i < labeled_.size(); ++i) {
    seen_labels_[labeled_[i]] = split.shown.empty() ? labels[labeled_[i]] : split.shown[i];
  }
  all_ = split.kept;
  for (int64_t row = 0; row < train_.size() && split.kept.empty(); ++row) {
    if (!std::binary_search(split.dev.begin(), split.dev.end(), row)) all_.push_back(row);
  }
  std::ranges::copy_if(all_, std::back_inserter(unlabeled_), [this](int64_t row) { return seen_labels_[row] < 0; });
}

int64_t BatchStream::steps_per_epoch(double batch) const {
  return std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(all_images()) / batch));
}

BatchPlan BatchStream::plan(const BatchRequest& request, uint64_t draw, uint64_t part) {
  RECORD_FUNCTION("frgan::plan", c10::ArrayRef<const c10::IValue>{});
  const uint64_t augmentation_key = random_key(options_.seed, Stream::kAugmentation, draw, part);
  BatchPlan plan;
  plan.draw = draw;
  plan.part = part;
  plan.dropout_key = random_key(options_.seed, Stream::kDropout, draw, part);
  plan.noise_key = random_key(options_.seed, Stream::kNoise, draw, part);
  uint64_t views = 0;  // counts the views, for a different augmentation of each
  for (const Draw& images : request.draws) {
    plan.draws.push_back(plan_images(images, draw, augmentation_key, views));
    plan.draws.back().noise_key = random_key(plan.noise_key, Stream::kNoise, plan.draws.size());
    views += images.views.size();
  }
  return plan;
}

DrawPlan BatchStream::plan_images(const Draw& request, uint64_t draw, uint64_t augmentation_key, uint64_t first_view) {
  const std::vector<int64_t>& set = rows_of(request.pool);
  if (set.empty()) {
    throw Error(request.pool == Pool::kUnlabeled
                    ? "all training images have a label, but the method needs some without; "
                      "use fewer --labels"
                    : "no training images of the kind that the method needs");
  }
  DrawPlan plan;
  plan.rows = draw_rows(set, stream_of(request.pool), request.order, request.count, draw);
  plan.labels = seen_labels(plan.rows);
  for (const std::string& name : request.views) {
    const uint64_t key = random_key(augmentation_key, Stream::kAugmentation, first_view++);
    if (features_.contains(name)) {
      plan.views.emplace_back();
      continue;
    }
    plan.views.push_back(
        plan_augmentation(request.count, train_.images.size(1), train_.images.size(2), policy(name), key));
  }
  return plan;
}

Batch BatchStream::gather(const BatchRequest& request, const BatchPlan& plan) const {
  RECORD_FUNCTION("frgan::gather", c10::ArrayRef<const c10::IValue>{});
  Batch batch;
  batch.dropout_key = plan.dropout_key;
  for (size_t i = 0; i < plan.draws.size(); ++i) {
    const DrawPlan& planned = plan.draws[i];
    const Draw& draw = request.draws[i];
    DrawnImages images{.pool = draw.pool, .views = {}, .labels = planned.labels, .rows = planned.rows};
    for (size_t view = 0; view < planned.views.size(); ++view) {
      const auto features = features_.find(draw.views[view]);
      images.views.push_back(features == features_.end()
                                 ? augmented(train_.images, planned.rows, planned.views[view], options_.dtype)
                                 : features->second.index_select(0, planned.rows).to(options_.dtype));
    }
    if (draw.noise > 0) images.noise = noise({draw.count, draw.noise, NoiseKind::kNormal}, planned.noise_key);
    batch.draws.push_back(std::move(images));
  }
  if (request.noise.count > 0) batch.noise = noise(request.noise, plan.noise_key);
  return batch;
}

Batch BatchStream::next(const BatchRequest& request, uint64_t draw, uint64_t part) {
  BatchPlan planned = plan(request, draw, part);
  PackedInputs(train_.images.device()).load(planned.tensors());
  return gather(request, planned);
}

at::Tensor BatchStream::noise(const NoiseRequest& request, uint64_t key) const {
  return random_noise(request, key, at::TensorOptions(train_.images.device()).dtype(options_.dtype));
}

const std::vector<int64_t>& BatchStream::rows_of(Pool pool) const {
  if (pool == Pool::kLabeled) return labeled_;
  return pool == Pool::kUnlabeled ? unlabeled_ : all_;
}

const Augmentation& BatchStream::policy(const std::string& view) const {
  const auto found = options_.policies.find(policy_of_view(view));
  TORCH_CHECK(found != options_.policies.end(), "unknown augmentation policy '", view, "'");
  return found->second;
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
