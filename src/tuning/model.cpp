#include "tuning/model.hpp"

namespace adaptive::inline v1::tuning {
namespace {

void add_latent_attention(const Model& m, std::vector<Projection>& all) {
  const std::int64_t qk = m.qk_nope_head_dim + m.qk_rope_head_dim;
  if (m.q_lora_rank > 0) {
    all.push_back({"q_a", m.q_lora_rank, m.hidden_size, Split::none});
    all.push_back({"q_b", m.attention_heads * qk, m.q_lora_rank, Split::out});
  } else {
    all.push_back({"q", m.attention_heads * qk, m.hidden_size, Split::out});
  }
  all.push_back({"kv_a", m.kv_lora_rank + m.qk_rope_head_dim, m.hidden_size, Split::none});
  all.push_back(
      {"kv_b", m.attention_heads * (m.qk_nope_head_dim + m.v_head_dim), m.kv_lora_rank, Split::out});
  all.push_back({"o", m.hidden_size, m.attention_heads * m.v_head_dim, Split::in});
}

void add_attention(const Model& m, std::vector<Projection>& all) {
  if (m.attention_heads <= 0) return;
  const std::int64_t head = m.head_dim > 0 ? m.head_dim : m.hidden_size / m.attention_heads;
  const std::int64_t kv_heads = m.key_value_heads > 0 ? m.key_value_heads : m.attention_heads;
  all.push_back({.name = "qkv",
                 .out = (m.attention_heads + 2 * kv_heads) * head,
                 .in = m.hidden_size,
                 .key_heads = kv_heads,
                 .head_size = head});
  all.push_back({"o", m.hidden_size, m.attention_heads * head, Split::in});
}

void add_gated(std::int64_t hidden, const std::string& prefix, std::int64_t intermediate, bool is_expert,
               std::vector<Projection>& all) {
  all.push_back({prefix + "gate_up", 2 * intermediate, hidden, Split::out, is_expert});
  all.push_back({prefix + "down", hidden, intermediate, Split::in, is_expert});
}

}  // namespace

std::vector<Projection> projections(const Model& model) {
  if (!model.projections.empty()) return model.projections;
  std::vector<Projection> all;
  if (model.hidden_size <= 0) return all;
  if (model.kv_lora_rank > 0)
    add_latent_attention(model, all);
  else
    add_attention(model, all);
  const bool all_experts = model.experts > 0 && model.moe_intermediate_size == 0;
  if (model.intermediate_size > 0 && !all_experts)
    add_gated(model.hidden_size, "", model.intermediate_size, false, all);
  if (model.shared_intermediate_size > 0)
    add_gated(model.hidden_size, "shared_", model.shared_intermediate_size, false, all);
  if (model.experts > 0)
    add_gated(model.expert_hidden_size > 0 ? model.expert_hidden_size : model.hidden_size, "expert_",
              all_experts ? model.intermediate_size : model.moe_intermediate_size, true, all);
  return all;
}

}  // namespace adaptive::tuning
