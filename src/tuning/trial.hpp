// One attempt to run a candidate, and how it ended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace adaptive::inline v1::tuning {

enum class TrialStatus : std::uint8_t {
  ok,
  wrong,          ///< the output did not match the reference
  unsupported,    ///< the variant refused the shape
  out_of_memory,  ///< of the host or the device
  failed,         ///< the device or a library reported an error
  crashed,        ///< it ended its process
  timed_out,      ///< it did not end within the limit, and was killed
  throttled,      ///< the device was throttled meanwhile; the sample does not count
};

struct Trial {
  TrialStatus status = TrialStatus::ok;
  double latency_us = 0.0;  ///< of one launch; set only if `ok` or `throttled`
  int launches = 1;         ///< number of launches that the latency is the mean of
  double prepare_us = 0.0;  ///< time to make the candidate ready, for example to compile or load it
  std::string detail = {};  ///< message of the device or the system if not `ok`

  friend bool operator==(const Trial&, const Trial&) = default;
};

/// "ok", "wrong", …, as in trials.csv.
std::string_view to_string(TrialStatus status) noexcept;
std::optional<TrialStatus> parse_trial_status(std::string_view text) noexcept;

}  // namespace adaptive::tuning
