#include "frgan/classifier/exported_model.h"

#include <memory>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/options.h"
#include "frgan/io/json_file.h"
#include "frgan/methods/method.h"
#include "frgan/methods/methods.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kExportFormat = "frgan export 1", kModelType = "frgan";

// The options that define the network and its training; not those of data, paths or the machine.
Json options_of_method(const CheckpointState& state) {
  const MethodInfo* const info = find_method(state.method);
  Json saved = Json::object();
  if (info == nullptr) return saved;
  const std::unique_ptr<Method> method = info->create();
  OptionSet options;
  method->describe(options);
  for (const Option& option : options.all()) {
    const Json* const value = state.options.find(option.name);
    if (value != nullptr) saved[option.name] = *value;
  }
  return saved;
}

}  // namespace

Json export_config(const CheckpointState& state) {
  Json names = Json::object(), labels = Json::object();
  for (size_t label = 0; label < state.class_names.size(); ++label) {
    names[std::to_string(label)] = state.class_names[label];
    labels[state.class_names[label]] = label;
  }
  return {{"model_type", kModelType},
          {"format", kExportFormat},
          {"frgan_version", state.frgan_version},
          {"architectures", Json::array({state.options.value("network", state.method)})},
          {"id2label", names},
          {"label2id", labels},
          {"image_size", state.shape.image_size},
          {"num_channels", state.shape.channels},
          {"resize", resize_rule_name(state.resize)},
          {"temperature", state.calibration.temperature},
          {"calibration", to_json(state.calibration)},
          {"method", state.method},
          {"step", state.step},
          {"options", options_of_method(state)}};
}

CheckpointState read_export_config(const fs::path& path) {
  const Json json = read_json_object(path);
  const std::string name = path.string();
  try {
    if (json.value("format", "") != kExportFormat) {
      throw Error(fmt::format("{}: not the config of a model exported by frgan; \"format\" must be \"{}\"", name,
                              kExportFormat));
    }
    CheckpointState state;
    json.at("method").get_to(state.method);
    json.at("step").get_to(state.step);
    json.at("frgan_version").get_to(state.frgan_version);
    state.options = json.at("options");
    state.resize = resize_rule_of(json.at("resize").get<std::string>(), name);
    json.at("image_size").get_to(state.shape.image_size);
    json.at("num_channels").get_to(state.shape.channels);
    check_image_shape(state.shape.image_size, state.shape.channels, name);
    const Json& names = json.at("id2label");
    for (size_t label = 0; label < names.size(); ++label) {
      state.class_names.push_back(names.at(std::to_string(label)).get<std::string>());
    }
    if (state.class_names.size() < 2) throw Error(fmt::format("{}: fewer than two classes in \"id2label\"", name));
    state.shape.classes = static_cast<int64_t>(state.class_names.size());
    state.calibration = calibration_from_json(json.at("calibration"), name);
    return state;
  } catch (const JsonError& error) {
    throw Error(fmt::format("{}: not a valid config of an exported model ({})", name, error.what()));
  }
}

bool is_exported_model(const fs::path& folder) try {
  std::error_code ignored;
  if (!fs::exists(folder / kExportWeightsFile, ignored) || !fs::exists(folder / kExportConfigFile, ignored))
    return false;
  return read_json_object(folder / kExportConfigFile).value("model_type", "") == kModelType;
} catch (const Error&) {  // another program's config
  return false;
}

}  // namespace frgan
