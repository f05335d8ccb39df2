#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include <adaptive/detail/export.hpp>
#include <adaptive/latency.hpp>
#include <adaptive/match.hpp>
#include <adaptive/mode.hpp>

namespace adaptive::inline v1 {

enum class EventKind : std::uint8_t {
  promotion,  ///< another variant is surely faster and became the incumbent
  demotion,   ///< the incumbent became slower than it was, and another took its place
  failure,    ///< the incumbent failed and was set aside
};

/// One change of a key's incumbent.
struct Event {
  EventKind kind = EventKind::promotion;
  std::string from = {};
  std::string to = {};
  double gain = 0.0;   ///< estimated share of the latency of `from` that is saved; negative after a failure
  double calls = 0.0;  ///< calls of the key before the change
  std::uint64_t epoch = 0;  ///< the selector's epoch after the change
};

/// Tells why a key runs the variant that it runs. A copy, safe to keep; plain data. `text()` is for people,
/// the fields are for programs.
struct ADAPTIVE_EXPORT Explanation {
  struct Candidate {
    std::string name = {};
    bool available = true;
    std::uint64_t memory = 0;    ///< bytes that it needs for the key (`Variant::memory`)
    std::uint64_t count = 0;     ///< timed results in this run
    std::uint64_t failures = 0;  ///< launches reported as failed
    std::uint32_t pending = 0;   ///< timed launches whose result has neither come nor been given up
    /// Estimated number of calls that ran this candidate in modes `online` and `observe`; exact until
    /// measurements are sampled. Calls in other modes and forced calls are not counted.
    double calls = 0.0;
    double mean_ns = 0.0;       ///< mean latency; 0 without results
    double deviation_ns = 0.0;  ///< standard deviation of one latency
    double location_ns = 0.0;   ///< robust location of its own results; 0 without results
    double lower_ns = 0.0;      ///< confidence limits of `location_ns`
    double upper_ns = 0.0;
    /// Of its latest results, at most 128; only the eight candidates that had results last have any.
    RecentLatencies recent = {};
    double seed_ns = 0.0;         ///< latency from a table or a prediction; 0 without one
    double seed_deviation = 0.0;  ///< of the error of `seed_ns`, as a share, without the common part
    std::string verdict = {};     ///< what would make this candidate the incumbent
  };

  std::string operation = {};
  std::string key = {};  ///< "tokens=17 out_features=4096 bits=2+4"
  Mode mode = Mode::online;
  Match match = {};
  std::string source = {};     ///< the matched key and the table it came from
  std::string running = {};    ///< the variant of a call that does not explore
  std::string pinned = {};     ///< the variant of new pins, and of graphs captured with them
  std::string incumbent = {};  ///< the variant that saved tables and mode `frozen` use
  std::string leader = {};     ///< believed fastest now; `online` runs it between explorations
  bool settled = false;  ///< the incumbent has been confirmed or promoted, and nothing has re-opened the key
  double calls = 0.0;    ///< estimated calls in modes `online` and `observe`, without forced ones
  double explored_share = 0.0;  ///< share of the calls that ran another variant than the leader
  double lost_share = 0.0;      ///< share of the key's time that these calls lost
  std::vector<Candidate> candidates = {};
  std::vector<std::string> unsupported = {};  ///< variants that cannot run this key
  std::vector<std::string> other_class = {};  ///< variants of another numeric class, which are not explored
  std::vector<Event> history = {};            ///< the latest 16 changes, oldest first
  std::string reason = {};                    ///< why `running` runs, in one sentence

  /// All of the above as a table of several lines.
  std::string text() const;
};

/// Writes `text()`.
ADAPTIVE_EXPORT std::ostream& operator<<(std::ostream& out, const Explanation& explanation);

}  // namespace adaptive
