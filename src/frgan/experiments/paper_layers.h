// Table 1 of the paper beside the networks that are built, and its figures 1 and 2 drawn from them.
#pragma once

#include <string>

#include "frgan/experiments/table.h"
#include "frgan/nn/discriminator.h"
#include "frgan/nn/generator.h"

namespace frgan {

// The networks of FR-GAN with the options of the preset fr-gan.
struct PaperNetworks {
  PaperNetworks();
  Discriminator discriminator{nullptr};
  Generator generator{nullptr};
};

// Layers, shapes and parameters of the built networks beside the paper's rows (A1, A2, A33).
Table layers_table(const PaperNetworks& networks);

// Figure 1, the frame: what goes into which network and loss. SVG.
std::string frame_drawing(const PaperNetworks& networks);
// Figure 2, the squeeze-and-excitation block, with its shapes. SVG.
std::string squeeze_excitation_drawing(const PaperNetworks& networks);

}  // namespace frgan
