#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

#include <adaptive/detail/export.hpp>

namespace adaptive::inline v1 {

/// The values of an operation's dimensions for one launch, in the order in which the dimensions were
/// declared.
///
/// Each value is an integer: the size itself, the index of a label (`Operation::label`), or the bit mask of a
/// label set (`Operation::labels`). The values are held inline, so that making a key allocates nothing.
/// Trivially copyable.
class Key {
 public:
  static constexpr std::size_t capacity = 12;

  constexpr Key() noexcept = default;

  /// One integer or enumerator on its way into a key. It exists so that `select({7})` compiles and
  /// `select(7)` does not: the braces need one conversion by the program, the bare number would need two. A
  /// bare number is nearly always a forgotten pair of braces, or an argument of another function.
  class Value {
   public:
    template <class T>
    requires(std::integral<T> || std::is_enum_v<T>) constexpr Value(T value) noexcept
        : value_(static_cast<std::int64_t>(value)) {}

   private:
    friend class Key;
    std::int64_t value_;
  };

  /// A key of one value: `Key{tokens}`, or `{tokens}` where a function takes a key.
  constexpr Key(Value value) noexcept : size_(1), values_{value.value_} {}

  /// `Key{tokens, out, in, bits}`; more than `capacity` values do not compile.
  template <class... Values>
  requires(sizeof...(Values) >= 2 && sizeof...(Values) <= capacity &&
           ((std::integral<Values> || std::is_enum_v<Values>)&&...)) constexpr Key(Values... values) noexcept
      : size_(static_cast<std::uint32_t>(sizeof...(Values))), values_{static_cast<std::int64_t>(values)...} {}

  /// For a number of values that is known only at run time. More than `capacity` values give a key that no
  /// operation accepts (`size() == capacity + 1`).
  constexpr explicit Key(std::span<const std::int64_t> values) noexcept {
    if (values.size() > capacity) {
      size_ = capacity + 1;
      return;
    }
    for (const std::int64_t value : values) values_[size_++] = value;
  }

  /// A key of `size` zeros. More than `capacity` of them give a key that no operation accepts.
  static constexpr Key of_size(std::size_t size) noexcept {
    Key key;
    key.size_ = static_cast<std::uint32_t>(size <= capacity ? size : capacity + 1);
    return key;
  }

  constexpr std::size_t size() const noexcept { return size_; }
  constexpr std::int64_t operator[](std::size_t dimension) const noexcept { return values_[dimension]; }
  constexpr std::int64_t& operator[](std::size_t dimension) noexcept { return values_[dimension]; }
  constexpr std::span<const std::int64_t> values() const noexcept {
    return {values_.data(), size_ <= capacity ? size_ : 0};
  }

  friend constexpr bool operator==(const Key& a, const Key& b) noexcept {
    if (a.size_ != b.size_) return false;
    for (std::size_t i = 0; i < a.values().size(); ++i)
      if (a.values_[i] != b.values_[i]) return false;
    return true;
  }

  /// Calls `f(value, index)` for the values in order until `f` returns false. Returns true if `f` never
  /// returned false. Every index is a constant after inlining, so that a key made of local variables stays in
  /// registers.
  template <class F>
  ADAPTIVE_HOT constexpr bool all_of(F&& f) const noexcept {
    return [&]<std::size_t... I>(std::index_sequence<I...>) ADAPTIVE_HOT_LAMBDA {
      return ((I >= size_ || f(values_[I], I)) && ...);
    }
    (std::make_index_sequence<capacity>{});
  }

  /// Compares lexicographically. Entries of a table have this order, and of two equally near keys the smaller
  /// one is taken.
  friend constexpr bool operator<(const Key& a, const Key& b) noexcept {
    const std::size_t common = a.size_ < b.size_ ? a.values().size() : b.values().size();
    for (std::size_t i = 0; i < common; ++i)
      if (a.values_[i] != b.values_[i]) return a.values_[i] < b.values_[i];
    return a.size_ < b.size_;
  }

 private:
  std::uint32_t size_ = 0;
  std::array<std::int64_t, capacity> values_{};
};

}  // namespace adaptive
