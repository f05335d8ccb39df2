#include "examples/gpu_serving/options.hpp"

#include <string>
#include <string_view>

namespace gpu_serving {

using serving::option_number;

const char* usage_text() {
  return "usage: gpu_serving_demo [options]\n"
         "\n"
         "Serves requests on a GPU with the matrix products and the attention of real models and compares, "
         "in\n"
         "one run and in turns, the first choices, one good variant of each family, the seed tables, "
         "adaptive selection "
         "without\n"
         "and with a table of its own, and the best in hindsight.\n"
         "\n"
         "  --model NAME   a preset of the tool or a config.json; may be repeated (default: llama-3-8b and\n"
         "                 qwen3-30b-a3b)\n"
         "  --seconds S    serves each model for S seconds, all modes together, and then again with the "
         "table\n"
         "                 of the first time (default 40)\n"
         "  --steps N      at most N steps of the engine each time (default 600)\n"
         "  --rate R       requests per simulated second of the built-in generator (default 40)\n"
         "  --trace FILE   requests from a CSV file with the columns "
         "TIMESTAMP,ContextTokens,GeneratedTokens\n"
         "  --tables PATH  the seed tables (default: where programs find them)\n"
         "  --output NAME  the adapted tables are NAME-MODEL.json (default adapted)\n"
         "  --seed N       random seed of the requests and of exploration (default 1)\n"
         "  --quick        few steps of a few layers: shows that everything works, not how fast it is\n"
         "  --json         prints the result as JSON\n"
         "  --help         prints this text\n";
}

Options parse_options(int argc, const char* const* argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--quick") {
      options.quick = true;
    } else if (option == "--json") {
      options.json = true;
    } else if (option == "--help" || option == "-h") {
      options.help = true;
    } else if (option == "--model" || option == "--seconds" || option == "--steps" || option == "--rate" ||
               option == "--trace" || option == "--tables" || option == "--output" || option == "--seed") {
      if (++i == argc || *argv[i] == '\0') throw UsageError(std::string(option) + " needs a value");
      const std::string_view value = argv[i];
      if (option == "--model")
        options.models.emplace_back(value);
      else if (option == "--seconds")
        options.seconds = option_number(option, value, 0.1, 86'400.0);
      else if (option == "--steps")
        options.steps = option_number<std::size_t>(option, value, 1, 1'000'000);
      else if (option == "--rate")
        options.requests_per_s = option_number(option, value, 1e-3, 1e6);
      else if (option == "--trace")
        options.trace = value;
      else if (option == "--tables")
        options.tables = value;
      else if (option == "--output")
        options.output = value;
      else
        options.seed = option_number<std::uint64_t>(option, value, 0, UINT64_MAX);
    } else {
      throw UsageError("unknown option '" + std::string(option) + "'");
    }
  }
  if (options.models.empty()) options.models = {"llama-3-8b", "qwen3-30b-a3b"};
  return options;
}

}  // namespace gpu_serving
