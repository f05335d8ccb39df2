#include "breakdown.hpp"

#include <cstdio>

#include "support.hpp"

namespace adaptive::loop_bench {

ReplayKind kind_of(const cuda::ReplayCounters& before, const cuda::ReplayCounters& after) noexcept {
  if (after.looking == before.looking)
    return after.stand_ins != before.stand_ins ? ReplayKind::stand_in : ReplayKind::own;
  if (after.built != before.built) return ReplayKind::first;
  return after.explored != before.explored ? ReplayKind::exploring : ReplayKind::timing;
}

ReplayTimes::ReplayTimes(bool enabled, int replays)
    : events_(enabled ? static_cast<std::size_t>(replays) + 1 : 0) {
  for (cudaEvent_t& event : events_) check(cudaEventCreate(&event), "event");
  kinds_.reserve(events_.size());
}

ReplayTimes::~ReplayTimes() {
  for (cudaEvent_t event : events_) static_cast<void>(cudaEventDestroy(event));
}

void ReplayTimes::begin(cudaStream_t stream) {
  if (!events_.empty()) check(cudaEventRecord(events_.front(), stream), "event");
}

void ReplayTimes::replayed(cudaStream_t stream, ReplayKind kind) {
  if (events_.empty()) return;
  kinds_.push_back(kind);
  check(cudaEventRecord(events_[kinds_.size()], stream), "event");
}

Breakdown ReplayTimes::read() const {
  Breakdown result;
  std::vector<double> all;
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    float ms = 0;
    check(cudaEventElapsedTime(&ms, events_[i], events_[i + 1]), "elapsed time");
    all.push_back(double{ms} * 1e3);
  }
  const auto is_plain = [&](std::size_t i) { return kinds_[i] <= ReplayKind::stand_in; };
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    const double us = all[i];
    result.all.add(us);
    result.of_kind[static_cast<std::size_t>(kinds_[i])].add(us);
    if (is_plain(i)) {
      result.of_quarter[4 * i / kinds_.size()].add(us);
      continue;
    }
    std::size_t before = i;
    std::size_t behind = i;
    while (before > 0 && !is_plain(before)) --before;
    while (behind + 1 < all.size() && !is_plain(behind)) ++behind;
    if (is_plain(before) && is_plain(behind))
      result.beyond_neighbours[static_cast<std::size_t>(kinds_[i])].add(us - (all[before] + all[behind]) / 2);
  }
  return result;
}

void print(const Breakdown& one, const Breakdown& hindsight) {
  if (one.all.replays == 0 || hindsight.all.replays == 0) return;
  constexpr std::array<const char*, replay_kinds> names = {"program's executable", "stand-in",
                                                           "first of an executable", "timing", "exploring"};
  const double best = hindsight.all.mean();
  std::printf("A replay of the best in hindsight takes %.2f us.\n", best);
  const auto line = [&](const char* name, const Breakdown::Sum& sum) {
    if (sum.replays != 0)
      std::printf("  %-24s %5llu replays of %9.2f us: %+.3f %% of the loop\n", name,
                  static_cast<unsigned long long>(sum.replays), sum.mean(),
                  100.0 * (sum.us - static_cast<double>(sum.replays) * best) / hindsight.all.us);
  };
  for (std::size_t k = 0; k < replay_kinds; ++k) line(names[k], one.of_kind[k]);
  double beyond = 0;
  for (std::size_t k = 0; k < replay_kinds; ++k) {
    const Breakdown::Sum& sum = one.beyond_neighbours[k];
    if (sum.replays == 0) continue;
    beyond += sum.mean() * static_cast<double>(one.of_kind[k].replays);
    std::printf("  %-24s %+.2f us beyond the nearest untimed replays: %+.3f %% of the loop\n", names[k],
                sum.mean(),
                100.0 * sum.mean() * static_cast<double>(one.of_kind[k].replays) / hindsight.all.us);
  }
  if (one.incumbents.replays != 0)
    std::printf("  By the calibration, the incumbents cost %+.3f %% on average; with the above %+.3f %%.\n",
                100.0 * one.incumbents.mean() / best,
                100.0 * (one.incumbents.mean() / best + beyond / hindsight.all.us));
  for (const Breakdown::Sum& sum : one.of_quarter) line("untimed, by quarters", sum);
}

}  // namespace adaptive::loop_bench
