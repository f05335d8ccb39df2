#include "operation/operation_state.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>
#include <string>

#include <adaptive/error.hpp>
#include "base/key_values.hpp"

namespace adaptive::inline v1::core {
namespace {

constexpr unsigned table_log2_initial = 6;
constexpr std::size_t set_labels_max = 63;  // a key's value is a signed integer
constexpr std::size_t labels_max = 65'536;

// A table that names anything longer could not be read back, so saving would fail.
void check_length(const std::string& name, const std::string& what, const std::string& where) {
  if (name.empty() || name.size() > name_bytes_max)
    throw Error(ErrorCode::invalid_argument,
                "the name of a " + what + " must have 1 to " + std::to_string(name_bytes_max) +
                    " bytes, has " + std::to_string(name.size()),
                where);
}

void check_name(const std::string& name, const std::string& what, const std::string& where) {
  const auto allowed = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
  };
  if (name.empty() || name[0] == '.' || !std::all_of(name.begin(), name.end(), allowed))
    throw Error(ErrorCode::invalid_argument, what + " \"" + name + "\" is not a name", where,
                "use letters, digits, '_', '-' and '.'");
  check_length(name, what, where);
}

void check_dimension(const Dimension& dimension, const std::string& where) {
  check_name(dimension.name, "the dimension", where);
  const std::string at = where + "." + dimension.name;
  if (!(dimension.weight >= 0.0) || !std::isfinite(dimension.weight))
    throw Error(ErrorCode::invalid_argument, "the weight is not a finite number of at least 0", at);
  const bool labelled = dimension.has_labels();
  if (labelled == dimension.labels.empty())
    throw Error(ErrorCode::invalid_argument,
                labelled ? "a label needs labels" : "only a label or label set has labels", at);
  if (std::set<std::string>(dimension.labels.begin(), dimension.labels.end()).size() !=
      dimension.labels.size())
    throw Error(ErrorCode::invalid_argument, "two labels are the same", at);
  for (const std::string& label : dimension.labels) check_length(label, "label", at);
  if (dimension.labels.size() > labels_max)
    throw Error(ErrorCode::too_large, "a label dimension has at most 65,536 labels", at);
  if (dimension.kind == DimensionKind::label_set && dimension.labels.size() > set_labels_max)
    throw Error(ErrorCode::too_large, "a label set has at most 63 labels", at);
  if (dimension.rounding != Rounding::none && dimension.kind != DimensionKind::size)
    throw Error(ErrorCode::invalid_argument, "only a size can be rounded", at);
}

template <class Items>
void check_unique(const Items& items, const std::string& what, const std::string& where) {
  std::set<std::string> names;
  for (const auto& item : items)
    if (!names.insert(item.name).second)
      throw Error(ErrorCode::invalid_argument, "two " + what + " are named \"" + item.name + "\"", where);
}

void check(const OperationSpec& spec) {
  check_name(spec.name, "the operation", "define");
  if (spec.dimensions.empty() || spec.dimensions.size() > Key::capacity)
    throw Error(ErrorCode::invalid_argument,
                "an operation has 1 to 12 dimensions, not " + std::to_string(spec.dimensions.size()),
                spec.name);
  for (const Dimension& dimension : spec.dimensions) check_dimension(dimension, spec.name);
  check_unique(spec.dimensions, "dimensions", spec.name);
  if (spec.variants.empty())
    throw Error(ErrorCode::invalid_argument, "an operation needs a variant", spec.name);
  if (spec.variants.size() > VariantList::capacity)
    throw Error(ErrorCode::too_large, "an operation has at most 65,535 variants", spec.name);
  for (const Variant& variant : spec.variants) check_variant(variant, spec.name);
  check_unique(spec.variants, "variants", spec.name);
  if (spec.nearest_limit != spec.nearest_limit)
    throw Error(ErrorCode::invalid_argument, "nearest_limit is not a number", spec.name);
}

}  // namespace

void check_variant(const Variant& variant, const std::string& where) {
  check_length(variant.name, "variant", where);
  for (const auto& [name, value] : variant.parameters)
    check_length(name, "parameter", where + "/" + variant.name);
}

namespace {

OperationSpec without_variants(OperationSpec spec) {
  spec.variants.clear();
  return spec;
}

}  // namespace

OperationState::OperationState(Operation& face, Shared& shared, OperationSpec spec)
    : face_(face),
      shared_(shared),
      spec_((check(spec), without_variants(spec))),
      heads_(spec_.dimensions.size()) {
  for (Variant& variant : spec.variants) list(std::move(variant), false);
  for (auto& table : face_.by_size_) table.store(no_keys_.get(), std::memory_order_relaxed);
  publish(detail::KeyTable::make(table_log2_initial));
}

OperationState::~OperationState() = default;

void OperationState::list(Variant variant, bool parsed) {
  if (variants_.size() > 0 && !spec_.mix_numeric_classes &&
      variant.numeric_class != variants_[0].spec.numeric_class)
    several_classes_.store(true, std::memory_order_relaxed);
  variants_.append(std::move(variant), parsed);
}

void OperationState::publish(detail::KeyTable::Owner table) {
  tables_.push_back(std::move(table));
  const detail::KeyTable* last = tables_.back().get();
  table_.store(last, std::memory_order_release);
  const bool rounds = std::any_of(spec_.dimensions.begin(), spec_.dimensions.end(),
                                  [](const Dimension& d) { return d.rounding != Rounding::none; });
  if (!rounds) face_.by_size_[spec_.dimensions.size()].store(last, std::memory_order_release);
}

std::optional<std::uint32_t> OperationState::find_variant(std::string_view name) const noexcept {
  const std::uint32_t size = variants_.size();
  for (std::uint32_t i = 0; i < size; ++i)
    if (variants_[i].spec.name == name) return i;
  return std::nullopt;
}

void OperationState::check_arity(const Key& key) const {
  if (key.size() != spec_.dimensions.size())
    throw Error(ErrorCode::invalid_argument,
                "a key of " + std::to_string(key.size()) + " values where the operation has " +
                    std::to_string(spec_.dimensions.size()) + " dimensions",
                spec_.name);
}

void OperationState::check_key(const Key& key) const {
  check_arity(key);
  if (const std::optional<std::size_t> at = unlabelled(spec_.dimensions, key))
    throw Error(ErrorCode::invalid_argument,
                "the value " + std::to_string(key[*at]) + " names no label of the dimension",
                spec_.name + "." + spec_.dimensions[*at].name,
                "Operation::label and Operation::labels give the value of a label by its name");
}

void OperationState::once(Trouble trouble, LogLevel level, std::string_view line,
                          std::string_view detail) noexcept {
  const unsigned bit = 1u << static_cast<unsigned>(trouble);
  if ((said_.fetch_or(bit, std::memory_order_relaxed) & bit) != 0) return;
  try {
    shared_.say(level, spec_.name + ": " + std::string(line) + std::string(detail));
  } catch (...) {
    // Memory is short: the counter still tells.
  }
}

}  // namespace adaptive::core
