#include "tuning/trial.hpp"

#include <array>
#include <utility>

namespace adaptive::inline v1::tuning {
namespace {

constexpr std::array<std::pair<TrialStatus, std::string_view>, 8> names = {{
    {TrialStatus::ok, "ok"},
    {TrialStatus::wrong, "wrong"},
    {TrialStatus::unsupported, "unsupported"},
    {TrialStatus::out_of_memory, "out_of_memory"},
    {TrialStatus::failed, "failed"},
    {TrialStatus::crashed, "crashed"},
    {TrialStatus::timed_out, "timed_out"},
    {TrialStatus::throttled, "throttled"},
}};

}  // namespace

std::string_view to_string(TrialStatus status) noexcept {
  for (const auto& [value, name] : names)
    if (value == status) return name;
  return "failed";
}

std::optional<TrialStatus> parse_trial_status(std::string_view text) noexcept {
  for (const auto& [value, name] : names)
    if (name == text) return value;
  return std::nullopt;
}

}  // namespace adaptive::tuning
