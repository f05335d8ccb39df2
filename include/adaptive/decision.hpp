#pragma once

#include <atomic>
#include <cstdint>

#include <adaptive/detail/export.hpp>
#include <adaptive/detail/key_table.hpp>

namespace adaptive::inline v1 {

class Operation;
class Pin;
class Site;
namespace core {
class KeyLearner;
}

/// The variant that one call runs, and the ticket under which its latency is recorded. Two words, trivially
/// copyable. The program keeps it until the latency is known, or drops it. Valid as long as its selector.
class Decision {
 public:
  Decision() = default;

  /// Index of the variant to launch, in the order of `OperationSpec::variants`.
  [[nodiscard]] std::uint32_t variant() const noexcept { return variant_; }

  /// Whether the selector asks for the latency of this call. If false, the caller may skip the clock; a
  /// latency that is recorded nevertheless is used.
  [[nodiscard]] bool timed() const noexcept { return ticket_ != 0; }

  /// Identifies the key as long as the selector lives; null if the key has no state.
  [[nodiscard]] const void* key_id() const noexcept { return head_; }

  /// Whether the variant is another one than the calls of the key run between explorations, as of now: for
  /// traces of the program. False if the key has no state.
  [[nodiscard]] bool exploring() const noexcept {
    return head_ != nullptr && detail::Plan::variant(head_->plan.load(std::memory_order_relaxed)) != variant_;
  }

 private:
  friend class Operation;
  friend class Pin;
  friend class Site;
  friend class core::KeyLearner;
  Decision(const detail::KeyHead* head, std::uint32_t variant, std::uint32_t ticket = 0) noexcept
      : head_(head), variant_(variant), ticket_(ticket) {}

  const detail::KeyHead* head_ = nullptr;  // null: no state, nothing can be learned from this call
  std::uint32_t variant_ = 0;
  std::uint32_t ticket_ = 0;
};

/// The variant that a key runs without exploration at one moment: the incumbent or, until results have
/// confirmed one, a leader that is surely faster than the incumbent. Pins are for work that is prepared once
/// and repeated, such as a captured graph. Trivially copyable; valid as long as its selector.
class Pin {
 public:
  Pin() = default;

  /// Index of the pinned variant, in the order of `OperationSpec::variants`.
  [[nodiscard]] std::uint32_t variant() const noexcept { return variant_; }

  /// The pin as an untimed decision, so that a failed launch can be reported:
  /// `operation.fail(pin.decision())`.
  [[nodiscard]] Decision decision() const noexcept { return {head_, variant_}; }

  /// Whether the key has another pinned variant by now. The program then takes a new pin and prepares its
  /// work again. Wait-free; safe from any thread. A change can go unnoticed if exactly a multiple of 65,536
  /// changes of the key lie between two calls. The pin of a key that has no state (`OperationSpec::max_keys`)
  /// becomes stale whenever something happens that may change what such keys run. It is stale at once if it
  /// names only a variant that can run until the key's first call is over.
  [[nodiscard]] bool stale() const noexcept {
    return current_ != nullptr && current_->load(std::memory_order_relaxed) != seen_;
  }

 private:
  friend class Operation;
  friend class Site;
  Pin(const detail::KeyHead* head, std::uint32_t variant, const std::atomic<std::uint32_t>* current,
      std::uint32_t seen) noexcept
      : head_(head), current_(current), seen_(seen), variant_(variant) {}

  const detail::KeyHead* head_ = nullptr;
  const std::atomic<std::uint32_t>* current_ = nullptr;  // changes with what is pinned; null: never stale
  std::uint32_t seen_ = 0;
  std::uint32_t variant_ = 0;
};

}  // namespace adaptive
