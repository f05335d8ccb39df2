#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include <adaptive/detail/export.hpp>
#include <adaptive/match.hpp>
#include <adaptive/mode.hpp>

namespace adaptive::inline v1 {

enum class EventKind : std::uint8_t {
  promotion,  ///< another variant is surely faster
  demotion,   ///< the incumbent became slower than it was, and another took its place
  failure,    ///< the incumbent failed and was set aside
};

/// One change of a key's incumbent.
struct Event {
  EventKind kind = EventKind::promotion;
  std::string from = {};
  std::string to = {};
  double gain = 0.0;        ///< share of `from`'s latency saved, as estimated then; negative after a failure
  double calls = 0.0;       ///< calls of the key until then
  std::uint64_t epoch = 0;  ///< the selector's epoch after it
};

/// Why a key runs the variant that it runs: a copy, safe to keep. `text()` is for people, the fields for
/// programs.
struct ADAPTIVE_EXPORT Explanation {
  struct Candidate {
    std::string name = {};
    bool available = true;
    std::uint64_t count = 0;  ///< timed results in this run
    std::uint64_t failures = 0;
    std::uint32_t pending = 0;
    /// Estimate of the calls that ran it in modes `online` and `observe`: exact until measurements are
    /// sampled. Calls in other modes and forced calls are not counted.
    double calls = 0.0;
    double mean_ns = 0.0;  ///< 0 without results
    double deviation_ns = 0.0;
    double location_ns = 0.0;  ///< robust, by its own results; 0 without results
    double lower_ns = 0.0;     ///< confidence limits of `location_ns`
    double upper_ns = 0.0;
    double seed_ns = 0.0;         ///< what the tables or a prediction said; 0 without
    double seed_deviation = 0.0;  ///< of its error, as a share, besides what is common to all candidates
    std::string verdict = {};     ///< what would have to happen for it to become the incumbent
  };

  std::string operation = {};
  std::string key = {};  ///< "tokens=17 out_features=4096 bits=2+4"
  Mode mode = Mode::online;
  Match match = {};
  std::string source = {};   ///< the matched key and the table it came from
  std::string running = {};  ///< what a call gets now, unless it explores
  std::string pinned = {};   ///< what pins, and graphs captured with them, refer to
  std::string incumbent = {};
  std::string leader = {};  ///< the fastest by what is known now; what `online` runs between explorations
  bool settled = false;
  double calls = 0.0;  ///< estimate of the calls in modes `online` and `observe` that were not forced
  double explored_share = 0.0;  ///< share of the calls that ran another variant than the leader
  double lost_share = 0.0;      ///< share of the time lost by them
  std::vector<Candidate> candidates = {};
  std::vector<std::string> unsupported = {};  ///< variants that cannot run this key
  std::vector<std::string> other_class = {};  ///< variants of another numeric class, which are left alone
  std::vector<Event> history = {};            ///< the latest 16 changes, oldest first
  std::string reason = {};                    ///< one sentence

  std::string text() const;
};

ADAPTIVE_EXPORT std::ostream& operator<<(std::ostream& out, const Explanation& explanation);

}  // namespace adaptive
