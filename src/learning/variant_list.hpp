// The variants of an operation. Variants may be appended while other threads read.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include <adaptive/variant.hpp>

namespace adaptive::inline v1::core {

struct ListedVariant {
  Variant spec;
  bool parsed = false;  ///< made from a table's description, not named by the program
  std::atomic<bool> enabled{true};
  /// A launch of the variant has failed at a key without a state: no key without a state runs it any more.
  std::atomic<bool> failed_passing{false};
};

/// Readers need no lock: they see a variant completely or not at all, because elements never move. Only one
/// thread at a time may append.
class VariantList {
 public:
  static constexpr std::size_t capacity = 65'535;  // a plan has 16 bits for a variant

  ~VariantList() {
    for (auto& chunk : chunks_) delete[] chunk.load(std::memory_order_relaxed);
  }

  std::uint32_t size() const noexcept { return size_.load(std::memory_order_acquire); }

  const ListedVariant& operator[](std::uint32_t i) const noexcept {
    return chunks_[i / chunk_size].load(std::memory_order_relaxed)[i % chunk_size];
  }
  ListedVariant& operator[](std::uint32_t i) noexcept {
    return chunks_[i / chunk_size].load(std::memory_order_relaxed)[i % chunk_size];
  }

  /// Appends a variant and returns its index. The caller has checked that `size() < capacity`.
  std::uint32_t append(Variant variant, bool parsed = false) {
    const std::uint32_t at = size_.load(std::memory_order_relaxed);
    std::atomic<ListedVariant*>& chunk = chunks_[at / chunk_size];
    if (chunk.load(std::memory_order_relaxed) == nullptr)
      chunk.store(new ListedVariant[chunk_size], std::memory_order_relaxed);
    ListedVariant& listed = chunk.load(std::memory_order_relaxed)[at % chunk_size];
    listed.spec = std::move(variant);
    listed.parsed = parsed;
    size_.store(at + 1, std::memory_order_release);
    return at;
  }

 private:
  static constexpr std::size_t chunk_size = 64;
  std::array<std::atomic<ListedVariant*>, capacity / chunk_size + 1> chunks_{};
  std::atomic<std::uint32_t> size_{0};
};

}  // namespace adaptive::core
