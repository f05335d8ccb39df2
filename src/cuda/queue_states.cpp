#include "cuda/queue_states.hpp"

#include <algorithm>

namespace adaptive::inline v1::cuda {

QueueStates::Entry* QueueStates::find(const void* of) noexcept {
  // Addresses are some hundred bytes apart, so their low bits carry little information.
  const auto address = reinterpret_cast<std::uintptr_t>(of);
  for (std::size_t i = static_cast<std::size_t>((address * 0x9E3779B97F4A7C15u) >> 40);; ++i) {
    Entry& entry = entries_[i % entries_.size()];
    if (entry.of == of) return &entry;
    if (entry.of != nullptr) continue;
    if (count_ == capacity) return nullptr;
    ++count_;
    entry.of = of;
    return &entry;
  }
}

QueueStates::Verdict QueueStates::change(Entry& entry, Kind to) noexcept {
  const bool learned = entry.kind != Kind::undecided;
  entry.kind = to;
  entry.evidence = 0;
  if (!learned) return Verdict::learn;
  entry.needed = std::min(entry.needed * 4, switch_run_max);
  return Verdict::restart;
}

QueueStates::Verdict QueueStates::judge(const void* operation, const void* key, bool idle) noexcept {
  Entry* const all = find(operation);
  if (all == nullptr) return idle ? Verdict::leave_out : Verdict::learn;
  const Kind usual = all->kind;
  const Verdict of_all = judge(*all, idle);
  Entry* const own = key != nullptr ? find(key) : nullptr;
  if (own == nullptr) return of_all;
  if (own->kind == Kind::undecided && usual == Kind::idle) own->kind = Kind::idle;
  return judge(*own, idle);
}

QueueStates::Verdict QueueStates::judge(Entry& entry, bool idle) noexcept {
  switch (entry.kind) {
    case Kind::undecided:
      if (!idle) return change(entry, Kind::queued);
      return ++entry.evidence < idle_run ? Verdict::leave_out : change(entry, Kind::idle);
    case Kind::queued:
      if (idle) return ++entry.evidence < entry.needed ? Verdict::leave_out : change(entry, Kind::idle);
      entry.evidence = 0;
      return Verdict::learn;
    case Kind::idle:
      if (!idle) {
        entry.evidence += queued_weight;
        return entry.evidence < entry.needed ? Verdict::leave_out : change(entry, Kind::queued);
      }
      if (entry.evidence > 0) --entry.evidence;
      return Verdict::learn;
  }
  return Verdict::leave_out;
}

}  // namespace adaptive::cuda
