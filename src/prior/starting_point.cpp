#include "prior/starting_point.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/text.hpp"
#include "prior/distance.hpp"

namespace adaptive::inline v1::core {
namespace {

// Standard deviation of the error of a neighbour's log latency, in addition to the error of its mean: at
// distance 0, and the increase per unit of distance (one doubling of a size with weight 1).
constexpr double deviation_nearest = 0.05;
constexpr double deviation_per_doubling = 0.10;
// Standard deviation of the error that all variants have in common: for a table of another device, because of
// its clock frequency, and the increase per unit of distance, because a doubling of a size can double the
// work.
constexpr double level_foreign = 0.40;
constexpr double level_per_doubling = 0.70;

constexpr std::uint32_t nothing = ~std::uint32_t{0};

struct Borrowed {
  std::uint32_t incumbent = nothing;
  std::span<const SeedVariant> variants;
};

std::uint32_t index_of(std::span<const std::uint32_t> candidates, std::uint32_t variant) {
  const auto at = std::find(candidates.begin(), candidates.end(), variant);
  return at == candidates.end() ? nothing : static_cast<std::uint32_t>(at - candidates.begin());
}

bool is_set_aside(const Borrowed& from, std::uint32_t variant) {
  return std::any_of(from.variants.begin(), from.variants.end(),
                     [&](const SeedVariant& seed) { return seed.variant == variant && seed.set_aside; });
}

// Index of the entry's incumbent or, if it cannot run the key or has failed lately, of the fastest measured
// variant that can and has not; `nothing` if there is none.
std::uint32_t usable(const Borrowed& from, std::span<const std::uint32_t> candidates) {
  const std::uint32_t incumbent = index_of(candidates, from.incumbent);
  if (incumbent != nothing && !is_set_aside(from, from.incumbent)) return incumbent;
  std::uint32_t best = nothing;
  double least = 0.0;
  for (const SeedVariant& seed : from.variants) {
    const std::uint32_t at = index_of(candidates, seed.variant);
    if (at == nothing || seed.set_aside || seed.count == 0 || seed.compared_ns() <= 0) continue;
    if (best == nothing || seed.compared_ns() < least) {
      best = at;
      least = seed.compared_ns();
    }
  }
  return best;
}

// Sets the starting candidate from an entry of a table, whose measurements may prove another variant faster
// than its incumbent. Returns false if no variant of the entry can run the key.
bool begin_with(StartingPoint& start, const SeedEntry& entry, const StartingRequest& request) {
  if (const auto faster = proven_faster(entry, request.candidates, request.proof)) {
    start.candidate = index_of(request.candidates, faster->variant);
    const auto named = std::find_if(entry.variants.begin(), entry.variants.end(),
                                    [&](const SeedVariant& v) { return v.variant == entry.incumbent; });
    start.overruled = entry.incumbent;
    start.overruled_gain = 1.0 - faster->compared_ns() / named->compared_ns();
    return true;
  }
  const std::uint32_t candidate = usable({entry.incumbent, entry.variants}, request.candidates);
  if (candidate == nothing) return false;
  start.candidate = candidate;
  return true;
}

void set_priors(StartingPoint& start, const Borrowed& from, const StartingRequest& request,
                double deviation) {
  for (const SeedVariant& seed : from.variants) {
    const std::uint32_t at = index_of(request.candidates, seed.variant);
    if (at == nothing || seed.count == 0 || !(seed.compared_ns() > 0)) continue;
    start.prior[at] = std::log(seed.compared_ns());
    const double relative =
        seed.mean_ns > 0 ? std::sqrt(std::max(seed.variance_ns2, 0.0)) / seed.mean_ns : 0.0;
    // Outliers can make the variance of the latencies far larger than that of the robust location: limit it.
    const double of_mean = std::min(relative, 0.2) / std::sqrt(static_cast<double>(seed.count));
    start.prior_deviation[at] = std::hypot(deviation, of_mean);
    start.prior_count[at] = seed.count;
  }
}

bool has_measurements(const StartingPoint& start) {
  return std::any_of(start.prior_count.begin(), start.prior_count.end(),
                     [](auto count) { return count > 0; });
}

struct Near {
  double distance;
  const Key* key;
  std::uint32_t rank;  // 0: this run; 1: tables
  Borrowed from;
  const SeedEntry* seed;
};

StartingPoint from_default(const StartingRequest& request) {
  StartingPoint start;
  start.candidate = request.fallback;
  start.prior.assign(request.candidates.size(), VariantStatistics::none);
  start.prior_deviation = start.prior;
  start.prior_count.assign(request.candidates.size(), 0);
  start.set_aside.assign(request.candidates.size(), false);
  return start;
}

void begin_exact(StartingPoint& start, const SeedEntry& exact, const StartingRequest& request) {
  begin_with(start, exact, request);
  set_priors(start, {exact.incumbent, exact.variants}, request,
             exact.trusted ? trusted_deviation : foreign_deviation);
  if (!exact.trusted) start.prior_offset_deviation += level_foreign;
  for (const SeedVariant& seed : exact.variants)
    if (const std::uint32_t at = index_of(request.candidates, seed.variant); at != nothing && seed.set_aside)
      start.set_aside[at] = true;
  start.match = {MatchKind::exact, 0.0, exact.key};
  start.source = exact.source;
  // Without measurements, an entry is no evidence, even in a table of this device.
  start.trusted = exact.trusted && has_measurements(start);
}

std::vector<Near> within_limit(const StartingRequest& request, const Seeds& seeds,
                               std::span<const Neighbour> neighbours) {
  std::vector<Near> near;
  const auto consider = [&](const Key& key, std::uint32_t rank, const Borrowed& from, const SeedEntry* seed) {
    const double at = distance(request.dimensions, request.key, key);
    if (at <= request.nearest_limit && std::isfinite(at)) near.push_back({at, &key, rank, from, seed});
  };
  for (const Neighbour& n : neighbours) consider(n.key, 0, {n.incumbent, n.variants}, nullptr);
  if (!seeds.entries().empty())
    for (const SeedEntry& s : seeds.window(request.key, request.dimensions[0], request.nearest_limit))
      consider(s.key, 1, {s.incumbent, s.variants}, &s);
  std::sort(near.begin(), near.end(), [](const Near& a, const Near& b) {
    if (a.distance != b.distance) return a.distance < b.distance;
    if (!(*a.key == *b.key)) return *a.key < *b.key;
    return a.rank < b.rank;
  });
  return near;
}

void begin_nearest(StartingPoint& start, const StartingRequest& request, const Seeds& seeds,
                   std::span<const Neighbour> neighbours) {
  for (const Near& n : within_limit(request, seeds, neighbours)) {
    if (n.seed != nullptr) {
      if (!begin_with(start, *n.seed, request)) continue;
    } else {
      const std::uint32_t candidate = usable(n.from, request.candidates);
      if (candidate == nothing) continue;
      start.candidate = candidate;
    }
    const double base = n.seed != nullptr && !n.seed->trusted ? foreign_deviation : deviation_nearest;
    set_priors(start, n.from, request, base + deviation_per_doubling * n.distance);
    start.prior_offset_deviation += level_per_doubling * n.distance;
    start.match = {MatchKind::nearest, n.distance, *n.key};
    start.source = n.seed != nullptr ? n.seed->source : "this run";
    return;
  }
}

}  // namespace

void Seeds::add(std::vector<SeedEntry> entries, bool keep_old) {
  const auto by_key = [](const SeedEntry& a, const SeedEntry& b) { return a.key < b.key; };
  std::stable_sort(entries.begin(), entries.end(), by_key);
  std::vector<SeedEntry> merged;
  merged.reserve(entries_.size() + entries.size());
  std::vector<SeedEntry>& first = keep_old ? entries_ : entries;
  std::vector<SeedEntry>& second = keep_old ? entries : entries_;
  std::merge(std::make_move_iterator(first.begin()), std::make_move_iterator(first.end()),
             std::make_move_iterator(second.begin()), std::make_move_iterator(second.end()),
             std::back_inserter(merged), by_key);
  // `merge` is stable: of two equal keys, the one to keep comes first.
  merged.erase(std::unique(merged.begin(), merged.end(),
                           [](const SeedEntry& a, const SeedEntry& b) { return a.key == b.key; }),
               merged.end());
  entries_ = std::move(merged);
}

const SeedEntry* Seeds::find(const Key& key) const noexcept {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), key,
                                   [](const SeedEntry& entry, const Key& k) { return entry.key < k; });
  return at != entries_.end() && at->key == key ? &*at : nullptr;
}

std::span<const SeedEntry> Seeds::window(const Key& key, const Dimension& first,
                                         double limit) const noexcept {
  std::int64_t lowest = key[0];
  std::int64_t highest = key[0];
  if (first.kind == DimensionKind::size || first.kind == DimensionKind::linear) {
    if (!(first.weight > 0) || !std::isfinite(limit)) return entries_;
    const double reach = std::max(limit, 0.0) / first.weight;
    const double value = static_cast<double>(std::max<std::int64_t>(key[0], 0));
    const bool log = first.kind == DimensionKind::size;
    // Above 2^53, a `double` does not hold every integer. These limits also keep the sums below far from
    // overflow.
    constexpr std::int64_t exact = std::int64_t{1} << 53;
    if (reach > (log ? 50.0 : 1e15) || key[0] > exact || key[0] < -exact) return entries_;
    // Round outwards: the window may contain a few entries too many, which `distance` excludes.
    lowest =
        static_cast<std::int64_t>(log ? value / std::exp2(reach) : static_cast<double>(key[0]) - reach) - 1;
    const double upper = log ? std::max(value, 0.5) * std::exp2(reach) : static_cast<double>(key[0]) + reach;
    highest = upper < 9e18 ? static_cast<std::int64_t>(upper) + 1 : std::numeric_limits<std::int64_t>::max();
    if (log && value / std::exp2(reach) <= 1.0) lowest = std::numeric_limits<std::int64_t>::min();
  }
  const auto begin = std::lower_bound(entries_.begin(), entries_.end(), lowest,
                                      [](const SeedEntry& e, std::int64_t v) { return e.key[0] < v; });
  const auto end = std::upper_bound(begin, entries_.end(), highest,
                                    [](std::int64_t v, const SeedEntry& e) { return v < e.key[0]; });
  return {begin, end};
}

std::string overruled_text(const StartingPoint& start, const std::string& named, const std::string& faster) {
  return "the table names " + named + ", but its own measurements prove that " + faster + " takes " +
         percent(start.overruled_gain, 0) + " less";
}

StartingPoint starting_point(const StartingRequest& request, const Seeds& seeds,
                             std::span<const Neighbour> neighbours) {
  StartingPoint start = from_default(request);
  if (const SeedEntry* exact = seeds.find(request.key)) {
    begin_exact(start, *exact, request);
    return start;
  }
  if (request.exact_only) return start;
  begin_nearest(start, request, seeds, neighbours);
  return start;
}

}  // namespace adaptive::core
