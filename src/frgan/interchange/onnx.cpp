#include "frgan/interchange/onnx.h"

#include <bit>
#include <charconv>
#include <cstdint>
#include <type_traits>
#include <vector>

#include <fmt/format.h>
#include <protozero/pbf_writer.hpp>

#include "frgan/core/error.h"
#include "frgan/core/version.h"

namespace frgan {
namespace {

using protozero::pbf_writer;

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");

constexpr int64_t kIrVersion = 8, kOperatorSet = 13;
constexpr size_t kMostBytes = (size_t{1} << 31) - 1;

// Protobuf field numbers by message, from onnx.proto.
namespace model {
constexpr uint32_t kIrVersion = 1, kProducer = 2, kProducerVersion = 3, kGraph = 7, kOperatorSets = 8, kMetadata = 14;
}
namespace graph_field {
constexpr uint32_t kNode = 1, kName = 2, kInitializer = 5, kInput = 11, kOutput = 12;
}
namespace node_field {
constexpr uint32_t kInput = 1, kOutput = 2, kName = 3, kOp = 4, kAttribute = 5;
}
namespace attribute_field {
constexpr uint32_t kName = 1, kFloat = 2, kInteger = 3, kIntegers = 8, kType = 20;
}
namespace tensor_field {
constexpr uint32_t kDimension = 1, kType = 2, kName = 8, kRawData = 9;
}
enum AttributeType : int32_t { kFloatAttribute = 1, kIntegerAttribute = 2, kIntegersAttribute = 7 };
enum ElementType : int32_t { kFloatElement = 1, kUint8Element = 2, kInt64Element = 7 };

template <class Fill>
void add_nested(pbf_writer& outer, uint32_t field, const Fill& fill) {
  pbf_writer inner(outer, field);
  fill(inner);
}

void add_attribute(pbf_writer& node, const std::string& name, const GraphAttribute& value) {
  add_nested(node, node_field::kAttribute, [&](pbf_writer& attribute) {
    attribute.add_string(attribute_field::kName, name);
    if (const auto* const number = std::get_if<double>(&value)) {
      attribute.add_float(attribute_field::kFloat, static_cast<float>(*number));
      attribute.add_enum(attribute_field::kType, kFloatAttribute);
    } else if (const auto* const integer = std::get_if<int64_t>(&value)) {
      attribute.add_int64(attribute_field::kInteger, *integer);
      attribute.add_enum(attribute_field::kType, kIntegerAttribute);
    } else {
      for (const int64_t one : std::get<std::vector<int64_t>>(value)) {
        attribute.add_int64(attribute_field::kIntegers, one);
      }
      attribute.add_enum(attribute_field::kType, kIntegersAttribute);
    }
  });
}

void add_node(pbf_writer& graph, const GraphNode& value) {
  add_nested(graph, graph_field::kNode, [&](pbf_writer& node) {
    for (const std::string& input : value.inputs) node.add_string(node_field::kInput, input);
    node.add_string(node_field::kOutput, value.output);
    node.add_string(node_field::kName, value.output);
    node.add_string(node_field::kOp, value.op);
    for (const auto& [name, attribute] : value.attributes) add_attribute(node, name, attribute);
  });
}

void add_tensor(pbf_writer& graph, const GraphTensor& value) {
  add_nested(graph, graph_field::kInitializer, [&](pbf_writer& tensor) {
    for (const int64_t size : value.shape) tensor.add_int64(tensor_field::kDimension, size);
    tensor.add_string(tensor_field::kName, value.name);
    std::visit(
        [&](const auto& numbers) {
          using Number = typename std::decay_t<decltype(numbers)>::value_type;
          tensor.add_enum(tensor_field::kType, std::is_same_v<Number, float> ? kFloatElement : kInt64Element);
          tensor.add_bytes(tensor_field::kRawData, reinterpret_cast<const char*>(numbers.data()),
                           numbers.size() * sizeof(Number));
        },
        value.values);
  });
}

void add_dimension(pbf_writer& shape, const std::string& size) {
  add_nested(shape, 1, [&](pbf_writer& dimension) {
    int64_t number = 0;
    const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), number);
    if (error == std::errc() && end == size.data() + size.size()) {
      dimension.add_int64(1, number);
    } else {
      dimension.add_string(2, size);
    }
  });
}

void add_port(pbf_writer& graph, uint32_t field, const GraphPort& value) {
  add_nested(graph, field, [&](pbf_writer& port) {
    port.add_string(1, value.name);
    add_nested(port, 2, [&](pbf_writer& type) {
      add_nested(type, 1, [&](pbf_writer& tensor) {
        tensor.add_enum(1, value.type == GraphType::kUint8 ? kUint8Element : kFloatElement);
        add_nested(tensor, 2, [&](pbf_writer& shape) {
          for (const std::string& size : value.dimensions) add_dimension(shape, size);
        });
      });
    });
  });
}

}  // namespace

std::string onnx_bytes(const InferenceGraph& graph, const std::string& name,
                       const std::map<std::string, std::string>& metadata) {
  std::string bytes;
  pbf_writer writer(bytes);
  writer.add_int64(model::kIrVersion, kIrVersion);
  writer.add_string(model::kProducer, "frgan");
  writer.add_string(model::kProducerVersion, std::string(version()));
  add_nested(writer, model::kOperatorSets, [](pbf_writer& set) {
    set.add_string(1, "");
    set.add_int64(2, kOperatorSet);
  });
  add_nested(writer, model::kGraph, [&](pbf_writer& inner) {
    inner.add_string(graph_field::kName, name);
    for (const GraphNode& node : graph.nodes) add_node(inner, node);
    for (const GraphTensor& tensor : graph.tensors) add_tensor(inner, tensor);
    for (const GraphPort& port : graph.inputs) add_port(inner, graph_field::kInput, port);
    for (const GraphPort& port : graph.outputs) add_port(inner, graph_field::kOutput, port);
  });
  for (const auto& [key, value] : metadata) {
    add_nested(writer, model::kMetadata, [&, &key = key, &value = value](pbf_writer& entry) {
      entry.add_string(1, key);
      entry.add_string(2, value);
    });
  }
  if (bytes.size() > kMostBytes) {
    throw Error(fmt::format("the ONNX file would have {} bytes; at most {} are possible", bytes.size(), kMostBytes));
  }
  return bytes;
}

}  // namespace frgan
