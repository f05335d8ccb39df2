#include "options.hpp"

#include <charconv>

#include "peers.hpp"

namespace adaptive::learning_bench {
namespace {

template <class Number>
Number number(const std::string& option, const std::string& text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    throw UsageError(option + ": \"" + text + "\" is not a number in the permitted range");
  return value;
}

replay::Recorded::Order order(const std::string& text) {
  if (text == "random") return replay::Recorded::Order::random;
  if (text == "recorded") return replay::Recorded::Order::recorded;
  throw UsageError("--order: \"" + text + "\" is neither random nor recorded");
}

replay::Recorded::Truth truth(const std::string& text) {
  if (text == "mean") return replay::Recorded::Truth::mean;
  if (text == "trimmed") return replay::Recorded::Truth::trimmed;
  throw UsageError("--truth: \"" + text + "\" is neither mean nor trimmed");
}

}  // namespace

Options parse(const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& option = arguments[i];
    if (option == "--help" || option == "-h") {
      options.help = true;
      continue;
    }
    if (option == "--bound") {
      options.bound = true;
      continue;
    }
    if (option == "--per-key") {
      options.per_key = true;
      continue;
    }
    if (option == "--no-parameters") {
      options.parameters = false;
      continue;
    }
    const auto value = [&]() -> const std::string& {
      if (++i == arguments.size()) throw UsageError(option + " needs a value");
      return arguments[i];
    };
    if (option == "--policy") {
      options.policies.push_back(value());
    } else if (option == "--scenario") {
      options.scenario = value();
    } else if (option == "--trace") {
      options.trace = value();
    } else if (option == "--order") {
      options.order = order(value());
    } else if (option == "--truth") {
      options.truth = truth(value());
    } else if (option == "--calls") {
      options.calls = number<std::size_t>(option, value());
    } else if (option == "--runs") {
      options.runs = number<std::size_t>(option, value());
    } else if (option == "--seed") {
      options.seed = number<std::uint64_t>(option, value());
    } else if (option == "--budget") {
      options.budget = number<double>(option, value());
    } else if (option == "--timing-cost-us") {
      options.timing_cost_us = number<double>(option, value());
    } else {
      throw UsageError("unknown option: " + option);
    }
  }
  if (options.calls == 0) throw UsageError("--calls must be at least 1");
  return options;
}

std::string usage() {
  std::string text =
      "compare [--runs N] [--seed S] [--calls N] [--policy NAME]... [--budget SHARE]\n"
      "        [--no-parameters]\n"
      "        [--scenario NAME | --trace FILE.jsonl [--order random|recorded]\n"
      "                         [--truth mean|trimmed] [--bound] [--per-key]]\n"
      "\n"
      "Runs every policy on the same draws and prints a table in Markdown. Overhead is the extra true\n"
      "latency compared with always running the best variant; figures after ± are 95 % confidence intervals\n"
      "over the runs.\n"
      "\n"
      "  --runs      number of runs of every scenario (default 200) or of every key of the trace\n"
      "              (default 20)\n"
      "  --policy    a policy to run; may be repeated; default: all\n"
      "  --budget    LearningOptions::exploration_budget (1: no limit)\n"
      "  --no-parameters   switches LearningOptions::parameter_model off\n"
      "  --timing-cost-us  cost of every timed call in µs; the selector knows it (default 0)\n"
      "  --trace     draws from recorded latencies, given as lines\n"
      "              {\"op\",\"key\",\"variant\",\"latency_us\":[...]}\n"
      "  --order     draws the rounds of the recording at random, or in the recorded order\n"
      "  --truth     judges variants by the mean of their samples (default), or by their mean without the\n"
      "              slowest tenth\n"
      "  --bound     also runs policies that are told what no real policy can know: all later latencies;\n"
      "              the key's latencies but not their variants; the noise and the number of calls\n"
      "  --per-key   prints a line for every key as well\n"
      "\n"
      "Policies: those of policies/, and replayed models of other systems and of textbook algorithms:\n";
  for (const Peer& peer : peers())
    text += "  " + std::string(peer.name) + ": " + std::string(peer.model) + "\n";
  return text;
}

}  // namespace adaptive::learning_bench
