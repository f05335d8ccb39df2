#include "report.hpp"

#include <cstdio>

namespace adaptive::learning_bench {
namespace {

using replay::Mean;
using replay::Summary;

std::string format(const char* how, double value) {
  char text[64];
  std::snprintf(text, sizeof text, how, value);
  return text;
}

}  // namespace

std::string percent(const Mean& share) {
  return format("%.3f", 100.0 * share.mean()) + " ± " + format("%.3f", 100.0 * share.confidence());
}

std::string head(const std::vector<std::size_t>& checkpoints, bool reaction) {
  std::string names = "| policy |";
  std::string rule = "|---|";
  const auto column = [&](const std::string& name) {
    names += " " + name + " |";
    rule += "---|";
  };
  for (const std::size_t calls : checkpoints) column("overhead %, " + std::to_string(calls) + " calls");
  column("realized %");
  column("wrong / runs");
  column("promotions");
  column("timed %");
  if (reaction) column("reaction, calls: mean, 95 % (never)");
  if (reaction) column("timed: median, 95 %");
  return names + "\n" + rule + "\n";
}

std::string line(const std::string& policy, const Summary& summary, bool reaction) {
  std::string text = "| " + policy + " |";
  for (const Mean& overhead : summary.overhead) text += " " + percent(overhead) + " |";
  text += " " + percent(summary.realized) + " |";
  text += " " + std::to_string(summary.wrong) + " / " + std::to_string(summary.runs) + " |";
  text += " " + format("%.2f", summary.promotions.mean()) + " |";
  text += " " + percent(summary.timed) + " |";
  if (!reaction) return text + "\n";
  const std::string never = " (" + std::to_string(summary.unreacted) + ") |";
  if (summary.reaction.count() == 0) return text + " –" + never + " – |\n";
  text += " " + format("%.0f", summary.reaction.mean()) + ", " +
          format("%.0f", summary.reaction_calls.quantile(0.95)) + never;
  text += " " + format("%.0f", summary.reaction_timed.quantile(0.5)) + ", " +
          format("%.0f", summary.reaction_timed.quantile(0.95)) + " |";
  return text + "\n";
}

}  // namespace adaptive::learning_bench
