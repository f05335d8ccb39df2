#include "examples/gpu_serving/served_model.hpp"

#include <algorithm>

#include <adaptive/error.hpp>

#include "kernels/grouped_gemm/routing.hpp"

namespace gpu_serving {
namespace {

constexpr double router_skew = 0.5;                    // as the tool assumes without recorded routing
constexpr std::int64_t bits_4 = 4, bits_4_and_8 = 12;  // bit i is the width of label i: 2, 3, 4, 8

const kernels::cuda::Family* require(std::string_view name) {
  const kernels::cuda::Family* family = kernels::cuda::find_family(name);
  if (family == nullptr)
    throw adaptive::Error(adaptive::ErrorCode::not_found, "there is no such kernel family",
                          std::string(name));
  return family;
}

}  // namespace

kernels::Shape Weight::shape(const Lengths& lengths) const {
  constexpr std::int64_t bfloat16 = 0, sorted = 0;
  const std::int64_t tokens = lengths.tokens;
  if (is_attention()) {
    constexpr std::int64_t page_size = 16, no_window = 0, plain = 0, cache_of_bfloat16 = 1;
    return {tokens,    lengths.sequences, lengths.context, heads, key_value_heads,
            head_size, page_size,         no_window,       plain, cache_of_bfloat16};
  }
  if (experts > 0) {
    const auto rows = kernels::grouped_gemm::rows_by_router(tokens, experts_per_token, experts, router_skew,
                                                            static_cast<std::uint64_t>(tokens));
    const auto routed = kernels::grouped_gemm::summary_of(rows);
    return {routed.tokens, out, in, experts, routed.filled, routed.row_tiles, bfloat16, sorted};
  }
  if (bits != 0) return {tokens, out, in, bits, bfloat16};
  return {tokens, out, in, bfloat16};
}

std::string ServedModel::description() const {
  std::string text = name + ": " + std::to_string(layers) + " layers of";
  for (const Weight& weight : layer) {
    if (weight.is_attention()) {
      text += " " + weight.name + " of " + std::to_string(weight.heads) + " heads on " +
              std::to_string(weight.key_value_heads) + " of " + std::to_string(weight.head_size) + ",";
      continue;
    }
    text += " " + weight.name + " " + std::to_string(weight.out) + "x" + std::to_string(weight.in) +
            (weight.experts > 0 ? " (" + std::to_string(weight.experts) + " experts, " +
                                      std::to_string(weight.experts_per_token) + " for a token)"
                                : "") +
            (weight.bits == bits_4_and_8 ? " of 4 and 8 bits"
             : weight.bits != 0          ? " of 4 bits"
                                         : "") +
            ",";
  }
  text.back() = ';';
  return text +
         (vocabulary.family != nullptr ? " vocabulary " + std::to_string(vocabulary.out) : " no vocabulary");
}

std::int64_t ServedModel::launches() const {
  return layers * static_cast<std::int64_t>(layer.size()) + (vocabulary.family != nullptr ? 1 : 0);
}

ServedModel served(const tuning::Model& model) {
  if (model.layers <= 0)
    throw adaptive::Error(adaptive::ErrorCode::corrupt, "has no num_hidden_layers", model.name);
  ServedModel result{.name = model.name, .layers = model.layers};
  const bool has_experts = model.experts > 0;
  for (const tuning::Projection& projection : tuning::projections(model)) {
    // All layers are taken to be alike: where a model has both kinds, those with experts are the most.
    if (has_experts && !projection.is_expert && (projection.name == "gate_up" || projection.name == "down"))
      continue;
    Weight weight{.name = projection.name, .out = projection.out, .in = projection.in};
    if (projection.is_expert) {
      weight.family = require("grouped_gemm");
      weight.experts = model.experts;
      weight.experts_per_token = model.experts_per_token;
    } else if (has_experts) {
      weight.family = require("dense_gemm");
    } else {
      weight.family = require("mixed_bit_matmul");
      const bool of_attention = projection.name != "gate_up" && projection.name != "down";
      weight.bits = of_attention ? bits_4_and_8 : bits_4;
    }
    result.layer.push_back(std::move(weight));
    const std::int64_t size = projection.head_size;
    if (projection.key_heads > 0 && (size == 64 || size == 128 || size == 256))
      result.layer.push_back({.name = "attention",
                              .family = require("ragged_paged_attention"),
                              .heads = model.attention_heads,
                              .key_value_heads = projection.key_heads,
                              .head_size = size});
  }
  if (model.vocabulary > 0)
    result.vocabulary = {.name = "vocabulary",
                         .family = require("dense_gemm"),
                         .out = model.vocabulary,
                         .in = model.hidden_size};
  return result;
}

}  // namespace gpu_serving
