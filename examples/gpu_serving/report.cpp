#include "examples/gpu_serving/report.hpp"

#include <cstdio>

#include <nlohmann/json.hpp>

namespace gpu_serving {
namespace {

template <class... Values>
std::string format(const char* text, Values... values) {
  char line[256];
  std::snprintf(line, sizeof line, text, values...);
  return line;
}

unsigned long long ull(std::uint64_t value) {
  return value;
}

}  // namespace

Summary summarise(const Pass& pass) {
  Summary summary{
      .model = pass.model, .what = pass.what, .steps = pass.steps, .tokens = pass.tokens, .rows = {}};
  for (const auto& mode : pass.modes)
    summary.rows.push_back({.mode = mode->name(),
                            .seconds = mode->seconds,
                            .tokens_per_s = static_cast<double>(pass.tokens) / mode->seconds,
                            .launches = mode->launches,
                            .replays = mode->replays,
                            .block_seconds = mode->block_seconds,
                            .learned = mode->learned()});
  return summary;
}

std::string text_of(const Summary& summary) {
  const double best_s = summary.rows.back().seconds;
  std::string text =
      summary.model + ", " + summary.what + ": " + std::to_string(summary.steps) + " steps, " +
      std::to_string(summary.tokens) + " tokens\n" +
      "                                                         launches > 1 ms   replays > 1 ms\n"
      "  mode                           tokens/s  of hindsight        (longest)        (longest)\n";
  for (const Summary::Row& row : summary.rows)
    text += format("  %-28s %10.0f  %10.2f %%  %4llu (%6.2f ms)  %4llu (%6.2f ms)\n", row.mode.c_str(),
                   row.tokens_per_s, 100 * best_s / row.seconds, ull(row.launches.stalls),
                   1e3 * row.launches.longest_s, ull(row.replays.stalls), 1e3 * row.replays.longest_s);
  for (const Summary::Row& row : summary.rows) {
    if (!row.learned) continue;
    const Learned& learned = *row.learned;
    const double launches = static_cast<double>(learned.launches);
    text += format(
        "  %s: %llu keys, %llu confirmed; %.2f %% explored, %.2f %% timed; %llu promotions, %llu "
        "demotions, %llu failures\n",
        row.mode.c_str(), ull(learned.keys), ull(learned.confirmed),
        100.0 * static_cast<double>(learned.explored) / launches,
        100.0 * static_cast<double>(learned.timed) / launches, ull(learned.promotions),
        ull(learned.demotions), ull(learned.failures));
    text += format("    lost by exploring %.2f %% of its time, by timing %.2f %%\n",
                   100.0 * learned.lost_exploring_s / row.seconds, 100.0 * learned.timing_s / row.seconds);
  }
  return text;
}

std::string json_of(const std::vector<Summary>& passes) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const Summary& pass : passes) {
    nlohmann::ordered_json one{
        {"model", pass.model}, {"pass", pass.what}, {"steps", pass.steps}, {"tokens", pass.tokens}};
    for (const Summary::Row& row : pass.rows) {
      nlohmann::ordered_json mode{{"mode", row.mode},
                                  {"seconds", row.seconds},
                                  {"tokens_per_s", row.tokens_per_s},
                                  {"launch_stalls", row.launches.stalls},
                                  {"longest_launch_s", row.launches.longest_s},
                                  {"replay_stalls", row.replays.stalls},
                                  {"longest_replay_s", row.replays.longest_s},
                                  {"block_seconds", row.block_seconds}};
      if (row.learned)
        mode["learned"] = {{"launches", row.learned->launches},
                           {"keys", row.learned->keys},
                           {"confirmed", row.learned->confirmed},
                           {"explored", row.learned->explored},
                           {"timed", row.learned->timed},
                           {"promotions", row.learned->promotions},
                           {"demotions", row.learned->demotions},
                           {"failures", row.learned->failures},
                           {"lost_exploring_s", row.learned->lost_exploring_s},
                           {"timing_s", row.learned->timing_s}};
      one["modes"].push_back(std::move(mode));
    }
    all.push_back(std::move(one));
  }
  return all.dump(1) + "\n";
}

}  // namespace gpu_serving
