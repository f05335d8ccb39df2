#include "examples/serving/workload/model.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include <adaptive/error.hpp>

namespace serving {
namespace {

std::int64_t padded(std::int64_t size) {
  return static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(size)));
}

/// The value of a dimension with labels: a bit mask for a set, an index for a single label.
std::int64_t labels(std::string_view family_name, std::string_view dimension_name,
                    std::initializer_list<std::string_view> wanted) {
  const kernels::Family* family = kernels::find_family(family_name);
  std::int64_t value = 0;
  if (family == nullptr) return value;
  for (const kernels::Dimension& dimension : family->dimensions()) {
    if (dimension.name != dimension_name) continue;
    for (std::size_t i = 0; i < dimension.labels.size(); ++i)
      if (std::find(wanted.begin(), wanted.end(), dimension.labels[i]) != wanted.end())
        value = dimension.kind == kernels::Dimension::Kind::label ? static_cast<std::int64_t>(i)
                                                                  : value | std::int64_t{1} << i;
  }
  return value;
}

}  // namespace

Model::Model(const ModelOptions& options, std::uint64_t seed) : options_(options), random_(seed) {
  double sum = 0;  // some experts are more popular than others
  for (std::int64_t e = 0; e < options.experts; ++e)
    popularity_.push_back(sum += 1 / std::sqrt(static_cast<double>(e + 1)));
}

std::string Model::description() const {
  return std::to_string(options_.layers) + " layers of width " + std::to_string(options_.hidden) + ", " +
         std::to_string(options_.experts) + " experts, " + std::to_string(options_.experts_per_token) +
         " per token, vocabulary " + std::to_string(options_.vocabulary);
}

void Model::add(std::string_view family_name, Values values) {
  Launch& launch = launches_.emplace_back();
  launch.family = kernels::find_family(family_name);
  if (launch.family == nullptr)
    throw adaptive::Error(adaptive::ErrorCode::not_found, "there is no such kernel family",
                          std::string(family_name));
  for (const kernels::Dimension& dimension : launch.family->dimensions()) {
    const auto value = std::find_if(values.begin(), values.end(),
                                    [&](const auto& each) { return each.first == dimension.name; });
    if (value == values.end())
      throw adaptive::Error(adaptive::ErrorCode::invalid_argument,
                            "the model gives no value for " + dimension.name, launch.family->name());
    launch.shape.push_back(value->second);
  }
}

void Model::add_projection(std::int64_t tokens, std::int64_t out, std::int64_t in, std::int64_t bits) {
  add("mixed_bit_matmul",
      {{"tokens", padded(tokens)}, {"out_features", out}, {"in_features", in}, {"bits", bits}});
}

void Model::add_attention(const Step& step) {
  static const std::int64_t bfloat16 = labels("ragged_paged_attention", "dtype", {"bfloat16"});
  static const std::int64_t plain = labels("ragged_paged_attention", "scores", {"plain"});
  constexpr std::int64_t head_size = 64, page_size = 16;
  // Contexts grow by one token in each step. Short ones share a key, because few variants differ on them.
  constexpr std::int64_t context_min = 256;
  add("ragged_paged_attention", {{"tokens", padded(step.tokens())},
                                 {"sequences", padded(step.sequences)},
                                 {"context", std::max(context_min, padded(step.context_max))},
                                 {"q_heads", options_.hidden / head_size},
                                 {"kv_heads", options_.hidden / head_size / 2},
                                 {"head_size", head_size},
                                 {"page_size", page_size},
                                 {"window", 0},
                                 {"scores", plain},
                                 {"dtype", bfloat16}});
}

/// Sends each token to its experts and returns how many experts got any tokens.
std::int64_t Model::route(std::int64_t tokens) {
  std::vector<bool> filled(popularity_.size(), false);
  std::vector<std::size_t> chosen;
  for (std::int64_t t = 0; t < tokens; ++t) {
    chosen.clear();
    while (static_cast<std::int64_t>(chosen.size()) <
           std::min(options_.experts_per_token, options_.experts)) {
      const double at = random_.uniform() * popularity_.back();
      const auto expert = static_cast<std::size_t>(
          std::upper_bound(popularity_.begin(), popularity_.end(), at) - popularity_.begin());
      if (std::find(chosen.begin(), chosen.end(), expert) == chosen.end()) chosen.push_back(expert);
    }
    for (const std::size_t expert : chosen) filled[expert] = true;
  }
  return std::count(filled.begin(), filled.end(), true);
}

void Model::add_experts(std::int64_t tokens) {
  static const std::int64_t bfloat16 = labels("grouped_gemm", "dtype", {"bfloat16"});
  const std::int64_t rows = padded(tokens * options_.experts_per_token);
  const std::int64_t filled = std::min(padded(route(tokens)), options_.experts);
  const std::int64_t hidden = options_.hidden;
  for (const auto& [n, k] : {std::pair(2 * hidden, hidden), std::pair(hidden, hidden)})  // gate and up, down
    add("grouped_gemm", {{"tokens", rows},
                         {"n", n},
                         {"k", k},
                         {"experts", options_.experts},
                         {"filled", filled},
                         {"dtype", bfloat16}});
}

const std::vector<Launch>& Model::launches(const Step& step) {
  static const std::int64_t narrow = labels("mixed_bit_matmul", "bits", {"3", "4"});
  static const std::int64_t usual = labels("mixed_bit_matmul", "bits", {"4"});
  static const std::int64_t wide = labels("mixed_bit_matmul", "bits", {"4", "8"});
  launches_.clear();
  const std::int64_t hidden = options_.hidden;
  const std::int64_t tokens = step.tokens();
  for (std::int64_t layer = 0; layer < options_.layers && tokens > 0; ++layer) {
    add_projection(tokens, 2 * hidden, hidden, usual);  // queries, and half as many keys and values
    add_attention(step);
    add_projection(tokens, hidden, hidden, wide);  // projection of the attention output
    if (layer == 0) {
      add_projection(tokens, 4 * hidden, hidden, narrow);
      add_projection(tokens, hidden, 4 * hidden, narrow);
    } else {
      add_experts(tokens);
    }
  }
  if (step.sampled_tokens > 0) add_projection(step.sampled_tokens, options_.vocabulary, hidden, wide);
  return launches_;
}

}  // namespace serving
