#include "frgan/classifier/checkpoint_state.h"

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/run_files.h"

namespace frgan {
namespace {

constexpr std::string_view kFormat = "frgan checkpoint 1";
constexpr std::string_view kNormalisation = "x / 127.5 - 1";  // of a pixel byte x; the only supported one

}  // namespace

Json to_json(const CheckpointState& state) {
  return {{"format", kFormat},
          {"frgan_version", state.frgan_version},
          {"step", state.step},
          {"planned_steps", state.planned_steps},
          {"plan", to_json(state.plan)},
          {"seconds", state.seconds},
          {"used_seconds", state.used_seconds},
          {"log_lines", state.log_lines},
          {"command", state.command},
          {"inherited", state.inherited},
          {"encoder", state.encoder},
          {"recipe", state.recipe},
          {"method", state.method},
          {"image_size", state.shape.image_size},
          {"channels", state.shape.channels},
          {"class_names", state.class_names},
          {"normalisation", kNormalisation},
          {"resize", resize_rule_name(state.resize)},
          {"precision", precision_name(state.precision)},
          {"calibration", to_json(state.calibration)},
          {"classifier_trained", state.classifier_trained},
          {"device", state.device},
          {"libtorch", state.libtorch},
          {"data_digest", state.data_digest},
          {"split_digest", state.split_digest},
          {"options", state.options},
          {"label_split", state.label_split}};
}

CheckpointState checkpoint_state_from_json(const Json& json, const std::string& name) {
  try {
    if (json.at("format") != kFormat) {
      throw Error(fmt::format("{}: unsupported checkpoint format {}; this version reads \"{}\"", name,
                              json.at("format").dump(), kFormat));
    }
    if (json.at("normalisation") != kNormalisation) {
      throw Error(fmt::format("{}: unsupported normalisation {}; this version supports \"{}\"", name,
                              json.at("normalisation").dump(), kNormalisation));
    }
    CheckpointState state;
    json.at("frgan_version").get_to(state.frgan_version);
    json.at("step").get_to(state.step);
    json.at("planned_steps").get_to(state.planned_steps);
    const Json* const plan = json.find("plan");  // early checkpoints lack this key and the four that follow seconds
    state.plan = plan == nullptr ? StepPlan(state.planned_steps) : step_plan_from_json(*plan, name);
    json.at("seconds").get_to(state.seconds);
    state.used_seconds = json.value("used_seconds", state.seconds);
    state.log_lines = json.value("log_lines", int64_t{0});
    state.command = json.value("command", "");
    state.inherited = json.value("inherited", Json());
    state.encoder = json.value("encoder", Json());
    state.recipe = json.value("recipe", int64_t{1});  // early checkpoints of recipe 1 lack this key
    json.at("method").get_to(state.method);
    json.at("image_size").get_to(state.shape.image_size);
    json.at("channels").get_to(state.shape.channels);
    json.at("class_names").get_to(state.class_names);
    state.shape.classes = static_cast<int64_t>(state.class_names.size());
    check_image_shape(state.shape.image_size, state.shape.channels, name);
    const auto precision = json.at("precision").get<std::string>();
    if (precision != precision_name(Precision::kFull) && precision != precision_name(Precision::kBf16)) {
      throw Error(fmt::format("{}: invalid precision '{}'; must be fp32 or bf16", name, precision));
    }
    state.precision = precision == precision_name(Precision::kBf16) ? Precision::kBf16 : Precision::kFull;
    // Checkpoints from before io/area_resize.h lack this key.
    state.resize = resize_rule_of(json.value("resize", std::string(resize_rule_name(ResizeRule::kOpenCvArea))), name);
    state.calibration = calibration_from_json(json.value("calibration", Json()), name);
    state.classifier_trained = json.value("classifier_trained", true);  // early checkpoints lack this key
    state.device = json.value("device", "");                            // and these two
    state.libtorch = json.value("libtorch", "");
    json.at("data_digest").get_to(state.data_digest);
    json.at("split_digest").get_to(state.split_digest);
    state.options = json.at("options");
    state.label_split = json.at("label_split");
    return state;
  } catch (const JsonError& error) {
    throw Error(fmt::format("{}: not a valid checkpoint state of frgan ({})", name, error.what()));
  }
}

ResizeRule resize_rule_of(const std::string& rule, const std::string& name) {
  for (const ResizeRule known : {ResizeRule::kArea, ResizeRule::kOpenCvArea}) {
    if (rule == resize_rule_name(known)) return known;
  }
  throw Error(
      fmt::format("{}: unknown resize rule '{}'; this version supports {} and {}; use the frgan that trained it", name,
                  rule, resize_rule_name(ResizeRule::kArea), resize_rule_name(ResizeRule::kOpenCvArea)));
}

bool is_checkpoint(const std::filesystem::path& path) {
  return std::filesystem::exists(path / kCheckpointStateFile) || std::filesystem::exists(path / kCheckpointsFolder);
}

DataOptions data_options(const DataSource& source, const CheckpointState& state) {
  DataOptions options;
  if (source.data.empty()) {
    OptionSet set;
    describe(set, options);
    for (Option& option : set.all()) {
      if (state.options.contains(option.name)) option.set(state.options.at(option.name), "the checkpoint");
    }
  } else {
    options.data = source.data;
    if (std::filesystem::is_directory(source.data) || source.data == "folder") {
      options.image_size = state.shape.image_size;
      options.channels = state.shape.channels;
    }
  }
  if (!source.data_dir.empty()) options.data_dir = source.data_dir;
  options.resize = state.resize;
  const bool may_have_table = source.data.empty() || std::filesystem::is_directory(source.data);
  const Json labels_file = state.options.value("labels-file", Json());
  return may_have_table && labels_file.is_string() ? with_labels(options, labels_file.text()) : options;
}

}  // namespace frgan
