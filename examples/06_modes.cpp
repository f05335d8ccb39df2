// This example shows modes. A mode says what the selector may do. The program sets it and can change it at
// any time; the environment overrides it:
//
//   off      always the default variant: the kill switch
//   seed     the variants from the tables; nothing is timed
//   observe  runs the variants from the tables, times them, and reports what `online` would have chosen
//   online   explores, learns, promotes
//   frozen   the current incumbents; nothing is timed
//
// Try  ADAPTIVE_MODE=off ./06_modes  and  ADAPTIVE_VARIANT=work=fast ./06_modes.

#include <chrono>
#include <cstdint>
#include <cstdio>

#include <adaptive/adaptive.hpp>

namespace {

/// Launches 3000 times and prints which variants ran.
void serve(const char* title, adaptive::Operation& operation) {
  std::uint64_t launches[3] = {};
  int timed = 0;
  for (int call = 0; call < 3000; ++call) {
    const adaptive::Decision decision = operation.select({256});
    ++launches[decision.variant()];
    timed += decision.timed() ? 1 : 0;
    const double us = decision.variant() == 0 ? 50 : decision.variant() == 1 ? 30 : 90;
    if (decision.timed()) operation.record(decision, std::chrono::duration<double, std::micro>(us));
  }
  std::printf("%-28s plain %4d  fast %4d  slow %4d   timed %4d\n", title, static_cast<int>(launches[0]),
              static_cast<int>(launches[1]), static_cast<int>(launches[2]), timed);
}

}  // namespace

int main() {
  // The latencies are made up, so timing a launch costs nothing. A real program leaves `timing_cost` out, and
  // the selector measures what a reading of the clock costs on this machine.
  adaptive::Selector selector(
      {.mode = adaptive::Mode::off, .learning = {.timing_cost = std::chrono::nanoseconds(1)}});
  adaptive::Operation& work = selector.define({
      .name = "work",
      .dimensions = {{"size"}},
      .variants = {{.name = "plain"}, {.name = "fast"}, {.name = "slow"}},
  });
  std::printf("the program requested off; with ADAPTIVE_MODE it is %s\n",
              std::string(to_string(selector.mode())).c_str());
  serve("as started", work);

  // From here on the program decides: set_mode also overrides the environment.
  for (const adaptive::Mode mode : {adaptive::Mode::off, adaptive::Mode::seed, adaptive::Mode::observe,
                                    adaptive::Mode::online, adaptive::Mode::frozen}) {
    selector.set_mode(mode);
    serve(std::string(to_string(mode)).c_str(), work);
  }
  {
    const adaptive::Forced forced = work.force("slow");  // a test needs this variant everywhere
    serve("frozen, slow forced", work);
  }
  serve("frozen, no longer forced", work);
}
