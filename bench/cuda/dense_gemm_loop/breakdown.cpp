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
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    float ms = 0;
    check(cudaEventElapsedTime(&ms, events_[i], events_[i + 1]), "elapsed time");
    const double us = double{ms} * 1e3;
    result.all.add(us);
    result.of_kind[static_cast<std::size_t>(kinds_[i])].add(us);
    if (kinds_[i] <= ReplayKind::stand_in) result.of_quarter[4 * i / kinds_.size()].add(us);
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
  for (const Breakdown::Sum& sum : one.of_quarter) line("untimed, by quarters", sum);
}

}  // namespace adaptive::loop_bench
