#include "options.hpp"

#include <charconv>

namespace adaptive::loop_bench {
namespace {

int number(const std::string& option, const std::string& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 1)
    throw UsageError(option + ": \"" + text + "\" is not a positive number");
  return value;
}

cuda::Timing timing(const std::string& text) {
  if (text == "events") return cuda::Timing::events;
  if (text == "cupti") return cuda::Timing::cupti;
  throw UsageError("--timing: \"" + text + "\" is neither events nor cupti");
}

}  // namespace

Options parse(const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& option = arguments[i];
    if (option == "--per-shape") {
      options.per_shape = true;
      continue;
    }
    if (option == "--breakdown") {
      options.breakdown = true;
      continue;
    }
    if (option == "--graph") {
      options.graph = true;
      continue;
    }
    if (option == "--unrationed") {
      options.ration = false;
      continue;
    }
    if (i + 1 == arguments.size()) throw UsageError(option + ": unknown option, or its value is missing");
    const std::string& value = arguments[++i];
    if (option == "--steps") {
      options.steps = number(option, value);
    } else if (option == "--rounds") {
      options.rounds = number(option, value);
    } else if (option == "--calibration") {
      options.calibration = number(option, value);
    } else if (option == "--shapes") {
      options.shapes = number(option, value);
    } else if (option == "--ahead") {
      options.ahead = number(option, value);
    } else if (option == "--looks") {
      options.replays.looks_max = static_cast<std::size_t>(number(option, value));
    } else if (option == "--executables") {
      options.replays.executables_max = static_cast<std::size_t>(number(option, value));
    } else if (option == "--timing") {
      options.timing = timing(value);
    } else if (option == "--seeds") {
      options.seeds = value;
    } else if (option == "--policy") {
      options.policy = value;
    } else if (option == "--json") {
      options.json = value;
    } else {
      throw UsageError("unknown option: " + option);
    }
  }
  return options;
}

}  // namespace adaptive::loop_bench
