#include "selector/world.hpp"

#include <charconv>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/text.hpp"

namespace adaptive::inline v1 {
namespace {

std::optional<int> whole_number_of(const char* variable) {
  const char* const text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  const std::string_view digits = core::trimmed(text);
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

}  // namespace

std::optional<World> world_of_environment() {
  constexpr std::pair<const char*, const char*> pairs[] = {{"WORLD_SIZE", "RANK"},
                                                           {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"},
                                                           {"PMI_SIZE", "PMI_RANK"},
                                                           {"SLURM_STEP_NUM_TASKS", "SLURM_PROCID"}};
  for (const auto& [size_variable, rank_variable] : pairs) {
    const std::optional<int> size = whole_number_of(size_variable);
    const std::optional<int> rank = whole_number_of(rank_variable);
    if (size && rank && *rank >= 0 && *rank < *size) return World{*size, *rank, size_variable};
  }
  return std::nullopt;
}

}  // namespace adaptive
