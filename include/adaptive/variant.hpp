#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <adaptive/key.hpp>

namespace adaptive::inline v1 {

/// The value of one parameter of a variant: a whole number, a floating-point number, a truth value or a text.
class Parameter {
 public:
  using Value = std::variant<std::int64_t, double, bool, std::string>;

  Parameter() : value_(std::int64_t{0}) {}
  Parameter(bool value) : value_(value) {}
  template <std::integral T>
  requires(!std::same_as<T, bool>) Parameter(T value) : value_(static_cast<std::int64_t>(value)) {}
  template <std::floating_point T>
  Parameter(T value) : value_(static_cast<double>(value)) {}
  Parameter(const char* value) : value_(std::string(value)) {}
  Parameter(std::string_view value) : value_(std::string(value)) {}
  Parameter(std::string value) : value_(std::move(value)) {}

  const Value& value() const noexcept { return value_; }
  friend bool operator==(const Parameter&, const Parameter&) = default;

 private:
  Value value_;
};

using Parameters = std::map<std::string, Parameter>;

/// One implementation of an operation.
struct Variant {
  /// The name, unique in its operation. Tables refer to variants by name, so that a program may change their
  /// order between releases.
  std::string name = {};
  /// What distinguishes the variant from others, for people and for models: tile sizes, stages, identifiers
  /// of the library that it comes from.
  Parameters parameters = {};
  /// Variants of one class give bit for bit the same results. A key explores only variants of its default's
  /// class, unless `OperationSpec::mix_numeric_classes` says otherwise. Variants with an empty class form a
  /// class of their own.
  std::string numeric_class = {};
  /// Whether the variant can run a key. It is asked when a key is new; `OperationSpec` says on which thread.
  /// Empty: the variant runs every key.
  std::function<bool(const Key&)> supports = {};
  /// Bytes of memory that the variant needs for a key besides the operands: workspaces, copies of weights in
  /// another order. Asked when and where `supports` is asked, for keys that the variant can run. A variant
  /// that needs more than the limit (`LearningOptions::memory_limit`) does not run. Empty: it needs none.
  std::function<std::uint64_t(const Key&)> memory = {};
};

}  // namespace adaptive
