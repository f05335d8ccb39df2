#include "cli/models/model_config.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <adaptive/error.hpp>

#include "base/text.hpp"
#include "cli/json_fields.hpp"

namespace adaptive::inline v1::cli {
namespace {

using tuning::Model;
using tuning::Projection;
using tuning::Split;
using Names = std::span<const char* const>;

// The names under which models have the same size. The first one that a file has counts.
constexpr auto hidden_names = std::to_array({"hidden_size", "n_embd", "d_model", "hidden_dim"});
constexpr auto layer_names = std::to_array({"num_hidden_layers", "n_layer", "num_layers", "n_layers"});
constexpr auto dense_names =
    std::to_array({"intermediate_size", "ffn_hidden_size", "ffn_dim", "n_inner", "d_ff"});
constexpr auto expert_width_names = std::to_array(
    {"moe_intermediate_size", "expert_ffn_hidden_size", "expert_intermediate_size", "moe_ffn_hidden_size"});
constexpr auto head_names = std::to_array({"num_attention_heads", "n_head", "n_heads", "num_heads"});
constexpr auto key_head_names = std::to_array(
    {"num_key_value_heads", "num_kv_heads", "n_head_kv", "multi_query_group_num", "num_attention_groups"});
constexpr auto head_size_names = std::to_array({"head_dim", "attention_head_dim", "kv_channels"});
constexpr auto expert_names = std::to_array(
    {"num_local_experts", "n_routed_experts", "num_experts", "moe_num_experts", "num_routed_experts"});
constexpr auto top_k_names =
    std::to_array({"num_experts_per_tok", "num_experts_per_token", "top_k_experts", "moe_topk", "moe_top_k",
                   "moe_k", "experts_per_token", "num_selected_experts"});
constexpr auto expert_hidden_names = std::to_array({"routed_expert_hidden_size", "moe_latent_size"});
constexpr auto shared_count_names =
    std::to_array({"n_shared_experts", "num_shared_experts", "num_shared_expert", "moe_num_shared_experts"});
constexpr auto shared_width_names = std::to_array(
    {"shared_expert_intermediate_size", "moe_shared_expert_intermediate_size", "shared_intermediate_size"});

std::string listed(Names names) {
  return core::joined(std::vector<std::string>(names.begin(), names.end()));
}

// A size, or a list with the same size for each layer.
std::int64_t size_or_list(const JsonFields& fields, const char* name) {
  if (!fields.json().is_object() || !fields.has(name) || !fields.json().at(name).is_array())
    return fields.size(name);
  const nlohmann::json& list = fields.list(name);
  for (const nlohmann::json& value : list) {
    if (!value.is_number_integer() || value.get<std::int64_t>() < 0)
      throw Error(ErrorCode::corrupt, "is not a list of sizes", fields.where(name));
    if (value != list.front())
      throw Error(ErrorCode::unsupported, "differs between the layers", fields.where(name),
                  "give the layers as \"projections\" (docs/tuning.md)");
  }
  return list.empty() ? 0 : list.front().get<std::int64_t>();
}

std::int64_t any_size(const JsonFields& fields, Names names) {
  for (const char* name : names)
    if (fields.has(name)) return size_or_list(fields, name);
  return 0;
}

bool is_positive(const nlohmann::json& value) {
  if (value.is_array()) return !value.empty() && is_positive(value.front());
  return value.is_number_integer() && value.get<std::int64_t>() > 0;
}

bool has_part(const std::string& name, std::initializer_list<const char*> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](const char* part) { return name.find(part) != std::string::npos; });
}

// A size of experts in the file. If the number of experts is unknown, it has another name there.
std::optional<std::string> sign_of_experts(const JsonFields& fields) {
  for (const auto& item : fields.json().items()) {
    const std::string& name = item.key();
    // Where the experts are and how they are trained is said of models without experts, too.
    if (is_positive(item.value()) && has_part(name, {"expert", "moe_topk", "moe_intermediate", "moe_ffn"}) &&
        !has_part(name, {"layer", "group", "loss", "coef", "freq", "step", "interval"}))
      return name;
  }
  return std::nullopt;
}

// A width of experts under a name that is not known.
std::optional<std::string> unknown_width(const JsonFields& fields) {
  for (const auto& item : fields.json().items()) {
    const std::string& name = item.key();
    if (is_positive(item.value()) && has_part(name, {"expert", "moe"}) &&
        !has_part(name, {"shared", "routed_expert_hidden_size"}) &&
        has_part(name, {"intermediate", "hidden", "ffn", "width"}))
      return name;
  }
  return std::nullopt;
}

[[noreturn]] void refuse_missing(const JsonFields& fields, const std::string& what, Names names,
                                 const std::string& hint = "give the layers as \"projections\"") {
  throw Error(ErrorCode::corrupt, "does not have " + what + " under a known name: " + listed(names),
              fields.where(), hint);
}

Split split_of(const JsonFields& fields) {
  const std::string text = fields.text("split", "out");
  if (text == "out") return Split::out;
  if (text == "in") return Split::in;
  if (text == "none") return Split::none;
  throw Error(ErrorCode::corrupt, "is neither \"out\" nor \"in\" nor \"none\"", fields.where("split"));
}

std::vector<std::string> widths(const JsonFields& fields) {
  std::vector<std::string> result;
  for (const nlohmann::json& width : fields.list("bits")) {
    if (!width.is_string()) throw Error(ErrorCode::corrupt, "is not a list of texts", fields.where("bits"));
    result.push_back(width.get<std::string>());
  }
  return result;
}

std::vector<Projection> listed_projections(const JsonFields& fields) {
  std::vector<Projection> result;
  const nlohmann::json& list = fields.list("projections");
  for (std::size_t i = 0; i < list.size(); ++i) {
    const JsonFields one(list[i], fields.where("projections/" + std::to_string(i)));
    Projection projection{.name = one.text("name", "projection " + std::to_string(i))};
    projection.out = one.size("out");
    projection.in = one.size("in");
    if (projection.out < 1 || projection.in < 1)
      throw Error(ErrorCode::corrupt, "has no \"out\" or no \"in\"", one.where());
    projection.split = split_of(one);
    projection.is_expert = one.flag("expert");
    projection.bits = widths(one);
    result.push_back(std::move(projection));
  }
  return result;
}

// Multi-modal models have the members of the language model one or two levels deeper.
JsonFields language_model(const JsonFields& fields) {
  if (any_size(fields, hidden_names) == 0)
    for (const char* name : {"text_config", "llm_config", "language_config", "thinker_config"})
      if (fields.has(name)) return language_model(fields.object(name));
  return fields;
}

// Weights of whole numbers or floating-point numbers with this many bits.
void set_weights(Model& model, const std::string& kind, std::int64_t bits) {
  if (kind == "float" && bits == 8)
    model.weights = "float8_e4m3";
  else if (kind == "int" && bits > 0)
    model.weights = "int" + std::to_string(bits);
  else
    model.weights = kind + std::to_string(bits);
  if (kind == "int" && bits > 0) model.bits = {std::to_string(bits)};
}

void read_blocks(const JsonFields& fields, const char* name, Model& model) {
  for (const nlohmann::json& size : fields.list(name)) {
    if (!size.is_number_integer() || size.get<std::int64_t>() < 0)
      throw Error(ErrorCode::corrupt, "is not a list of sizes", fields.where(name));
    model.block_shape.push_back(size.get<std::int64_t>());
  }
  if (!model.block_shape.empty() && model.block_shape.size() != 2)
    throw Error(ErrorCode::corrupt, "is not a pair of sizes", fields.where(name));
}

// compressed-tensors: {"config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "float", …}}}}
void read_groups(const JsonFields& fields, Model& model) {
  const JsonFields groups = fields.object("config_groups");
  if (!groups.json().is_object() || groups.json().empty())
    throw Error(ErrorCode::corrupt, "has no config_groups", fields.where());
  for (const auto& [name, group] : groups.json().items()) {
    const JsonFields weights = groups.object(name.c_str()).object("weights");
    Model own;
    set_weights(own, weights.text("type", "int"), weights.size("num_bits"));
    read_blocks(weights, "block_structure", own);
    if (!model.weights.empty() && own.weights != model.weights)
      throw Error(ErrorCode::unsupported, "has groups of different types", groups.where(),
                  "give the layers as \"projections\", or the type with --set");
    model.weights = own.weights;
    model.bits = own.bits;
    model.block_shape = own.block_shape;
  }
}

void read_quantisation(const JsonFields& fields, Model& model) {
  if (!fields.json().is_object()) return;
  model.quantisation = fields.text("quant_method", fields.text("quant_algo", "unknown"));
  const std::string& method = model.quantisation;
  if (method == "compressed-tensors") {
    read_groups(fields, model);
  } else if (fields.has("load_in_4bit") || fields.has("load_in_8bit")) {
    set_weights(model, "int", fields.flag("load_in_4bit") ? 4 : fields.flag("load_in_8bit") ? 8 : 0);
  } else if (fields.has("bits")) {
    set_weights(model, "int", fields.size("bits"));
  } else if (method == "fp8" || method == "fbgemm_fp8" || fields.text("quant_algo") == "FP8") {
    set_weights(model, "float", 8);
  } else {
    model.weights = fields.text("quant_algo", method);  // "mxfp4", "NVFP4", and whatever else there will be
  }
  if (model.block_shape.empty()) read_blocks(fields, "weight_block_size", model);
}

void read_experts(const JsonFields& fields, Model& model) {
  model.experts = any_size(fields, expert_names);
  if (model.experts == 0) {
    if (const auto field = sign_of_experts(fields))
      refuse_missing(fields, "the number of experts, although it has " + *field + ",", expert_names);
    return;
  }
  if (model.experts == 1) {  // a dense layer in the words of a model with experts
    model.experts = 0;
    return;
  }
  model.experts_per_token = any_size(fields, top_k_names);
  model.expert_hidden_size = any_size(fields, expert_hidden_names);
  if (model.experts_per_token == 0)
    model.missing_top_k =
        "does not have the number of experts of a token under a known name: " + listed(top_k_names);
  model.moe_intermediate_size = any_size(fields, expert_width_names);
  if (fields.has("intermediate_size_mlp")) {  // Llama 4: intermediate_size is that of an expert
    model.moe_intermediate_size = model.intermediate_size;
    model.shared_intermediate_size = model.intermediate_size;
    model.intermediate_size =
        fields.size("interleave_moe_layer_step", 1) == 1 ? 0 : fields.size("intermediate_size_mlp");
    return;
  }
  if (model.moe_intermediate_size == 0)
    if (const auto field = unknown_width(fields))
      refuse_missing(fields, "the width of an expert, although it has " + *field + ",", expert_width_names);
  const std::int64_t shared = any_size(fields, shared_count_names);
  const std::int64_t width = any_size(fields, shared_width_names);
  const std::int64_t routed = model.expert_width();
  model.shared_intermediate_size = width > 0 ? width : shared * routed;
  // Where every layer has experts, the dense width belongs to no layer.
  const bool all_sparse = fields.has("decoder_sparse_step") && fields.size("decoder_sparse_step") == 1 &&
                          fields.list("mlp_only_layers").empty();
  if (all_sparse && model.moe_intermediate_size > 0) model.intermediate_size = 0;
}

void require_sizes(const JsonFields& fields, const Model& model) {
  if (model.hidden_size == 0)
    refuse_missing(fields, "the width of the model", hidden_names, "give the config.json of a model");
  if (model.attention_heads == 0) refuse_missing(fields, "the number of attention heads", head_names);
  if (model.intermediate_size == 0 && model.moe_intermediate_size == 0)
    refuse_missing(fields, "the width of a layer", dense_names);
  if (model.kv_lora_rank > 0)
    for (const char* name : {"qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim"})
      if (!fields.has(name))
        throw Error(ErrorCode::corrupt, "is missing, but kv_lora_rank is there", fields.where(name));
}

}  // namespace

Model parse_model(std::string_view text, const std::string& source) {
  const nlohmann::json json = parse_object(text, source);
  const JsonFields whole(json, source);
  const JsonFields fields = language_model(whole);
  Model model;
  model.hidden_size = any_size(fields, hidden_names);
  model.intermediate_size = any_size(fields, dense_names);
  model.attention_heads = any_size(fields, head_names);
  model.key_value_heads = any_size(fields, key_head_names);
  model.head_dim = any_size(fields, head_size_names);
  model.q_lora_rank = fields.size("q_lora_rank");
  model.kv_lora_rank = fields.size("kv_lora_rank");
  model.qk_nope_head_dim = fields.size("qk_nope_head_dim");
  model.qk_rope_head_dim = fields.size("qk_rope_head_dim");
  model.v_head_dim = fields.size("v_head_dim");
  model.layers = any_size(fields, layer_names);
  model.vocabulary = fields.size("vocab_size");
  read_experts(fields, model);
  for (const char* name : {"hidden_act", "hidden_activation"})
    if (model.activation.empty()) model.activation = fields.text(name);
  if (whole.text("model_type") == "gpt_oss") model.activation = "swigluoai";  // its hidden_act says silu
  for (const JsonFields* place : {&fields, &whole})
    for (const char* name : {"torch_dtype", "dtype"})
      if (model.dtype.empty()) model.dtype = place->text(name);
  for (const JsonFields* place : {&whole, &fields})
    for (const char* name : {"quantization_config", "compression_config"})
      if (model.quantisation.empty()) read_quantisation(place->object(name), model);
  model.projections = listed_projections(fields);
  if (model.projections.empty()) require_sizes(fields, model);
  return model;
}

}  // namespace adaptive::cli
