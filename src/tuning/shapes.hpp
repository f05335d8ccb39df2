// Which shapes are tuned: from flags, from a model's layers, from recorded routing.
//
// Families are known by the words of their dimensions only:
//
//   tokens, m                   rows of the activations
//   n, out_features             columns of the output
//   k, in_features              columns of the activations
//   experts, groups             experts of a layer; a family that has them gets the experts' projections
//   filled, row_tiles           experts that have any row; their rows in tiles
//   (kernels/grouped_gemm/routing.hpp) dtype, bits                 of weights and activations
//
// Any other dimension has its value from `values`, or its first label.
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

namespace adaptive::tuning {

/// One step of recorded routing: rows of each expert.
using RoutedStep = std::vector<std::int64_t>;

struct ShapeRequest {
  std::optional<Model> model = {};
  std::vector<std::int64_t> batch_sizes = {};       ///< empty: 1, 2, 4, … 2048
  std::vector<std::int64_t> sequence_lengths = {};  ///< tokens = batch × sequence; empty: 1, as in decoding
  std::vector<std::pair<std::int64_t, std::int64_t>> out_in = {};  ///< weights by their features
  Split out_in_split = Split::out;
  std::int64_t experts = 0;            ///< instead of the model's
  std::int64_t experts_per_token = 0;  ///< instead of the model's
  std::vector<RoutedStep> routing = {};
  /// Without recorded routing the expert of rank r is chosen with a weight of (r + 1)^-skew; 0: all alike.
  double skew = 0.5;
  std::int64_t tensor_parallel = 1;
  std::int64_t expert_parallel = 1;
  std::string dtype = "auto";
  /// By dimension, each combination: {"bits": {"4", "2+4"}}. Overrides what is derived.
  std::map<std::string, std::vector<std::string>> values = {};
  /// "m=1,n=4096,k=4096,dtype=bfloat16": besides the others.
  std::vector<std::string> shapes = {};
  bool quick = false;  ///< where nothing is named: fewer batch sizes and shapes
};

struct ShapeList {
  std::vector<kernels::Shape> shapes = {};  ///< each once
  std::vector<std::string> warnings = {};
};

/// The target's own shapes where the request names none. Throws `Error` for what is no shape of the family.
ShapeList make_shapes(const Target& target, const ShapeRequest& request);

/// The value of a dimension: a number, a label, labels joined by `+`. Throws `Error` naming those it has.
std::int64_t parse_value(const kernels::Dimension& dimension, const std::string& text);

/// "float16" for fp16 and half, "float8_e4m3" for fp8 and fp8_w8a8, …
std::string normalised_dtype(const std::string& name);

}  // namespace adaptive::tuning
