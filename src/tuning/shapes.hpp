// Makes the list of shapes to tune from flags, from the layers of a model, and from recorded routing.
//
// The names of a family's dimensions tell what they mean:
//
//   tokens, m            rows of the activations
//   n, out_features      columns of the output
//   k, in_features       columns of the activations
//   experts, groups      experts of a layer; a family that has them gets the experts' projections
//   filled, row_tiles    experts that have any row, and their rows in tiles (see routing.hpp)
//   dtype, bits          type of the activations, widths of the weights
//   scales               who shares a scale of quantised weights: channel, tensor, block128
//   q_heads              heads of attention; a family that has them gets steps of an engine, as
//                        attention_shapes.hpp says
//
// A family with `intermediate_size` has whole layers of experts in place of projections:
//
//   hidden_size, intermediate_size     the output and input features of the layer's second projection
//   tokens               before each of them goes to top_k experts
//   top_k                experts of a token
//   expert_parallel      devices that share the experts
//   activation           between the projections: silu, gelu_tanh, swigluoai
//
// Any other dimension gets its value from `ShapeRequest::values`, or its first label.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernels/family.hpp"
#include "tuning/bench/bench.hpp"
#include "tuning/model.hpp"

namespace adaptive::inline v1::tuning {

/// One step of recorded routing: the number of rows of each expert.
using RoutedStep = std::vector<std::int64_t>;

struct ShapeRequest {
  std::optional<Model> model = {};
  std::vector<std::int64_t> batch_sizes = {};       ///< empty: 1, 2, 4, … 2048
  std::vector<std::int64_t> sequence_lengths = {};  ///< tokens = batch × sequence; empty: 1, as in decoding
  std::vector<std::pair<std::int64_t, std::int64_t>> out_in = {};  ///< output and input features of weights
  Split out_in_split = Split::out;
  std::int64_t experts = 0;            ///< 0: as in the model
  std::int64_t experts_per_token = 0;  ///< 0: as in the model
  std::vector<RoutedStep> routing = {};
  /// Without recorded routing, the expert of rank r is chosen with weight (r + 1)^-skew; 0: all alike.
  double skew = 0.5;
  std::int64_t tensor_parallel = 1;
  std::int64_t expert_parallel = 1;  ///< the device with the most rows in a step counts
  std::string dtype = "auto";
  std::vector<std::int64_t> block_shape = {};  ///< of a quantisation, rows and columns; empty: the model's
  /// Values by dimension, such as {"bits": {"4", "2+4"}}. Every combination is tuned. They replace derived
  /// values.
  std::map<std::string, std::vector<std::string>> values = {};
  /// Additional shapes, such as "m=1,n=4096,k=4096,dtype=bfloat16".
  std::vector<std::string> shapes = {};
  bool quick = false;  ///< fewer batch sizes and shapes, unless they are given
};

struct ShapeList {
  std::vector<kernels::Shape> shapes = {};  ///< each once
  std::vector<std::string> warnings = {};
};

/// The shapes of the request, or the target's own shapes if the request names none. A shape that the family
/// cannot have is left out with a warning. Throws `Error` if none is left, or the request contradicts itself.
ShapeList make_shapes(const Target& target, const ShapeRequest& request);

/// The value of a dimension from a number, a label, or labels joined by `+`. Throws `Error`, which lists the
/// labels.
std::int64_t parse_value(const kernels::Dimension& dimension, const std::string& text);

/// "float16" for fp16 and half, "float8_e4m3" for fp8 and fp8_w8a8, …
std::string normalised_dtype(const std::string& name);

}  // namespace adaptive::tuning
