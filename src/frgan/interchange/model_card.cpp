#include "frgan/interchange/model_card.h"

#include <filesystem>
#include <string_view>

#include <fmt/format.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

constexpr std::string_view kPythonExample = R"(import json
import numpy, onnxruntime
from PIL import Image, ImageOps

session = onnxruntime.InferenceSession("model.onnx")
classes = json.loads(session.get_modelmeta().custom_metadata_map["class_names"])
image = ImageOps.exif_transpose(Image.open("photo.jpg")).convert("RGB")
pixels = numpy.asarray(image)[None]  # uint8, 1 x height x width x 3, any size
probabilities, unknown_score = session.run(["probabilities", "unknown_score"], {"image": pixels})
best = probabilities[0].argmax()
print(classes[best], probabilities[0, best], unknown_score[0])
)";

constexpr std::string_view kCppExample =
    "#include <iostream>\n\n"
    "#include <frgan/classifier/classifier.h>\n"
    R"(
int main() {
  const auto classifier = frgan::Classifier::load(".");  // this folder
  const auto result = classifier.classify_file("photo.jpg");
  std::cout << classifier.class_names()[result.label] << ' ' << result.probabilities[result.label] << '\n';
}
)";

// Text of users within Markdown: no line breaks, no markup.
std::string plain(std::string_view text) {
  std::string result;
  for (const char letter : one_line(std::string(text))) {
    if (std::string_view("\\`*_{}[]<>#|").find(letter) != std::string_view::npos) result += '\\';
    result += letter;
  }
  return result;
}

std::string percent(double share) {
  return fmt::format("{:.2f} %", 100 * share);
}

std::string metadata(const ModelCardFacts& facts) {
  const std::string license = facts.state.encoder.value("license", "");
  const bool is_plain = !license.empty() && license.find_first_not_of(
                                                "abcdefghijklmnopqrstuvwxyz"
                                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") == std::string::npos;
  return fmt::format("---\n{}pipeline_tag: image-classification\ntags:\n- frgan\n- onnx\n- {}\n---\n\n",
                     is_plain ? fmt::format("license: {}\n", license) : "", facts.network);
}

// "| Error on 1000 test images | 12.30 % (95 % interval: 10.41 to 14.50 %) |"
std::string error_row(const Json* record, const std::string& role) {
  if (record == nullptr || !record->is_object()) return "";
  return fmt::format("| Error on {} {} images | {} (95 % interval: {} to {}) |\n", record->at("images").get<int64_t>(),
                     role, percent(record->at(role + "_error").get<double>()),
                     percent(record->at("error_low").get<double>()), percent(record->at("error_high").get<double>()));
}

std::string quality_rows(const Quality& quality) {
  std::string rows = fmt::format("| Macro F1 score | {} |\n", percent(quality.macro_f1));
  for (const Baseline& baseline : quality.baselines)
    rows += fmt::format("| Error of the baseline: {} | {} |\n", plain(baseline.name), percent(baseline.error));
  rows += fmt::format("| Expected calibration error, before and after calibration | {}, {} |\n",
                      percent(quality.uncalibrated.error), percent(quality.calibrated.error));
  for (const std::string& warning : quality.warnings) rows += fmt::format("| Warning | {} |\n", plain(warning));
  return rows;
}

// Rows of a table; none if the file is of another version of frgan.
template <class Rows>
std::string rows_or_none(const Rows& rows) try {
  return rows();
} catch (const JsonError&) {
  return "";
}

std::string results(const ModelCardFacts& facts) {
  const std::string rows = rows_or_none([&] { return error_row(facts.summary.find("test"), "test"); }) +
                           rows_or_none([&] { return error_row(facts.summary.find("dev"), "dev"); }) +
                           (facts.quality ? quality_rows(*facts.quality) : "");
  if (rows.empty()) return "The run has no result for this checkpoint. Measure the error before you use the model.\n";
  return "| Measure | Value |\n|---|---|\n" + rows;
}

std::string data_of(const CheckpointState& state) {
  std::filesystem::path data = state.options.value("data", "");
  if (!data.has_filename()) data = data.parent_path();
  return data.filename().string();  // paths of the training machine are private
}

std::string training(const ModelCardFacts& facts) {
  const CheckpointState& state = facts.state;
  std::string text = fmt::format("| | |\n|---|---|\n| Data | {} |\n", plain(data_of(state)));
  if (const Json* const labeled = state.label_split.find("labeled")) {
    text += fmt::format("| Labeled training images | {} |\n", labeled->size());
  }
  if (const Json* const images = state.label_split.find("train_images")) {
    text += fmt::format("| Training images | {} |\n", images->get<int64_t>());
  }
  text += fmt::format("| Method | {}, {} steps |\n| Network | {}, {} weights |\n", plain(state.method), state.step,
                      plain(facts.network), facts.weights);
  text += fmt::format("| Trained with | frgan {} |\n", plain(state.frgan_version));
  if (state.encoder.is_object()) {
    const auto stated = [&](const char* key) {
      const std::string value = state.encoder.value(key, "");
      return value.empty() ? std::string("not stated") : plain(value);
    };
    text += fmt::format(
        "| Pretrained encoder | {} |\n| License of the encoder | {} |\n| Source of the encoder | {} |\n"
        "| SHA-256 of the encoder | {} |\n",
        stated("architecture"), stated("license"), stated("source"), stated("sha256"));
  }
  return text;
}

std::string calibration_text(const Calibration& calibration) {
  if (!calibration.is_fitted()) return "The probabilities are not calibrated: the temperature is 1.\n";
  return fmt::format(
      "The logits are divided by the temperature {:.4g}, which was fitted to {}: images whose predictions do not "
      "depend on "
      "their own labels.\n",
      calibration.temperature, plain(calibration.images));
}

std::string classes_of(const CheckpointState& state) {
  std::string text;
  for (size_t label = 0; label < state.class_names.size(); ++label) {
    text += fmt::format("| {} | {} |\n", label, plain(state.class_names[label]));
  }
  return "| Label | Class |\n|---|---|\n" + text;
}

}  // namespace

std::string model_card(const ModelCardFacts& facts) {
  const ImageShape& shape = facts.state.shape;
  return metadata(facts) +
         fmt::format(
             "# Classifier of images: {}\n\n{} classes, exported by frgan from step {} "
             "of a run.\n\n",
             plain(data_of(facts.state)), shape.classes, facts.state.step) +
         "## Results\n\n" + results(facts) + "\n## Training\n\n" + training(facts) + "\n## Classes\n\n" +
         classes_of(facts.state) + "\n## Calibration\n\n" + calibration_text(facts.state.calibration) +
         fmt::format(R"(
## Input and outputs of model.onnx

- `image`: uint8, N x H x W x C, of any size, with C = 3 (RGB) or C = 1 (gray). The model resizes images to {0} x {0}
  pixels by area averaging, without keeping the aspect ratio, and converts them to {1}.
- `probabilities`: float, N x {2}. The order of the classes is that of `class_names` in the metadata of the file.
- `unknown_score`: float, N: -T log(sum(exp(logits / T))) with the temperature T. It is higher for images that are unlike
  the classes.

## Limits

- The model gives high probabilities to some images that belong to none of its classes.
- The error was measured on images from the same source as the training images. It is higher for other cameras, lighting
  or backgrounds.
- Decoders of JPEG differ. Compare results only for images that were decoded by the same library.

## Use in Python

`pip install onnxruntime pillow numpy`

```python
{3}```

## Use in C++

With the library of frgan; `find_package(frgan)` and `target_link_libraries(program frgan::frgan)`.

```cpp
{4}```
)",
                     shape.image_size, shape.channels == 1 ? "gray" : "RGB", shape.classes, kPythonExample,
                     kCppExample);
}

}  // namespace frgan
