#include "examples/serving/options.hpp"

#include <string>
#include <string_view>

namespace serving {

const char* usage_text() {
  return "usage: serving_demo [options]\n"
         "\n"
         "Serves requests with a small model on this processor, lets adaptive select the variant of every "
         "kernel\n"
         "launch, and compares the kernel time with the default variants, the seed tables and hindsight.\n"
         "\n"
         "  --seconds S    serves for S seconds (default 30); comparing takes up to half of that in "
         "addition\n"
         "  --steps N      serves N steps of the model instead\n"
         "  --quick        uses a smaller model and serves for 3 seconds\n"
         "  --seed N       random seed of the requests and of exploration (default 1)\n"
         "  --rate R       requests per simulated second of the built-in generator\n"
         "  --trace FILE   requests from a CSV file with the columns "
         "TIMESTAMP,ContextTokens,GeneratedTokens\n"
         "  --tables PATH  starts from this table or folder of tables (default: ADAPTIVE_TABLES)\n"
         "  --output FILE  file for the adapted table (default adapted.json)\n"
         "  --json         prints the summary as JSON on stdout\n"
         "  --help         prints this text\n";
}

Options parse_options(int argc, const char* const* argv) {
  Options options;
  bool seconds_given = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--quick")
      options.quick = true;
    else if (option == "--json")
      options.json = true;
    else if (option == "--help" || option == "-h")
      options.help = true;
    else if (option == "--seconds" || option == "--steps" || option == "--seed" || option == "--rate" ||
             option == "--trace" || option == "--tables" || option == "--output") {
      if (++i == argc) throw UsageError(std::string(option) + " needs a value");
      const std::string_view value = argv[i];
      if (option == "--seconds")
        options.seconds = option_number(option, value, 0.1, 86'400.0), seconds_given = true;
      else if (option == "--steps")
        options.steps = option_number<std::uint64_t>(option, value, 1, 1'000'000'000);
      else if (option == "--seed")
        options.seed = option_number<std::uint64_t>(option, value, 0, UINT64_MAX);
      else if (option == "--rate")
        options.requests_per_s = option_number(option, value, 1e-3, 1e6);
      else if (option == "--trace")
        options.trace = value;
      else if (option == "--tables")
        options.tables = value;
      else
        options.output = value;
      if (value.empty()) throw UsageError(std::string(option) + " needs a value");
    } else {
      throw UsageError("unknown option '" + std::string(option) + "'");
    }
  }
  if (seconds_given && options.steps) throw UsageError("--seconds and --steps exclude each other");
  if (options.requests_per_s > 0 && !options.trace.empty())
    throw UsageError("--rate and --trace exclude each other: a trace has its own times");
  if (options.quick && !seconds_given) options.seconds = 3;
  return options;
}

}  // namespace serving
