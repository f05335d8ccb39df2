#include "learning/model/passing_launches.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>

#include <adaptive/detail/key_table.hpp>

namespace adaptive::inline v1::core {
namespace {

// Every launch is timed until this many results have come. Then the timed share falls in inverse proportion
// to the number of results, down to `timed_share_min`, because further results teach the model less and less.
constexpr double timed_until = 4096.0;
constexpr double timed_share_min = 1.0 / 16.0;
// Number of results from which the timing budget limits the timed share.
constexpr std::uint64_t timed_before_cost = 1024;
// Share of the time that looks may cost, in the first `look_first_calls` calls and later.
constexpr double look_budget_first = 0.02;
constexpr std::uint64_t look_first_calls = 512;
constexpr double look_budget = 0.001;
// A result counts as disturbed if it is later than expected by more than this many standard deviations, and
// by more than `late_min` in log latency. The model then learns a latency at this limit.
constexpr double disturbed_deviations = 4.0;
constexpr double late_min = 0.5;

}  // namespace

void PassingLaunches::prepare() {
  std::vector<Launch> launches(launches_max);
  std::vector<Sight> sights(sets * ways);
  std::vector<Result> results;
  results.reserve(results_max);
  const std::lock_guard lock(lock_);
  if (is_prepared()) return;
  launches_.swap(launches);
  sights_.swap(sights);
  results_.swap(results);
  prepared_.store(true, std::memory_order_release);
}

std::vector<PassingLaunches::Result> PassingLaunches::results() const {
  std::vector<Result> copy;
  if (!is_prepared()) return copy;
  copy.reserve(results_max);
  const std::lock_guard lock(lock_);
  const auto oldest = results_.begin() + static_cast<std::ptrdiff_t>(oldest_);
  copy.insert(copy.end(), oldest, results_.end());
  copy.insert(copy.end(), results_.begin(), oldest);
  return copy;
}

void PassingLaunches::add_counters(Counters& sum) const noexcept {
  if (!is_prepared()) return;
  const std::lock_guard lock(lock_);
  sum.keys_passing += counters_.keys_passing;
  sum.timed += counters_.timed;
  sum.explored += counters_.explored;
  sum.results += counters_.results;
  sum.results_duplicate += counters_.results_duplicate;
  sum.results_expired += counters_.results_expired;
  sum.results_lost += counters_.results_lost;
}

// The upper bits of a key's hash, which are well mixed, choose its set.
PassingLaunches::Sight* PassingLaunches::sights_of(std::uint64_t hash) noexcept {
  return sights_.data() + static_cast<std::size_t>(hash / (~std::uint64_t{0} / sets + 1)) * ways;
}

PassingLaunches::Sight* PassingLaunches::find_sight(std::uint64_t hash) noexcept {
  Sight* const set = sights_of(hash);
  const auto known = [&](const Sight& s) { return s.times > 0 && s.hash == hash; };
  Sight* const at = std::find_if(set, set + ways, known);
  return at == set + ways ? nullptr : at;
}

// Finds frequent keys in little memory (Misra, Gries, "Finding repeated elements", Science of Computer
// Programming 2, 1982), in each set separately: a new key replaces a key that has come at most once; if there
// is none, it lowers the smallest count by one.
PassingLaunches::Seen PassingLaunches::see(std::uint64_t hash) noexcept {
  if (Sight* const known = find_sight(hash)) {
    ++known->times;
    return {known->times, known->measured, known->variant, known->ns};
  }
  Sight* const set = sights_of(hash);
  Sight* const least =
      std::min_element(set, set + ways, [](const Sight& a, const Sight& b) { return a.times < b.times; });
  if (least->times > 1) {
    --least->times;
    return {.times = 1};
  }
  *least = {};
  least->hash = hash;
  least->times = 1;
  return {.times = 1};
}

bool PassingLaunches::begin_call(double share_max) noexcept {
  look_credit_ += counters_.keys_passing < look_first_calls ? look_budget_first : look_budget;
  ++counters_.keys_passing;
  double share = std::clamp(timed_until / static_cast<double>(results_count_ + 1), timed_share_min, 1.0);
  if (results_count_ >= timed_before_cost) share = std::min(share, share_max);
  time_credit_ += share;
  if (time_credit_ < 1.0) return false;
  time_credit_ -= 1.0;
  return true;
}

bool PassingLaunches::may_look(double loss) noexcept {
  if (look_credit_ < loss) return false;
  look_credit_ -= loss;
  ++counters_.explored;
  return true;
}

void PassingLaunches::pass_turn(std::size_t variants) noexcept {
  turn_.store((turn() + 1) % static_cast<std::uint32_t>(variants), std::memory_order_relaxed);
}

std::uint32_t PassingLaunches::issue(const Key& key, std::uint32_t variant,
                                     const Expected& expected) noexcept {
  if (++newest_ == 0) newest_ = 1;
  Launch& launch = launches_[newest_ % launches_max];
  if (launch.awaited) ++counters_.results_lost;
  launch = {key, expected, variant, newest_, true, false};
  ++counters_.timed;
  return newest_;
}

// Returns null, and counts the result, if it comes twice or too late.
PassingLaunches::Launch* PassingLaunches::find(std::uint32_t ticket) noexcept {
  Launch& launch = launches_[ticket % launches_max];
  const bool is_its = launch.ticket == ticket;
  if (is_its && launch.awaited) return &launch;
  ++(is_its && !launch.given_up ? counters_.results_duplicate : counters_.results_expired);
  return nullptr;
}

bool PassingLaunches::complete(std::uint32_t ticket, double ns) noexcept {
  Launch* const launch = find(ticket);
  if (launch == nullptr) return false;
  launch->awaited = false;
  ++counters_.results;
  ++results_count_;
  const Expected& expected = launch->expected;
  const double location = std::log(ns);
  trial_.add(expected.arm, location - expected.by_default);
  proven_.store(trial_.proven(), std::memory_order_relaxed);
  if (Sight* const sight = find_sight(detail::hash(launch->key))) {
    sight->measured = true;
    sight->variant = launch->variant;
    sight->ns = ns;
  }
  const double latest = expected.chosen + std::max(late_min, disturbed_deviations * expected.deviation);
  const Result result{launch->key, launch->variant, std::min(location, latest), expected.log_cost};
  if (results_.size() < results_max) {
    results_.push_back(result);  // there is room
  } else {
    results_[oldest_] = result;
    oldest_ = (oldest_ + 1) % results_max;
  }
  return true;
}

void PassingLaunches::drop(std::uint32_t ticket) noexcept {
  if (Launch* const launch = find(ticket)) launch->awaited = false;
}

void PassingLaunches::forget(bool take) noexcept {
  for (Launch& launch : launches_) {
    if (take || !launch.awaited) continue;
    launch.awaited = false;
    launch.given_up = true;
  }
  std::fill(sights_.begin(), sights_.end(), Sight{});
  results_.clear();
  oldest_ = 0;
  results_count_ = 0;
  trial_ = {};
  proven_.store(false, std::memory_order_relaxed);
}

}  // namespace adaptive::core
