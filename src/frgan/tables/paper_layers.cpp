#include "frgan/tables/paper_layers.h"

#include <map>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/report/svg_drawing.h"
#include "frgan/settings/presets.h"
#include "frgan/settings/run_settings.h"
#include "frgan/train/run_facts.h"

namespace frgan {
namespace {

// Rows of the paper's Table 1, by our layer name. Layers without a row in the paper are absent.
const std::map<std::string, std::string> kPaperDiscriminator = {
    {"input_dropout", "Drop out -0.2; Dropout=0.2"},
    {"conv1", "3×3 conv 64, lReLU, WN"},
    {"conv2", "3×3 conv 64, lReLU, WN"},
    {"conv3", "3×3 conv 64, lReLU, WN"},
    {"dropout1", "Dropout=0.2"},
    {"conv4", "3×3 conv 128, lReLU, WN"},
    {"conv5", "3×3 conv 128, lReLU, WN"},
    {"conv6", "3×3 conv 128, lReLU, WN"},
    {"se_block2", "SE block"},
    {"dropout2", "Dropout=0.2"},
    {"conv7", "3×3 conv 256, lReLU, WN"},
    {"nin1", "NIN 128, lReLU, WN"},
    {"nin2", "NIN 128, lReLU, WN"},
    {"pool", "Global pool"},
    {"dense", "Dense 10, WN"},
};
const std::map<std::string, std::string> kPaperGenerator = {
    {"dense", "MLP 8192, ReLU, BN"},
    {"reshape", "Reshape 512×4×4"},
    {"deconv1", "5×5 deconv 256, s2, ReLU, BN"},
    {"deconv2", "5×5 deconv 128, s2, ReLU, BN"},
    {"deconv3", "5×5 deconv 3, s2, Tanh, WN"},
};

// "128 × 8 × 8"
std::string shape_text(const std::vector<int64_t>& shape) {
  return fmt::format("{}", fmt::join(shape, " × "));
}

TableSection section_of(const std::string& title, const std::vector<LayerDescription>& layers,
                        const std::map<std::string, std::string>& paper) {
  TableSection section{title, {}};
  int64_t total = 0;
  for (const LayerDescription& layer : layers) {
    const auto row = paper.find(layer.name);
    section.rows.push_back({text_cell(row == paper.end() ? "" : row->second), text_cell(layer.text),
                            text_cell(layer.name), text_cell(shape_text(layer.output)),
                            text_cell(fmt::format("{}", layer.parameters))});
    total += layer.parameters;
  }
  section.rows.push_back(
      {text_cell(""), text_cell("total"), text_cell(""), text_cell(""), text_cell(fmt::format("{}", total))});
  return section;
}

const LayerDescription& layer_called(const std::vector<LayerDescription>& layers, const std::string& name) {
  const auto found =
      std::find_if(layers.begin(), layers.end(), [&](const LayerDescription& layer) { return layer.name == name; });
  if (found == layers.end()) throw Error(fmt::format("the network has no layer {}", name));
  return *found;
}

}  // namespace

PaperNetworks::PaperNetworks() {
  RunRequest request;
  declare_run(request, "fr-gan");
  apply_settings(request, read_config(find_preset("fr-gan").text, "preset fr-gan"));
  noise_size = request.options.find("noise-size", "preset fr-gan").value().get<int64_t>();
  std::map<std::string, std::vector<LayerDescription>> layers = network_layers(*request.method);
  discriminator = std::move(layers.at("discriminator"));
  generator = std::move(layers.at("generator"));
}

Table layers_table(const PaperNetworks& networks) {
  return {"Table 1: network layers for 32 × 32 × 3 images",
          {{"paper", {"paper"}},
           {"implementation", {"built"}},
           {"name", {"name"}},
           {"output", {"output"}},
           {"parameters", {"parameters"}}},
          {section_of("discriminator", networks.discriminator, kPaperDiscriminator),
           section_of("generator", networks.generator, kPaperGenerator)},
          {"Layers, shapes and parameter counts are those of the networks built by the preset fr-gan. docs/paper.md "
           "explains the choices where the paper is ambiguous (A1 to A4, A33)."}};
}

std::string frame_drawing(const PaperNetworks& networks) {
  const std::vector<LayerDescription>& discriminator = networks.discriminator;
  const std::string image = shape_text(networks.generator.back().output);
  const auto convolutions =
      std::count_if(discriminator.begin(), discriminator.end(),
                    [](const LayerDescription& layer) { return layer.text.find("convolution") != std::string::npos; });
  SvgDrawing drawing("Figure 1: the framework of FR-GAN", 980, 420);
  drawing.box(20, 40, 150, 56, fmt::format("labeled images x\n{}", image), "data");
  drawing.box(20, 170, 150, 56, fmt::format("unlabeled images x\n{}", image), "data");
  drawing.box(20, 320, 110, 56, fmt::format("noise z\n{}, U[−1, 1]", networks.noise_size), "data");
  drawing.box(200, 320, 120, 56, "generator G\nTable 1", "network");
  drawing.box(350, 320, 150, 56, fmt::format("generated G(z)\n{}", image), "data");
  drawing.arrow(130, 348, 198, 348);
  drawing.arrow(320, 348, 348, 348);
  drawing.box(230, 40, 130, 56, "f: random\ntranslation");
  drawing.box(230, 140, 130, 50, "f: random\ntranslation");
  drawing.box(230, 210, 130, 50, "f: random\ntranslation");
  drawing.arrow(170, 68, 228, 68);
  drawing.arrow(170, 190, 228, 165);
  drawing.arrow(170, 206, 228, 235);
  drawing.box(540, 30, 150, 350,
              fmt::format("discriminator D\nTable 1\n\n{} convolutions\n\nSE block on\n{}\n\nglobal pool\n\n{} logits",
                          convolutions, shape_text(layer_called(discriminator, "se_block2").output),
                          discriminator.back().output.front()),
              "network");
  drawing.arrow(360, 68, 538, 68);
  drawing.arrow(360, 165, 538, 165);
  drawing.arrow(360, 235, 538, 235);
  drawing.arrow(500, 348, 538, 348);
  drawing.box(740, 40, 220, 56, "supervised loss, eq. 5\ncross-entropy over K classes", "loss");
  drawing.box(740, 125, 220, 56, "adversarial loss, eq. 6\nreal vs. generated", "loss");
  drawing.box(740, 210, 220, 56, "consistency loss, eq. 9\nw(t) · squared difference z − z̃", "loss");
  drawing.box(740, 320, 220, 56, "generator loss\n−log D(G(z))", "loss");
  drawing.arrow(690, 68, 738, 68);
  drawing.arrow(690, 153, 738, 153);
  drawing.arrow(690, 238, 738, 238);
  drawing.arrow(690, 348, 738, 348);
  drawing.words(450, 157, "z");
  drawing.words(450, 227, "z̃, different dropout");
  return drawing.text();
}

std::string squeeze_excitation_drawing(const PaperNetworks& networks) {
  const std::vector<LayerDescription>& layers = networks.discriminator;
  const std::vector<int64_t> map = layer_called(layers, "se_block2").output;
  const int64_t channels = map.front();
  const int64_t hidden = layer_called(layers, "se_block2").parameters / (2 * channels);  // W1 and W2, no biases
  SvgDrawing drawing("Figure 2: the squeeze-and-excitation block", 980, 250);
  const double top = 40, height = 60, width = 112, gap = 28;
  double x = 20;
  const auto next = [&](const std::string& label, std::string_view kind) {
    drawing.box(x, top, width, height, label, kind);
    drawing.arrow(x + width, top + height / 2, x + width + gap - 2, top + height / 2);
    x += width + gap;
  };
  next(fmt::format("U\n{}", shape_text(map)), "data");
  next(fmt::format("global pool\n{} × 1 × 1", channels), "plain");
  next(fmt::format("W1, ReLU\n{} → {}", channels, hidden), "network");
  next(fmt::format("W2, sigmoid\n{} → {}", hidden, channels), "network");
  next(fmt::format("gate s\n{}, 0 to 1", channels), "data");
  next("scale\ns · U, eq. 12", "plain");
  drawing.box(x, top, width, height, fmt::format("recalibrated\n{}", shape_text(map)), "data");
  const double from = 20 + width / 2, to = 20 + 5 * (width + gap) + width / 2, below = top + height + 60;
  drawing.box(from - 40, below, to - from + 80, 34, "U, unchanged");
  drawing.arrow(from, top + height, from, below - 2);
  drawing.arrow(to, below, to, top + height + 2);
  drawing.words(
      490, 225,
      fmt::format("eq. 10 to 12; no biases (A4); {} parameters", layer_called(layers, "se_block2").parameters));
  return drawing.text();
}

}  // namespace frgan
