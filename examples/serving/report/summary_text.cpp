#include <cstdarg>
#include <cstdio>

#include "examples/serving/report/summary.hpp"

namespace serving {
namespace {

/// Formats like printf and returns a string.
[[gnu::format(printf, 1, 2)]] std::string line(const char* format, ...) {
  char text[512];
  va_list values;
  va_start(values, format);
  std::vsnprintf(text, sizeof text, format, values);
  va_end(values);
  return text;
}

double percent(double part, double whole) {
  return whole > 0 ? 100.0 * part / whole : 0.0;
}

using Count = unsigned long long;  // a type that printf can print on every platform

std::string what_ran(const Summary& s) {
  std::string out;
  out += "Device      " + s.device + "\n";
  out += "Requests    " + s.source + "\n";
  out += "Model       " + s.model + "\n";
  out += line(
      "Served      %llu requests, %llu prompt and %llu answer tokens in %llu steps; %.1f s on the simulated "
      "clock\n",
      Count{s.requests}, Count{s.prompt_tokens}, Count{s.answer_tokens}, Count{s.run.steps}, s.simulated_s);
  out += line("Kernels     %llu launches of %llu keys, %.2f s of kernel time in %.1f s\n",
              Count{s.run.launches}, Count{s.keys}, s.run.kernel_ns * 1e-9, s.run.wall_s);
  return out;
}

std::string comparison_row(const char* name, double ns, double best_ns) {
  return line("  %-42s %9.3f s  %+9.1f %%\n", name, ns * 1e-9, percent(ns - best_ns, best_ns));
}

std::string comparison(const Summary& s) {
  const Comparison& c = s.comparison;
  std::string out = line("Kernel time of the run's launches (%.1f %% of it compared)%*s against the best\n",
                         100.0 * s.calibration.covered_share, 3, "");
  out += comparison_row("default variants only", c.default_ns, c.best_ns);
  if (c.seed_ns)
    out += comparison_row("seed table only", *c.seed_ns, c.best_ns);
  else
    out += "  seed table only                                 none found\n";
  out += comparison_row("best single variant of each family", c.single_ns, c.best_ns);
  out += comparison_row("adapted, exploration included", c.adapted_ns, c.best_ns);
  out += comparison_row("learned variants, without exploration", c.learned_ns, c.best_ns);
  out += comparison_row("best variant of every key, in hindsight", c.best_ns, c.best_ns);
  out += line("  In the run, the adapted launches took %.3f s: %+.1f %% compared with their estimate.\n",
              c.measured_ns * 1e-9, percent(c.measured_ns - c.adapted_ns, c.adapted_ns));
  out += line(
      "  Estimates are medians of an interleaved calibration after the run: %llu launches, %u rounds, %.1f "
      "s.\n",
      Count{s.calibration.launches}, s.calibration.rounds, s.calibration.wall_s);
  return out;
}

std::string learning(const Summary& s) {
  std::string out = "Learning (mode " + s.mode + ")\n";
  out += line("  keys started       %llu exact, %llu nearest, %llu predicted, %llu default; %llu settled\n",
              Count{s.matches.exact}, Count{s.matches.nearest}, Count{s.matches.predicted},
              Count{s.matches.fallback}, Count{s.settled_keys});
  out +=
      line("  explored           %llu of %llu launches (%.2f %%)\n", Count{s.explored}, Count{s.run.launches},
           percent(static_cast<double>(s.explored), static_cast<double>(s.run.launches)));
  out += line("  lost by exploring  %.3f s of kernel time (%.2f %%)\n", s.lost_ns * 1e-9,
              percent(s.lost_ns, s.run.kernel_ns));
  out += line("  timed              %llu launches (%.1f %%)\n", Count{s.run.timed},
              percent(static_cast<double>(s.run.timed), static_cast<double>(s.run.launches)));
  out += line("  changes            %llu promotions, %llu demotions, %llu failures\n", Count{s.promotions},
              Count{s.demotions}, Count{s.failures});
  if (s.ahead_keys > 0)
    out += line(
        "  ahead              on %llu keys the running variant leads, but not surely enough for a "
        "promotion\n",
        Count{s.ahead_keys});
  if (s.previous) {
    const RunNote& p = *s.previous;
    const auto times = [](double now, double before) { return before > 0 ? now / before : 0.0; };
    out += line("  previous run       explored %llu of %llu launches (%.2f %%), lost %.3f s\n",
                Count{p.explored}, Count{p.launches},
                percent(static_cast<double>(p.explored), static_cast<double>(p.launches)), p.lost_ns * 1e-9);
    out += line("  compared with it   %.2f times the exploring launches, %.2f times the loss\n",
                times(static_cast<double>(s.explored), static_cast<double>(p.explored)),
                times(s.lost_ns, p.lost_ns));
  }
  return out;
}

std::string top(const Summary& s) {
  std::string out = "Where the time went\n";
  out += "  time %  launches explored  default us   now us   best us  start    now\n";
  for (const KeySummary& key : s.top) {
    out += "  " + key.operation + "  " + key.key + "\n";
    out += line("  %6.2f %9llu %8llu %11.1f %8.1f %9.1f  %-8s %s\n", 100.0 * key.time_share,
                Count{key.launches}, Count{key.explored}, key.default_us, key.leader_us, key.best_us,
                key.match.c_str(), key.leader.c_str());
  }
  return out;
}

}  // namespace

std::string text_of(const Summary& s) {
  std::string out = what_ran(s) + "\n" + comparison(s) + "\n" + learning(s) + "\n" + top(s);
  out += "\nWhy: the key of each operation that took the most time\n";
  for (const std::size_t index : s.explained) out += s.top[index].explanation;
  if (!s.output.empty())
    out += "\nThe learned table is " + s.output + ". Start the next run from it:\n  serving_demo --tables " +
           s.output + "\n";
  return out;
}

}  // namespace serving
