// The values of a key: which are labels, how sizes are rounded, how a key is printed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <adaptive/dimension.hpp>
#include <adaptive/key.hpp>

namespace adaptive::core {

/// Whether the value names a label of the dimension, or labels of a set. Any value does where there are none.
bool names_labels(const Dimension& dimension, std::int64_t value) noexcept;

/// The first dimension whose value names no label; nothing where all do. The key has the right size.
std::optional<std::size_t> unlabelled(std::span<const Dimension> dimensions, const Key& key) noexcept;

/// The key that stands for `key`: sizes rounded as their dimensions say.
Key canonical(std::span<const Dimension> dimensions, Key key) noexcept;

/// "tokens=17 bits=2+4"; values that no label names as numbers.
std::string print(std::span<const Dimension> dimensions, const Key& key);

}  // namespace adaptive::core
