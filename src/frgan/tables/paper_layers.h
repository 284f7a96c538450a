// Table 1 and Figures 1 and 2 of the paper, made from the networks that this program builds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "frgan/nn/layer_description.h"
#include "frgan/tables/table.h"

namespace frgan {

// FR-GAN's networks with the options of the preset fr-gan.
struct PaperNetworks {
  PaperNetworks();
  std::vector<LayerDescription> discriminator, generator;  // in forward order, for 32 x 32 x 3 images
  int64_t noise_size = 0;
};

// Layers, output shapes (C x H x W) and parameter counts of the networks next to the paper's rows (A1, A2, A33).
Table layers_table(const PaperNetworks& networks);

// Figure 1, the framework: which data enter which network and loss. SVG.
std::string frame_drawing(const PaperNetworks& networks);
// Figure 2, the squeeze-and-excitation block with its shapes. SVG.
std::string squeeze_excitation_drawing(const PaperNetworks& networks);

}  // namespace frgan
