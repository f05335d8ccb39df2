// The part of an operation's keys that `select` reads. Programs do not use it directly.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include <adaptive/detail/export.hpp>
#include <adaptive/key.hpp>

namespace adaptive::inline v1::core {
class KeyLearner;
}

namespace adaptive::inline v1::detail {

/// Decides a call of a key with one load: everything is in one word. Bits 32–63 hold the share of the calls
/// for which the policy is consulted, as a fraction of 2^32. The whole word is compared with `Ticks`; the
/// lower bits add less than 2^-32 to the share. Bits 0–31 hold the variant that the other calls run, below
/// 2^16.
struct Plan {
  static constexpr std::uint64_t make(std::uint32_t variant, double consulted) noexcept {
    const double share = !(consulted > 0) ? 0 : consulted > 1 ? 1 : consulted;  // a policy's NaN is 0
    return (static_cast<std::uint64_t>(share * 4294967295.0) << 32) | (variant & 0xFFFFu);
  }
  static constexpr std::uint32_t variant(std::uint64_t plan) noexcept {
    return static_cast<std::uint32_t>(plan);
  }
  static constexpr std::uint32_t share(std::uint64_t plan) noexcept {
    return static_cast<std::uint32_t>(plan >> 32);
  }
};

/// The part of a key that the launch path reads. The values of the key follow it in memory, and heads lie
/// side by side in chunks, so that a key of up to six dimensions takes one cache line and a thousand keys
/// take few pages. A head lives as long as its operation.
struct KeyHead {
  /// A `Plan`. It is stored with release and loaded with acquire order, since it names a variant that another
  /// thread may just have added.
  std::atomic<std::uint64_t> plan{0};
  core::KeyLearner* learner = nullptr;

  static constexpr std::size_t line = 64;

  /// Bytes from one head to the next.
  static constexpr std::size_t stride(std::size_t dimensions) noexcept {
    return (sizeof(KeyHead) + dimensions * sizeof(std::int64_t) + line - 1) / line * line;
  }
  const std::int64_t* values() const noexcept { return reinterpret_cast<const std::int64_t*>(this + 1); }
  std::int64_t* values() noexcept { return reinterpret_cast<std::int64_t*>(this + 1); }
};

/// Returns `value` in a way that hides it from the optimiser. If values are copied side by side anywhere,
/// even in a cold branch, the compiler otherwise loads them as vectors on the launch path and takes them
/// apart again.
ADAPTIVE_HOT std::int64_t opaque(std::int64_t value) noexcept {
#if defined(__GNUC__)
  asm("" : "+r"(value));
#endif
  return value;
}

/// Multilinear hashing modulo 2^64 (Thorup, "High speed hashing for integers and strings", 2015, section 3):
/// the multiplications are independent, so twelve values cost little more latency than one. Only the upper
/// bits are well mixed; the table uses no others.
ADAPTIVE_HOT constexpr std::uint64_t hash(const Key& key) noexcept {
  constexpr std::uint64_t odd[Key::capacity] = {
      0x9E3779B97F4A7C15u, 0xC2B2AE3D27D4EB4Fu, 0xD6E8FEB86659FD93u, 0xA0761D6478BD642Fu,
      0xE7037ED1A0B428DBu, 0x8EBC6AF09C88C6E3u, 0x589965CC75374CC3u, 0x1D8E4E27C47D124Fu,
      0xEB44ACCAB455D165u, 0x2D358DCCAA6C78A5u, 0x8BB84B93962EACC9u, 0x4B33A62ED433D4A3u};
  std::uint64_t sum = 0x165667B19E3779F9u;
  key.all_of([&](std::int64_t value, std::size_t i) ADAPTIVE_HOT_LAMBDA {
    sum += static_cast<std::uint64_t>(value) * odd[i];
    return true;
  });
  return sum;
}

constexpr unsigned address_bits = 48;

/// The 16 bits of a hash that follow those that choose the slot in a table of up to 2^24 entries, shifted
/// above an address.
constexpr std::uint64_t tag(std::uint64_t hash) noexcept {
  return (hash >> 24) << address_bits;
}

/// The head that an empty word of a table refers to. Its values are zeros, whose hash has another tag than an
/// empty word, so that no key is ever found there. A look-up therefore tests for empty words only after a
/// miss.
struct NoKey {
  KeyHead head;
  std::array<std::int64_t, Key::capacity> values{};
};
static_assert(tag(hash(Key{0})) != 0, "zeros hash alike whatever their number");

/// A hash table with open addressing and linear probing. Each word holds 16 bits of the hash and the address
/// of a key's head. Entries are only added. A full table is replaced by one of twice the size, and the old
/// one stays readable until the operation is destroyed: a reader needs no lock and no reclamation scheme, and
/// all tables together take less than twice the memory of the last one.
class KeyTable {
 public:
  struct Delete {
    void operator()(KeyTable* table) const noexcept {
      ::operator delete (table, std::align_val_t{KeyHead::line});
    }
  };
  using Owner = std::unique_ptr<KeyTable, Delete>;

  /// Makes an empty table. The words follow the table in memory, which saves the load of a pointer.
  static Owner make(unsigned log2_capacity) {
    const std::size_t capacity = std::size_t{1} << log2_capacity;
    void* memory =
        ::operator new (sizeof(KeyTable) + capacity * sizeof(std::uint64_t), std::align_val_t{KeyHead::line});
    KeyTable* table = ::new (memory) KeyTable(log2_capacity);
    for (std::size_t i = 0; i < capacity; ++i)
      ::new (table->words() + i) std::atomic<std::uint64_t>(table->empty());
    return Owner(table);
  }

  std::size_t capacity() const noexcept { return mask_ + 1; }

  /// The head of `key`, whose hash is `hash`; null if the table does not have it. Wait-free for readers.
  ADAPTIVE_HOT const KeyHead* find(const Key& key, std::uint64_t hash) const noexcept {
    for (std::size_t i = hash >> shift_;; i = (i + 1) & mask_) {
      const std::uint64_t word = words()[i].load(std::memory_order_acquire);
      const std::uint64_t address = word ^ tag(hash);  // an address only if the tags are equal
      if ((address >> address_bits) == 0) {
        const auto* head = reinterpret_cast<const KeyHead*>(address);
        if (equal(*head, key)) [[likely]]
          return head;
      }
      if (word == empty()) return nullptr;
    }
  }

  /// Adds a key that is not in the table. Only one thread may write at a time. Returns false if the address
  /// does not fit.
  bool insert(const KeyHead& head, std::uint64_t hash) noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(&head);
    if ((address >> address_bits) != 0) return false;
    std::size_t i = hash >> shift_;
    while (words()[i].load(std::memory_order_relaxed) != empty()) i = (i + 1) & mask_;
    words()[i].store(tag(hash) ^ address, std::memory_order_release);
    return true;
  }

 private:
  std::uint64_t empty() const noexcept { return reinterpret_cast<std::uintptr_t>(&none_.head); }

  ADAPTIVE_HOT static bool equal(const KeyHead& head, const Key& key) noexcept {
    const std::int64_t* values = head.values();
    return key.all_of([&](std::int64_t value, std::size_t i)
                          ADAPTIVE_HOT_LAMBDA { return values[i] == value; });
  }

  explicit KeyTable(unsigned log2_capacity) noexcept
      : shift_(64 - log2_capacity), mask_((std::size_t{1} << log2_capacity) - 1) {}
  ~KeyTable() = default;

  const std::atomic<std::uint64_t>* words() const noexcept {
    return reinterpret_cast<const std::atomic<std::uint64_t>*>(this + 1);
  }
  std::atomic<std::uint64_t>* words() noexcept {
    return reinterpret_cast<std::atomic<std::uint64_t>*>(this + 1);
  }

  std::uint64_t shift_;
  std::size_t mask_;
  NoKey none_;  // each table has its own: a program and a shared library would not agree on a common one
};

static_assert(sizeof(KeyTable) % alignof(std::atomic<std::uint64_t>) == 0);

}  // namespace adaptive::detail
