// What a language model's configuration says about the shapes of its layers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace adaptive::inline v1::tuning {

/// Which side of a weight tensor parallelism cuts: `out` is column parallel, `in` row parallel.
enum class Split : std::uint8_t { none, out, in };

/// One weight [out, in] that activations [tokens, in] are multiplied with.
struct Projection {
  std::string name = {};
  std::int64_t out = 0;
  std::int64_t in = 0;
  Split split = Split::out;
  bool is_expert = false;              ///< one for each expert
  std::vector<std::string> bits = {};  ///< widths of a quantised weight; empty: the model's

  friend bool operator==(const Projection&, const Projection&) = default;
};

/// The facts by the names of config.json; 0 where it does not say.
struct Model {
  std::string name = {};
  std::int64_t hidden_size = 0;
  std::int64_t intermediate_size = 0;         ///< of a layer without experts
  std::int64_t moe_intermediate_size = 0;     ///< of one expert
  std::int64_t shared_intermediate_size = 0;  ///< of the experts that every token passes, together
  std::int64_t attention_heads = 0;
  std::int64_t key_value_heads = 0;
  std::int64_t head_dim = 0;
  std::int64_t experts = 0;
  std::int64_t experts_per_token = 0;
  // Multi-head latent attention (DeepSeek-V2 and later).
  std::int64_t q_lora_rank = 0;
  std::int64_t kv_lora_rank = 0;
  std::int64_t qk_nope_head_dim = 0;
  std::int64_t qk_rope_head_dim = 0;
  std::int64_t v_head_dim = 0;
  std::string dtype = {};                      ///< "bfloat16"
  std::string quantisation = {};               ///< "fp8", "gptq", "awq", …
  std::vector<std::string> bits = {};          ///< of quantised weights: {"4"}
  std::vector<std::int64_t> block_shape = {};  ///< of a quantisation by blocks: {128, 128}
  /// Where the file lists them itself; else projections() derives them.
  std::vector<Projection> projections = {};
};

/// Fused as serving engines fuse them: queries, keys and values in one, gate and up in one. Attention, then a
/// layer without experts where the model has one, then the experts that all tokens pass, and the routed ones.
std::vector<Projection> projections(const Model& model);

}  // namespace adaptive::tuning
