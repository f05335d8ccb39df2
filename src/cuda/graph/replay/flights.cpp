// The timed replays whose latencies have not all come.
#include <algorithm>
#include <utility>

#include "cuda/graph/replay/learner.hpp"

namespace adaptive::inline v1::cuda {

void ReplayLearner::collect() {
  finish_begun();
  for (Flight& flight : flights_) {
    if (!flight.ended && driver_.finished(flight.id)) {
      flight.ended = true;
      flight.ended_at = looks_.replay();
      for (Executable& executable : executables_)
        if (executable.handle == flight.executable) executable.flying = false;
    }
    if (flight.ended) read(flight);
  }
  while (flights_.size() > flights_max) {
    const auto oldest =
        std::find_if(flights_.begin(), flights_.end(), [](const Flight& flight) { return flight.ended; });
    if (oldest == flights_.end()) break;
    give_up(*oldest);
    land(*oldest);
    flights_.erase(oldest);
  }
  const auto is_over = [&](const Flight& flight) {
    if (!flight.ended) return false;
    const auto pending = [](const Sample& sample) { return !sample.done; };
    return looks_.replay() - flight.ended_at >= patience ||
           std::none_of(flight.samples.begin(), flight.samples.end(), pending);
  };
  for (Flight& flight : flights_) {
    if (!is_over(flight)) continue;
    give_up(flight);
    land(flight);
  }
  std::erase_if(flights_, is_over);
  destroy_retired();
}

void ReplayLearner::read(Flight& flight) {
  for (Sample& sample : flight.samples) {
    if (sample.done) continue;
    const ReplayDriver::Reading reading = driver_.latency(flight.id, sample.launch);
    if (reading.state == ReplayDriver::Reading::State::pending) continue;
    sample.done = true;
    const bool here = reading.state == ReplayDriver::Reading::State::here;
    if (here) driver_.give(looks_.operation(sample.launch), sample.decision, reading.latency);
    if (sample.is_look) {
      --counters_.pending;
      ++(here ? counters_.recorded : counters_.lost);
    } else if (here) {
      ++counters_.besides;
    }
  }
}

void ReplayLearner::give_up(Flight& flight) noexcept {
  for (Sample& sample : flight.samples) {
    if (std::exchange(sample.done, true) || !sample.is_look) continue;
    --counters_.pending;
    ++counters_.lost;
  }
}

void ReplayLearner::land(const Flight& flight) noexcept {
  driver_.release(flight.id);
}

}  // namespace adaptive::cuda
