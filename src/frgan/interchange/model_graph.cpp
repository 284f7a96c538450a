#include "frgan/interchange/model_graph.h"

#include <string>
#include <vector>

namespace frgan {
namespace {

constexpr int64_t kRows = 1, kColumns = 2;  // dimensions of N x H x W x C

// The weights of io/area_resize.h for one axis: `size` x n, where n is the size of the image in `dimension`. In units
// of 1/2 output pixel, all limits are integers, and exact in single precision.
GraphValue area_weights(GraphBuilder& graph, const GraphValue& sizes, int64_t dimension, int64_t size) {
  std::vector<float> centers;
  for (int64_t i = 0; i < size; ++i) centers.push_back(static_cast<float>(2 * i + 1));
  const GraphValue integer = graph.apply("Gather", {sizes.name, graph.integer(dimension)}, {}, {{"axis", int64_t{0}}});
  const GraphValue n = graph.apply("Cast", {integer.name}, {}, {{"to", int64_t{1}}});
  const GraphValue pixels = graph.apply("Range", {graph.number(0), n.name, graph.number(1)}, {});
  const std::string step = graph.number(2.0 * static_cast<double>(size));  // of a pixel of the image
  const GraphValue pixel_begin = graph.multiply(pixels, step);
  const GraphValue pixel_end = graph.add(pixel_begin, step);
  const GraphValue center = graph.multiply(n, graph.numbers(centers, {size, 1}));
  const GraphValue half = graph.apply("Max", {n.name, graph.number(static_cast<double>(size))}, {});
  const GraphValue begin = graph.relu(graph.subtract(center, half.name));
  const GraphValue end = graph.apply("Min", {graph.add(center, half.name).name, graph.multiply(n, step).name}, {});
  const GraphValue common_begin = graph.apply("Max", {pixel_begin.name, begin.name}, {});
  const GraphValue common_end = graph.apply("Min", {pixel_end.name, end.name}, {});
  const GraphValue common = graph.relu(graph.subtract(common_end, common_begin.name));
  return graph.apply("Div", {common.name, graph.subtract(end, begin.name).name}, {});
}

}  // namespace

GraphValue add_image_input(GraphBuilder& graph, const ImageShape& shape) {
  const int64_t side = shape.image_size;
  graph.begin_layer("resize");
  const GraphValue image = graph.input({"image", GraphType::kUint8, {"N", "H", "W", "C"}}, {});
  const GraphValue sizes = graph.apply("Shape", {image.name}, {});
  const GraphValue vertical = area_weights(graph, sizes, kRows, side);
  const GraphValue horizontal = area_weights(graph, sizes, kColumns, side);
  const GraphValue to_columns = graph.apply("Transpose", {horizontal.name}, {}, {{"perm", std::vector<int64_t>{1, 0}}});
  const GraphValue numbers = graph.apply("Cast", {image.name}, {}, {{"to", int64_t{1}}});
  const GraphValue planes = graph.apply("Transpose", {numbers.name}, {}, {{"perm", std::vector<int64_t>{0, 3, 1, 2}}});
  const GraphValue rows = graph.apply("MatMul", {vertical.name, planes.name}, {});
  const GraphValue resized = graph.apply("MatMul", {rows.name, to_columns.name}, {3, side, side});
  graph.begin_layer("pixels");
  // One channel is repeated, three stay.
  GraphValue pixels = graph.multiply(resized, graph.numbers({1, 1, 1}, {1, 3, 1, 1}));
  if (shape.channels == 1) {
    const GraphValue parts = graph.multiply(pixels, graph.numbers({0.299F, 0.587F, 0.114F}, {1, 3, 1, 1}));
    pixels = graph.apply("ReduceSum", {parts.name, graph.integers({1})}, {1, side, side}, {{"keepdims", int64_t{1}}});
  }
  const GraphValue scaled = graph.apply("Div", {pixels.name, graph.number(127.5)}, pixels.shape);
  graph.begin_layer("");
  return graph.subtract(scaled, graph.number(1));
}

void add_outputs(GraphBuilder& graph, const GraphValue& logits, int64_t classes, double temperature) {
  graph.begin_layer("outputs");
  GraphValue known = logits;
  if (logits.shape.front() > classes) {
    known = graph.apply("Slice", {logits.name, graph.integers({0}), graph.integers({classes}), graph.integers({1})},
                        {classes});
  }
  const GraphValue calibrated = graph.multiply(known, graph.number(1 / temperature));
  const GraphValue probabilities = graph.apply("Softmax", {calibrated.name}, calibrated.shape, {{"axis", int64_t{1}}});
  graph.output(probabilities, {"probabilities", GraphType::kFloat, {"N", std::to_string(classes)}});
  const GraphValue sum = graph.apply("ReduceLogSumExp", {calibrated.name}, {},
                                     {{"axes", std::vector<int64_t>{1}}, {"keepdims", int64_t{0}}});
  graph.output(graph.multiply(sum, graph.number(-temperature)), {"unknown_score", GraphType::kFloat, {"N"}});
}

}  // namespace frgan
