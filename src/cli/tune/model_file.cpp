#include "cli/tune/model_file.hpp"

#include <cstdlib>
#include <set>
#include <utility>

#include <adaptive/error.hpp>

#include "base/text.hpp"
#include "cli/json_fields.hpp"
#include "table/installed.hpp"

namespace adaptive::inline v1::cli {
namespace {

namespace fs = std::filesystem;
using tuning::Model;
using tuning::Projection;
using tuning::Split;

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

std::vector<Projection> projections(const JsonFields& fields) {
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

// The first of these names that the file has; different models use different names.
std::int64_t any_size(const JsonFields& fields, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (fields.has(name)) return fields.size(name);
  return 0;
}

void read_quantisation(const JsonFields& fields, Model& model) {
  model.quantisation = fields.text("quant_method");
  if (fields.has("bits")) model.bits = {std::to_string(fields.size("bits"))};
  for (const nlohmann::json& size : fields.list("weight_block_size")) {
    if (!size.is_number_integer())
      throw Error(ErrorCode::corrupt, "is not a list of sizes", fields.where("weight_block_size"));
    model.block_shape.push_back(size.get<std::int64_t>());
  }
  if (model.quantisation == "fp8") model.dtype = "float8_e4m3";
}

// Multi-modal models have the members of the language model one level deeper.
JsonFields language_model(const JsonFields& fields) {
  if (!fields.has("hidden_size"))
    for (const char* name : {"text_config", "llm_config"})
      if (fields.has(name)) return fields.object(name);
  return fields;
}

}  // namespace

std::vector<fs::path> own_model_folders() {
  std::vector<fs::path> folders;
  if (const char* own = std::getenv("ADAPTIVE_MODELS"))
    for (const std::string& folder : core::split(own, ':'))
      if (!folder.empty()) folders.emplace_back(folder);
  return folders;
}

std::vector<fs::path> model_folders() {
  std::vector<fs::path> folders = own_model_folders();
  const fs::path beside = table::configs_beside_code();
  if (!beside.empty()) folders.push_back(beside / "models");
  folders.emplace_back(ADAPTIVE_CLI_CONFIGS "/models");
  for (const fs::path& installed : table::installed_configs(nullptr))
    if (installed != beside) folders.push_back(installed / "models");
  return folders;
}

std::vector<std::string> preset_names() {
  std::set<std::string> names;
  for (const fs::path& folder : model_folders()) {
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored))
      if (entry.path().extension() == ".json") names.insert(entry.path().stem().string());
  }
  return {names.begin(), names.end()};
}

Model find_model(const std::string& name) {
  fs::path path = name;
  if (fs::is_directory(path)) path /= "config.json";
  if (!fs::is_regular_file(path) && name.find('/') == std::string::npos)
    for (const fs::path& folder : model_folders())
      if (const fs::path preset = folder / (name + ".json"); fs::is_regular_file(preset)) {
        path = preset;
        break;
      }
  if (!fs::is_regular_file(path)) {
    throw Error(ErrorCode::not_found, "there is no such model", name,
                "known: " + core::joined(preset_names()) + "; or give a config.json");
  }
  Model model = parse_model(read_file(path), path.string());
  model.name = path.stem() == "config" ? name : path.stem().string();
  return model;
}

Model parse_model(std::string_view text, const std::string& source) {
  const nlohmann::json json = parse_object(text, source);
  const JsonFields whole(json, source);
  const JsonFields fields = language_model(whole);
  Model model;
  model.hidden_size = any_size(fields, {"hidden_size", "n_embd", "d_model"});
  model.intermediate_size = any_size(fields, {"intermediate_size", "ffn_dim", "n_inner"});
  model.moe_intermediate_size = any_size(fields, {"moe_intermediate_size", "expert_intermediate_size"});
  model.shared_intermediate_size = fields.has("n_shared_experts")
                                       ? fields.size("n_shared_experts") * model.moe_intermediate_size
                                       : fields.size("shared_expert_intermediate_size");
  // Qwen models: with a step of 1 and no listed layers, every layer has experts.
  if (fields.has("decoder_sparse_step") && fields.size("decoder_sparse_step") == 1 &&
      fields.list("mlp_only_layers").empty())
    model.intermediate_size = 0;
  model.attention_heads = any_size(fields, {"num_attention_heads", "n_head"});
  model.key_value_heads = any_size(fields, {"num_key_value_heads"});
  model.head_dim = any_size(fields, {"head_dim"});
  model.experts = any_size(fields, {"num_local_experts", "n_routed_experts", "num_experts"});
  model.experts_per_token = any_size(fields, {"num_experts_per_tok", "moe_topk"});
  model.q_lora_rank = any_size(fields, {"q_lora_rank"});
  model.kv_lora_rank = any_size(fields, {"kv_lora_rank"});
  model.qk_nope_head_dim = any_size(fields, {"qk_nope_head_dim"});
  model.qk_rope_head_dim = any_size(fields, {"qk_rope_head_dim"});
  model.v_head_dim = any_size(fields, {"v_head_dim"});
  model.dtype = fields.text("torch_dtype", fields.text("dtype"));
  read_quantisation(whole.object("quantization_config"), model);
  model.projections = projections(fields);
  if (model.hidden_size == 0 && model.projections.empty())
    throw Error(ErrorCode::corrupt, "has neither hidden_size nor projections", source,
                "give the config.json of a model");
  return model;
}

}  // namespace adaptive::cli
