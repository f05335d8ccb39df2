#include "examples/gpu_serving/comparison.hpp"

#include <algorithm>
#include <numeric>
#include <random>

namespace gpu_serving {
namespace {

// Serves steps from `first` on, at most `count`, and at most for so long. Returns their number.
std::size_t serve_block(Mode& mode, const Schedule& schedule, std::size_t first, std::size_t count,
                        double seconds_max, int ahead, cudaStream_t stream) {
  std::vector<Event> enqueued(static_cast<std::size_t>(ahead));
  check(cudaStreamSynchronize(stream), "before a block");
  const auto begin = Clock::now();
  std::size_t served = 0;
  for (; served < count && first + served < schedule.steps.size(); ++served) {
    if (seconds_max > 0 && served > 0 && seconds_since(begin) > seconds_max) break;
    const Event& event = enqueued[served % enqueued.size()];
    if (served >= enqueued.size()) event.wait();
    mode.run(schedule.steps[first + served], stream);
    event.record(stream);
  }
  check(cudaStreamSynchronize(stream), "a block");
  const double seconds = seconds_since(begin);
  mode.seconds += seconds;
  mode.block_seconds.push_back(seconds);
  return served;
}

}  // namespace

void serve(Pass& pass, const Schedule& schedule, cudaStream_t stream, const PassLimits& limits,
           std::uint64_t seed, const std::function<void(const Pass&, double)>& progress) {
  std::mt19937_64 random(seed);
  std::vector<std::size_t> order(pass.modes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto begin = Clock::now();
  while (pass.steps < schedule.steps.size() && seconds_since(begin) < limits.seconds) {
    // The best in hindsight decides how many steps the block has; it is the last mode, and no other mode's
    // luck may decide that.
    std::shuffle(order.begin(), order.end(), random);
    const std::size_t steps = serve_block(*pass.modes.back(), schedule, pass.steps, schedule.steps.size(),
                                          limits.block_seconds, limits.ahead, stream);
    // That block has warmed clocks and caches up; it is served again in its turn and counts then.
    pass.modes.back()->seconds -= pass.modes.back()->block_seconds.back();
    pass.modes.back()->block_seconds.pop_back();
    for (const std::size_t i : order)
      serve_block(*pass.modes[i], schedule, pass.steps, steps, 0, limits.ahead, stream);
    for (std::size_t s = 0; s < steps; ++s) pass.tokens += schedule.steps[pass.steps + s].served;
    pass.steps += steps;
    progress(pass, seconds_since(begin));
  }
  for (const auto& mode : pass.modes) mode->finish();
}

FixedMode::Choose first_choice() {
  return [](std::size_t, const Launch& launch) { return launch.candidates.front(); };
}

FixedMode::Choose best_choice() {
  return [](std::size_t, const Launch& launch) {
    const auto best = std::min_element(launch.location_us.begin(), launch.location_us.end());
    return launch.candidates[static_cast<std::size_t>(best - launch.location_us.begin())];
  };
}

FixedMode::Choose one_variant(Operands& operands) {
  using Family = const kernels::cuda::Family*;
  // How much a variant saves against the first choices wherever it runs.
  std::map<Family, std::map<std::size_t, double>> saved_us;
  for (auto& [weight, launch] : operands.all())
    for (std::size_t i = 0; i < launch->candidates.size(); ++i)
      saved_us[operands.weight(weight).family][launch->candidates[i]] +=
          static_cast<double>(launch->calls) * (launch->location_us.front() - launch->location_us[i]);
  std::map<Family, std::size_t> chosen;
  for (const auto& [family, variants] : saved_us)
    chosen[family] = std::max_element(variants.begin(), variants.end(), [](const auto& a, const auto& b) {
                       return a.second < b.second;
                     })->first;
  return [chosen, &operands](std::size_t weight, const Launch& launch) {
    const std::size_t wanted = chosen.at(operands.weight(weight).family);
    const auto at = std::find(launch.candidates.begin(), launch.candidates.end(), wanted);
    return at != launch.candidates.end() ? wanted : launch.candidates.front();
  };
}

}  // namespace gpu_serving
