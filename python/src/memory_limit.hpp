// A limit of memory as Python has it: None is no limit.
#pragma once

#include <cstdint>
#include <optional>

#include <adaptive/learning.hpp>

namespace adaptive::python {

inline std::optional<std::uint64_t> known_limit(std::uint64_t bytes) noexcept {
  return bytes == LearningOptions::no_memory_limit ? std::nullopt : std::optional(bytes);
}

}  // namespace adaptive::python
