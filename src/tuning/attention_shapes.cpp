#include "tuning/attention_shapes.hpp"

#include <algorithm>

#include <adaptive/error.hpp>

namespace adaptive::inline v1::tuning {
namespace {

// Engines fill a step with chunks of prompts up to such a budget.
constexpr std::int64_t budget_tokens = 256;
constexpr std::int64_t default_page_size = 16;

// The heads of one device.
AttentionStep heads_of(const ShapeRequest& request, const std::string& family,
                       const std::function<void(const std::string&)>& warn) {
  AttentionStep step = {{"page_size", default_page_size}, {"window", 0}};
  if (!request.model) return step;
  const Model& model = *request.model;
  if (model.kv_lora_rank > 0)
    throw Error(ErrorCode::unsupported, "has latent attention, which " + family + " does not compute",
                model.name);
  if (model.attention_heads <= 0)
    throw Error(ErrorCode::not_found, "has no attention heads, but " + family + " needs them", model.name,
                "give them with --set q_heads=…,kv_heads=…,head_size=…");
  std::int64_t queries = model.attention_heads;
  std::int64_t keys = model.key_value_heads > 0 ? model.key_value_heads : queries;
  step["head_size"] = model.head_dim > 0 ? model.head_dim : model.hidden_size / queries;
  const std::int64_t devices = request.tensor_parallel;
  if (queries % devices == 0 && (keys % devices == 0 || devices % keys == 0)) {
    queries /= devices;
    keys = std::max<std::int64_t>(keys / devices, 1);
  } else {
    warn(std::to_string(queries) + " heads of queries and " + std::to_string(keys) +
         " of keys cannot be divided by " + std::to_string(devices) + "; they are not divided");
  }
  step["q_heads"] = queries;
  step["kv_heads"] = keys;
  return step;
}

}  // namespace

std::vector<AttentionStep> attention_steps(const ShapeRequest& request, const std::string& family,
                                           const std::function<void(const std::string&)>& warn) {
  if (!request.out_in.empty() || !request.routing.empty())
    throw Error(ErrorCode::invalid_argument, "has no weights and no experts", family,
                "give --model, --batch-sizes and --seq-lengths");
  AttentionStep step = heads_of(request, family, warn);
  std::vector<std::int64_t> batches = request.batch_sizes;
  if (batches.empty())
    batches = request.quick ? std::vector<std::int64_t>{1, 8} : std::vector<std::int64_t>{1, 4, 16};
  std::vector<std::int64_t> lengths = request.sequence_lengths;
  if (lengths.empty())
    lengths = request.quick ? std::vector<std::int64_t>{1024} : std::vector<std::int64_t>{512, 4096};
  std::vector<AttentionStep> steps;
  for (const std::int64_t batch : batches)
    for (const std::int64_t length : lengths)
      for (const std::int64_t budget : {batch, budget_tokens}) {
        step["sequences"] = batch;
        step["context"] = length;
        step["tokens"] = std::max(batch, std::min(budget, batch - 1 + length));
        steps.push_back(step);
      }
  return steps;
}

}  // namespace adaptive::tuning
