// The values of a key: checks of labels, rounding of sizes, printing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <adaptive/dimension.hpp>
#include <adaptive/key.hpp>

namespace adaptive::inline v1::core {

/// Whether the value names a label of the dimension, or labels of a set. True for dimensions without labels.
bool names_labels(const Dimension& dimension, std::int64_t value) noexcept;

/// The first dimension whose value names no label; nothing if there is none. The key must have the right
/// size.
std::optional<std::size_t> unlabelled(std::span<const Dimension> dimensions, const Key& key) noexcept;

/// The key under which `key` is stored: its sizes are rounded as their dimensions demand.
Key canonical(std::span<const Dimension> dimensions, Key key) noexcept;

/// "tokens=17 bits=2+4", and "bits=none" for the empty set. A value that names no label is printed as a
/// number.
std::string print(std::span<const Dimension> dimensions, const Key& key);

}  // namespace adaptive::core
