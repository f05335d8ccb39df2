// The launch path's view of an operation's keys: what `select` reads, and nothing else. Not for users.
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
struct KeyState;
}

namespace adaptive::inline v1::detail {

/// What the calls of a key do, in one word, so that one load decides a call. Bits 32–63: the share of
/// the calls that are put to the policy, as a fraction of 2^32; the word as a whole is compared with `Ticks`,
/// so the rest adds less than 2^-32 to it. Bits 0–31: the variant that the other calls run, below 2^16.
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

/// The part of a key that the launch path touches. The values follow it in memory, and heads lie side by side
/// in chunks, so that a key of up to six dimensions is one cache line and a thousand keys are few pages.
/// Lives as long as its operation.
struct KeyHead {
  /// A `Plan`. Stored with release and loaded with acquire: it names a variant that another thread may just
  /// have added.
  std::atomic<std::uint64_t> plan{0};
  core::KeyState* state = nullptr;

  static constexpr std::size_t line = 64;

  /// Bytes from one head to the next.
  static constexpr std::size_t stride(std::size_t dimensions) noexcept {
    return (sizeof(KeyHead) + dimensions * sizeof(std::int64_t) + line - 1) / line * line;
  }
  const std::int64_t* values() const noexcept { return reinterpret_cast<const std::int64_t*>(this + 1); }
  std::int64_t* values() noexcept { return reinterpret_cast<std::int64_t*>(this + 1); }
};

/// The same value, of which the compiler knows nothing. Values that are copied side by side anywhere, be it
/// in a cold branch, are otherwise loaded as vectors and taken apart again on the launch path.
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

/// The 16 bits of a hash after those that choose the slot of a table of up to 2^24 entries, above an address.
constexpr std::uint64_t tag(std::uint64_t hash) noexcept {
  return (hash >> 24) << address_bits;
}

/// What an empty word of a table leads to. Its values are zeros, whose hash has another tag than an empty
/// word, so that no key is ever found there, and a look-up needs no test for empty words before it has
/// missed.
struct NoKey {
  KeyHead head;
  std::array<std::int64_t, Key::capacity> values{};
};
static_assert(tag(hash(Key{0})) != 0, "zeros hash alike whatever their number");

/// Open addressing with linear probing over words that hold 16 bits of the hash and the address of a key's
/// state. Entries are only ever added, and a full table is replaced by one of twice the size while the old
/// one stays readable until the operation is destroyed: a reader needs no lock and no reclamation scheme, and
/// all tables together take less than twice the last.
class KeyTable {
 public:
  struct Delete {
    void operator()(KeyTable* table) const noexcept {
      ::operator delete (table, std::align_val_t{KeyHead::line});
    }
  };
  using Owner = std::unique_ptr<KeyTable, Delete>;

  /// The words follow the table in memory: one load less than a pointer to them.
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

  /// The state of `key`, whose hash is given, or null. Wait-free.
  ADAPTIVE_HOT const KeyHead* find(const Key& key, std::uint64_t hash) const noexcept {
    for (std::size_t i = hash >> shift_;; i = (i + 1) & mask_) {
      const std::uint64_t word = words()[i].load(std::memory_order_acquire);
      const std::uint64_t address = word ^ tag(hash);  // where the tags are equal
      if ((address >> address_bits) == 0) {
        const auto* head = reinterpret_cast<const KeyHead*>(address);
        if (equal(*head, key)) [[likely]]
          return head;
      }
      if (word == empty()) return nullptr;
    }
  }

  /// Adds a key that is not in the table. One writer at a time. False where the address does not fit.
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
