// Derives the shapes of a language model's layers from its configuration.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace adaptive::inline v1::tuning {

/// The side of a weight that tensor parallelism divides: `out` is column parallel, `in` row parallel.
enum class Split : std::uint8_t { none, out, in };

/// A weight [out, in], by which activations [tokens, in] are multiplied.
struct Projection {
  std::string name = {};
  std::int64_t out = 0;
  std::int64_t in = 0;
  Split split = Split::out;
  bool is_expert = false;              ///< one for each expert
  std::vector<std::string> bits = {};  ///< widths of a quantised weight; empty: the model's
  /// Heads of keys in `out`, and as many of values, each `head_size` wide; the rest of `out` are queries.
  /// Engines replicate them where there are fewer than devices. 0: `out` is one piece.
  std::int64_t key_heads = 0;
  std::int64_t head_size = 0;

  friend bool operator==(const Projection&, const Projection&) = default;
};

/// The values of config.json under their names in that file; 0 if the file does not have them.
struct Model {
  std::string name = {};
  std::int64_t hidden_size = 0;
  std::int64_t layers = 0;
  std::int64_t vocabulary = 0;
  std::int64_t intermediate_size = 0;         ///< of a layer without experts
  std::int64_t moe_intermediate_size = 0;     ///< of one expert
  std::int64_t expert_hidden_size = 0;        ///< of the experts' activations; 0: hidden_size
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
  std::string activation = {};                 ///< "silu", "gelu_pytorch_tanh", …; swigluoai: of gpt-oss
  std::string dtype = {};                      ///< of activations: "bfloat16"
  std::string quantisation = {};               ///< "fp8", "gptq", "awq", …; empty: none
  std::string weights = {};                    ///< type of quantised weights: "float8_e4m3", "int4", "mxfp4"
  std::vector<std::string> bits = {};          ///< of weights that are whole numbers: {"4"}
  std::string missing_top_k = {};              ///< why `experts_per_token` is not known
  std::vector<std::int64_t> block_shape = {};  ///< of a quantisation by blocks: {128, 128}
  /// The projections that the file lists itself; if it lists none, projections() derives them.
  std::vector<Projection> projections = {};

  /// Intermediate size of one expert; some files give it under the name of a layer without experts.
  std::int64_t expert_width() const noexcept {
    return moe_intermediate_size > 0 ? moe_intermediate_size : intermediate_size;
  }
};

/// The projections of a layer, fused as in serving engines: queries, keys and values in one, gate and up in
/// one. First attention, then a layer without experts if the model has one, then the experts that all tokens
/// pass, then the routed experts.
std::vector<Projection> projections(const Model& model);

}  // namespace adaptive::tuning
