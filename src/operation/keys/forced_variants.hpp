// The variants that a program forces.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "learning/operation_context.hpp"

namespace adaptive::inline v1::core {

/// The variants that the program forces at present; the latest one takes effect. One thread at a time may use
/// the object.
class ForcedVariants {
 public:
  /// Forces `variant` until `remove` is called with the returned number.
  std::uint64_t add(OperationContext& operation, std::uint32_t variant) {
    forced_.emplace_back(++count_, variant);
    operation.forced_variant.store(variant, std::memory_order_release);
    return count_;
  }
  void remove(OperationContext& operation, std::uint64_t number) noexcept {
    std::erase_if(forced_, [&](const auto& entry) { return entry.first == number; });
    operation.forced_variant.store(forced_.empty() ? OperationContext::not_forced : forced_.back().second,
                                   std::memory_order_release);
  }

  std::vector<std::uint32_t> all() const {
    std::vector<std::uint32_t> variants;
    for (const auto& [number, variant] : forced_) variants.push_back(variant);
    return variants;
  }

 private:
  std::vector<std::pair<std::uint64_t, std::uint32_t>> forced_;
  std::uint64_t count_ = 0;
};

}  // namespace adaptive::core
