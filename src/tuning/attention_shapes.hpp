// The steps of a serving engine for which attention is tuned: families with the dimension q_heads.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tuning/shapes.hpp"

namespace adaptive::inline v1::tuning {

/// Values by dimension: tokens, sequences, context, q_heads, kv_heads, head_size, page_size, window.
using AttentionStep = std::map<std::string, std::int64_t>;

/// For each batch size and each sequence length, the longest of the batch: a step in which every sequence has
/// one new token, and one that chunks of prompts fill to 256 tokens. Heads are those of the model, divided by
/// tensor parallelism: those of keys as long as each device gets one. What a request names in `values` needs
/// no model. `warn` gets one sentence for each thing that could not be done as requested. Throws `Error` if
/// the model has no such attention.
std::vector<AttentionStep> attention_steps(const ShapeRequest& request, const std::string& family,
                                           const std::function<void(const std::string&)>& warn);

}  // namespace adaptive::tuning
