// What you learn here: what the selector is allowed to do is a mode, set by the program, changed while it
// runs, and overridden by the environment:
//
//   off      the default variant, always: the kill switch
//   seed     what the tables say; nothing is timed
//   observe  runs what the tables say, times it, and reports what `online` would have chosen
//   online   explores, learns, promotes
//   frozen   the incumbents as they are now; nothing is timed
//
// Try  ADAPTIVE_MODE=off ./06_modes  and  ADAPTIVE_VARIANT=work=fast ./06_modes.

#include <chrono>
#include <cstdint>
#include <cstdio>

#include <adaptive/adaptive.hpp>

namespace {

/// Launches 3000 times and says what ran.
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
  adaptive::Selector selector({.mode = adaptive::Mode::off});
  adaptive::Operation& work = selector.define({
      .name = "work",
      .dimensions = {{"size"}},
      .variants = {{.name = "plain"}, {.name = "fast"}, {.name = "slow"}},
  });
  std::printf("the program asked for off; ADAPTIVE_MODE makes it %s\n",
              std::string(to_string(selector.mode())).c_str());
  serve("as started", work);

  // From here on the program decides: set_mode is an order, not a wish.
  for (const adaptive::Mode mode : {adaptive::Mode::off, adaptive::Mode::seed, adaptive::Mode::observe,
                                    adaptive::Mode::online, adaptive::Mode::frozen}) {
    selector.set_mode(mode);
    serve(std::string(to_string(mode)).c_str(), work);
  }
  {
    const adaptive::Forced forced = work.force("slow");  // a test wants this one, everywhere
    serve("frozen, slow forced", work);
  }
  serve("frozen, no longer forced", work);
}
