#include "tuning/shapes.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <string_view>
#include <utility>

#include <adaptive/error.hpp>

#include "base/text.hpp"
#include "kernels/grouped_gemm/routing.hpp"
#include "tuning/attention_shapes.hpp"
#include "tuning/dimension_role.hpp"
#include "tuning/dimension_value.hpp"

namespace adaptive::inline v1::tuning {
namespace {

using kernels::Shape;
using Values = std::map<std::string, std::vector<std::string>>;

using kernels::grouped_gemm::RoutingSummary;

/// The work of one launch.
struct LaunchRows {
  std::int64_t inputs = 0;  ///< tokens, before each goes to several experts
  RoutingSummary here = {};
};

class ShapeMaker {
 public:
  ShapeMaker(const Target& target, const ShapeRequest& request) : target_(target), request_(request) {
    for (const auto& [name, values] : request.values)
      if (find(name) == nullptr)
        throw Error(ErrorCode::not_found, "has no dimension \"" + name + "\"", target.name(),
                    "it has: " + core::joined(names()));
    if (!request.block_shape.empty() && !has(Role::block_n) && !has(Role::scales))
      throw Error(ErrorCode::not_found, "has no dimension \"block_n\"", target.name(),
                  "it has: " + core::joined(names()));
    if (request.dtype != "auto" && !request.dtype.empty() && !has(Role::dtype))
      throw Error(ErrorCode::not_found, "has no dimension dtype", target.name(),
                  "it has: " + core::joined(names()));
  }

  ShapeList make() {
    for (const std::string& text : request_.shapes) add(parse_shape(text));
    if (is_attention()) return make_attention();
    const std::vector<Projection> wanted = wanted_projections();
    if (request_.model && wanted.empty()) throw no_projection();
    for (const Projection& projection : wanted) add_projection(projection);
    if (request_.shapes.empty() && wanted.empty()) {
      const bool about_weights = !request_.batch_sizes.empty() || !request_.sequence_lengths.empty() ||
                                 !request_.values.empty() || !request_.routing.empty();
      if (about_weights)
        throw Error(ErrorCode::invalid_argument, "the shapes need the sizes of weights", target_.name(),
                    "give --model or --out-in-features");
      add_own();
    }
    if (result_.shapes.empty() && refused_) throw Error(*refused_);
    return std::move(result_);
  }

 private:
  const kernels::Dimension* find(const std::string& name) const {
    for (const kernels::Dimension& dimension : target_.dimensions())
      if (dimension.name == name) return &dimension;
    return nullptr;
  }
  bool is_attention() const { return find("q_heads") != nullptr; }
  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const kernels::Dimension& dimension : target_.dimensions()) result.push_back(dimension.name);
    return result;
  }
  bool has(Role role) const {
    return std::any_of(target_.dimensions().begin(), target_.dimensions().end(),
                       [&](const kernels::Dimension& d) { return role_of(d.name) == role; });
  }

  // A family of whole layers has the widths on both sides of the second projection, by which a layer is
  // described here.
  bool is_layer() const { return has(Role::width); }

  ShapeList make_attention() {
    const bool names_steps = request_.model || !request_.batch_sizes.empty() || !request_.out_in.empty() ||
                             !request_.sequence_lengths.empty() || !request_.values.empty() ||
                             !request_.routing.empty();
    if (names_steps)
      for (const AttentionStep& step :
           attention_steps(request_, target_.name(), [this](const std::string& text) { warn(text); })) {
        std::vector<std::vector<std::int64_t>> choices;
        for (const kernels::Dimension& dimension : target_.dimensions()) {
          const auto derived = step.find(dimension.name);
          const bool is_derived = derived != step.end() && !request_.values.contains(dimension.name);
          choices.push_back(is_derived ? std::vector{derived->second}
                                       : choices_of(dimension, {}, 0, 0, 0, {}));
        }
        add_combinations(choices);
      }
    else if (request_.shapes.empty())
      add_own();
    if (result_.shapes.empty() && refused_) throw Error(*refused_);
    return std::move(result_);
  }

  std::int64_t experts() const {
    if (request_.experts > 0) return request_.experts;
    return request_.model ? request_.model->experts : 0;
  }
  // No token can have more experts than there are.
  std::int64_t possible(std::int64_t per_token, const std::string& where) const {
    if (experts() > 0 && per_token > experts())
      throw Error(
          ErrorCode::invalid_argument,
          std::to_string(per_token) + " experts of a token, but there are only " + std::to_string(experts()),
          where);
    return per_token;
  }
  std::int64_t experts_per_token() {
    if (request_.experts_per_token > 0) return possible(request_.experts_per_token, "--top-k");
    if (request_.model && request_.model->experts_per_token > 0)
      return possible(request_.model->experts_per_token, request_.model->name);
    if (request_.model && request_.experts == 0 && !request_.model->missing_top_k.empty())
      throw Error(ErrorCode::corrupt, request_.model->missing_top_k, request_.model->name,
                  "give it with --top-k");
    warn("the number of experts of a token is not known; every token has 1. --top-k gives another number");
    return 1;
  }

  void warn(const std::string& text) {
    if (std::find(result_.warnings.begin(), result_.warnings.end(), text) == result_.warnings.end())
      result_.warnings.push_back(text);
  }

  Error no_projection() const {
    if (has(Role::experts))
      return Error(ErrorCode::not_found, "has no experts, but " + target_.name() + " needs them",
                   request_.model->name, "give their number with --experts");
    return Error(ErrorCode::not_found, "has no layer for " + target_.name(), request_.model->name);
  }

  std::vector<Projection> wanted_projections() const {
    const bool by_expert = has(Role::experts);
    std::vector<Projection> wanted;
    for (const auto& [out, in] : request_.out_in)
      wanted.push_back({"", out, in, is_layer() ? Split::in : request_.out_in_split, by_expert});
    if (!request_.model) return wanted;
    for (Projection projection : projections(*request_.model)) {
      // If the request adds experts to a model without any, the model's layers become experts.
      const bool added = by_expert && request_.model->experts == 0 && request_.experts > 0 &&
                         (projection.name == "gate_up" || projection.name == "down");
      if (added) projection.is_expert = true;
      if (is_layer() && projection.split != Split::in) continue;
      if (projection.is_expert == by_expert) wanted.push_back(std::move(projection));
    }
    return wanted;
  }

  std::int64_t divided(std::int64_t size, std::int64_t by, const std::string& what) {
    if (by <= 1) return size;
    if (size % by == 0) return size / by;
    warn(what + " = " + std::to_string(size) + " cannot be divided by " + std::to_string(by) +
         "; it is not divided");
    return size;
  }

  std::vector<std::int64_t> tokens() const {
    std::vector<std::int64_t> batches = request_.batch_sizes;
    if (batches.empty() && request_.quick) batches = {1, 16, 256};
    if (batches.empty()) batches = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048};
    std::vector<std::int64_t> sequences = request_.sequence_lengths;
    if (sequences.empty()) sequences = {1};
    std::set<std::int64_t> result;
    for (const std::int64_t batch : batches)
      for (const std::int64_t sequence : sequences) result.insert(batch * sequence);
    return {result.begin(), result.end()};
  }

  /// The rows of one launch for each step.
  std::vector<LaunchRows> rows(const Projection& projection, std::int64_t local_experts) {
    std::vector<LaunchRows> result;
    if (projection.is_expert && !request_.routing.empty()) {
      for (const RoutedStep& step : request_.routing)
        result.push_back({is_layer() ? inputs_of(step) : 0, share_of(step, local_experts)});
      return result;
    }
    for (const std::int64_t count : tokens())
      result.push_back({count, projection.is_expert ? share_of(routed(count), local_experts)
                                                    : RoutingSummary{.tokens = count}});
    return result;
  }

  std::int64_t inputs_of(const RoutedStep& step) {
    const std::int64_t top_k = experts_per_token();
    return (std::accumulate(step.begin(), step.end(), std::int64_t{0}) + top_k - 1) / top_k;
  }

  RoutedStep routed(std::int64_t count) {
    const auto seed = static_cast<std::uint64_t>(count * 1000 + experts());
    return kernels::grouped_gemm::rows_by_router(count, std::min(experts_per_token(), experts()), experts(),
                                                 request_.skew, seed);
  }

  // The rows of one device in a step. All wait for the device with the most rows; it has some in every step.
  static RoutingSummary share_of(const RoutedStep& step, std::int64_t local_experts) {
    const auto local = static_cast<std::size_t>(local_experts);
    RoutingSummary most;
    for (std::size_t first = 0; first < step.size(); first += local) {
      const std::size_t end = std::min(first + local, step.size());
      const RoutingSummary part =
          kernels::grouped_gemm::summary_of(RoutedStep(step.begin() + static_cast<std::ptrdiff_t>(first),
                                                       step.begin() + static_cast<std::ptrdiff_t>(end)));
      if (part.tokens > most.tokens) most = part;
    }
    return most;
  }

  // The outputs of one device. Heads of keys and values are split as long as each device gets one, and
  // replicated beyond.
  std::int64_t outputs(const Projection& projection, const std::string& name) {
    const std::int64_t tp = request_.tensor_parallel;
    if (projection.split != Split::out || tp <= 1) return projection.out;
    if (projection.key_heads == 0) return divided(projection.out, tp, name + " out");
    const std::int64_t keys = projection.key_heads;
    const std::int64_t queries = projection.out / projection.head_size - 2 * keys;
    if (queries % tp == 0 && (keys % tp == 0 || tp % keys == 0))
      return (queries / tp + 2 * std::max<std::int64_t>(keys / tp, 1)) * projection.head_size;
    warn(name + ": " + std::to_string(queries) + " heads of queries and " + std::to_string(keys) +
         " of keys cannot be divided by " + std::to_string(tp) + "; they are not divided");
    return projection.out;
  }

  void add_projection(const Projection& projection) {
    const std::string name = projection.name.empty() ? "--out-in-features" : projection.name;
    const std::int64_t tp = request_.tensor_parallel;
    const std::int64_t out = outputs(projection, name);
    const std::int64_t in =
        projection.split == Split::in ? divided(projection.in, tp, name + " in") : projection.in;
    if (projection.is_expert && experts() == 0)
      throw Error(ErrorCode::invalid_argument, "needs the number of experts", target_.name(),
                  "give --experts or a --model with experts");
    const std::int64_t local =
        projection.is_expert ? divided(experts(), request_.expert_parallel, "experts") : 0;
    for (const LaunchRows& each : rows(projection, local)) {
      if (each.here.tokens == 0) continue;  // no kernel is launched
      std::vector<std::vector<std::int64_t>> choices;
      for (const kernels::Dimension& dimension : target_.dimensions())
        choices.push_back(choices_of(dimension, projection, out, in, local, each));
      add_combinations(choices);
    }
  }

  std::vector<std::int64_t> choices_of(const kernels::Dimension& dimension, const Projection& projection,
                                       std::int64_t out, std::int64_t in, std::int64_t local_experts,
                                       const LaunchRows& rows) {
    if (const auto at = request_.values.find(dimension.name); at != request_.values.end()) {
      std::vector<std::int64_t> result;
      for (const std::string& text : at->second) result.push_back(parse_value(dimension, text));
      return result;
    }
    switch (role_of(dimension.name)) {
      case Role::tokens:
        return {is_layer() ? rows.inputs : rows.here.tokens};
      case Role::out:
      case Role::hidden:
        return {out};
      case Role::in:
      case Role::width:
        return {in};
      case Role::experts:
        return {local_experts};
      case Role::filled:
        return {rows.here.filled};
      case Role::row_tiles:
        return {rows.here.row_tiles};
      case Role::top_k:
        return {std::min(experts_per_token(), experts())};
      case Role::expert_parallel:
        return {experts() / local_experts};
      case Role::activation:
        return {activation(dimension)};
      case Role::dtype:
        return {dtype(dimension)};
      case Role::bits:
        return {bits(dimension, projection)};
      case Role::scales:
        return {scales(dimension)};
      case Role::block_n:
        return {block(0)};
      case Role::block_k:
        return {block(1)};
      case Role::other:
        break;
    }
    if (!has_labels(dimension))
      throw Error(ErrorCode::invalid_argument, "needs a value for " + dimension.name, target_.name(),
                  "give it with --set " + dimension.name + "=…");
    return {dimension.kind == kernels::Dimension::Kind::label ? 0 : 1};
  }

  std::int64_t dtype(const kernels::Dimension& dimension) {
    const bool is_auto = request_.dtype.empty() || request_.dtype == "auto";
    if (!is_auto) return dtype_index(dimension, request_.dtype);
    if (!request_.model) return 0;
    if (has(Role::scales)) return quantised_dtype(dimension, *request_.model);
    const Model& model = *request_.model;
    const auto index_of = [&](const std::string& type) {
      const auto at = std::find(dimension.labels.begin(), dimension.labels.end(), type);
      return at == dimension.labels.end() ? -1 : at - dimension.labels.begin();
    };
    // A family with a dimension for widths has the activations' type, and so does attention, which has no
    // weights. Any other has the type of both operands.
    const std::string wanted = normalised_dtype(
        model.weights.empty() || has(Role::bits) || is_attention() ? model.dtype : model.weights);
    std::int64_t index = index_of(wanted);
    if (index >= 0 && !model.block_shape.empty() && !has(Role::block_n) && !has(Role::bits) &&
        !is_attention())
      warn(model.name + ": weights have a scale for each block of " + std::to_string(model.block_shape[0]) +
           "x" + std::to_string(model.block_shape[1]) + ", which " + target_.name() + " lacks; " + wanted +
           " without blocks is tuned instead");
    // Weights of whole numbers beside activations of 16 bits.
    for (const char* ending : {"_w4a16", "_w8a16"})
      if (index < 0 && !wanted.empty()) index = index_of(wanted + ending);
    // A family of whole layers has float8 in blocks of 128 only.
    if (index < 0 && wanted == "float8_e4m3") {
      index = index_of("fp8_w8a8");
      if (index >= 0 && model.block_shape != std::vector<std::int64_t>{128, 128})
        warn(model.name + ": " + target_.name() +
             " tunes weights with a scale for each block of 128x128, which " + "the model does not have");
    }
    if (wanted.empty())
      warn(model.name + ": the type is not known; " + dimension.labels.front() + " is tuned");
    if (index >= 0 || wanted.empty()) return std::max<std::int64_t>(index, 0);
    // The nearest type: another one of the same size, or what engines widen to.
    const bool is_half = wanted == "float16" || wanted == "bfloat16";
    for (const std::string& other : {is_half ? (wanted == "float16" ? "bfloat16" : "float16") : model.dtype,
                                     std::string("bfloat16"), dimension.labels.front()})
      if (index = index_of(normalised_dtype(other)); index >= 0) break;
    warn(model.name + ": " + target_.name() + " has no " + wanted + "; " +
         dimension.labels[static_cast<std::size_t>(index)] + " is tuned instead");
    return index;
  }

  // Of a family with the activation between gate and up, and down.
  std::int64_t activation(const kernels::Dimension& dimension) {
    const std::string model = request_.model ? request_.model->activation : std::string();
    if (model.empty()) return 0;
    std::string wanted = model;
    if (model == "swish") wanted = "silu";
    if (model.starts_with("gelu")) wanted = "gelu_tanh";
    const auto at = std::find(dimension.labels.begin(), dimension.labels.end(), wanted);
    const std::string& tuned = at == dimension.labels.end() ? dimension.labels.front() : *at;
    const bool is_same = at != dimension.labels.end() && model != "gelu";
    if (!is_same)
      warn(request_.model->name + ": " + target_.name() + " has no " + model + "; " + tuned +
           " is tuned instead");
    return at == dimension.labels.end() ? 0 : at - dimension.labels.begin();
  }

  // Of a family whose types name those of weights and activations together, as engines do.
  std::int64_t quantised_dtype(const kernels::Dimension& dimension, const Model& model) {
    if (model.weights == "float8_e4m3") return label_index(dimension, "fp8_w8a8");
    if (model.weights == "int8") return label_index(dimension, "int8_w8a8");
    warn(model.name + ": weights are " + (model.weights.empty() ? "not quantised" : model.weights) + "; " +
         target_.name() + " tunes " + dimension.labels.front() + " instead. --dtype gives another type");
    return 0;
  }

  // "block128" for blocks of 128 x 128, "channel" without blocks.
  std::int64_t scales(const kernels::Dimension& dimension) const {
    const std::vector<std::int64_t> block = block_shape();
    if (block.empty()) return label_index(dimension, "channel");
    const auto label = "block" + std::to_string(block.front());
    if (block.size() != 2 || block[0] != block[1] ||
        std::find(dimension.labels.begin(), dimension.labels.end(), label) == dimension.labels.end())
      throw Error(
          ErrorCode::unsupported,
          "has no scales for blocks of " + std::to_string(block.front()) + "x" + std::to_string(block.back()),
          target_.name(), "it has: " + core::joined(dimension.labels));
    return label_index(dimension, label);
  }

  std::int64_t block(std::size_t side) const {
    const std::vector<std::int64_t> shape = block_shape();
    return shape.size() == 2 ? shape[side] : 0;
  }

  std::vector<std::int64_t> block_shape() const {
    if (!request_.block_shape.empty() || !request_.model) return request_.block_shape;
    return request_.model->block_shape;
  }

  std::int64_t bits(const kernels::Dimension& dimension, const Projection& projection) {
    std::vector<std::string> widths = projection.bits;
    if (widths.empty() && request_.model) widths = request_.model->bits;
    if (widths.empty()) {
      widths = {"4"};
      if (request_.model)
        warn(request_.model->name + ": weights are " +
             (request_.model->weights.empty() ? "not quantised" : request_.model->weights) + "; " +
             target_.name() + " tunes 4 bits instead. --set bits=… gives other widths");
    }
    std::string text;
    for (const std::string& width : widths) text += (text.empty() ? "" : "+") + width;
    return parse_value(dimension, text);
  }

  void add_combinations(const std::vector<std::vector<std::int64_t>>& choices) {
    std::vector<Shape> shapes = {{}};
    for (const std::vector<std::int64_t>& values : choices) {
      std::vector<Shape> longer;
      for (const Shape& shape : shapes)
        for (const std::int64_t value : values) {
          longer.push_back(shape);
          longer.back().push_back(value);
        }
      shapes = std::move(longer);
    }
    for (Shape& shape : shapes) add(std::move(shape));
  }

  Shape parse_shape(const std::string& text) const {
    std::map<std::string, std::string> parts;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find(',', at), text.size());
      const std::string part = text.substr(at, end - at);
      const std::size_t equals = part.find('=');
      if (equals == std::string::npos || find(part.substr(0, equals)) == nullptr)
        throw Error(ErrorCode::invalid_argument, "\"" + part + "\" is not a value of a dimension",
                    "--shape " + text, target_.name() + " has: " + core::joined(names()));
      parts[part.substr(0, equals)] = part.substr(equals + 1);
      at = end + 1;
    }
    Shape shape;
    for (const kernels::Dimension& dimension : target_.dimensions()) {
      const auto at = parts.find(dimension.name);
      if (at == parts.end() && !has_labels(dimension))
        throw Error(ErrorCode::invalid_argument, dimension.name + " is missing", "--shape " + text);
      shape.push_back(at == parts.end() ? (dimension.kind == kernels::Dimension::Kind::label ? 0 : 1)
                                        : parse_value(dimension, at->second));
    }
    return shape;
  }

  void add(Shape shape) {
    if (const auto why = target_.why_invalid(shape)) {
      const std::string name = target_.name() + " " + kernels::to_string(target_.dimensions(), shape);
      warn(name + " is left out: " + *why);
      if (!refused_) refused_ = Error(ErrorCode::invalid_argument, "is not a valid shape: " + *why, name);
      return;
    }
    if (known_.insert(shape).second) result_.shapes.push_back(std::move(shape));
  }

  void add_own() {
    constexpr std::size_t quick_shapes = 4;
    const std::vector<Shape> own = target_.bench_shapes();
    const std::size_t step = request_.quick ? std::max<std::size_t>(1, own.size() / quick_shapes) : 1;
    for (std::size_t i = 0; i < own.size(); i += step) add(own[i]);
  }

  const Target& target_;
  const ShapeRequest& request_;
  ShapeList result_;
  std::set<Shape> known_;
  std::optional<Error> refused_;  // the first shape that is not valid
};

}  // namespace

ShapeList make_shapes(const Target& target, const ShapeRequest& request) {
  return ShapeMaker(target, request).make();
}

}  // namespace adaptive::tuning
