// record_family FAMILY [--trace FILE.jsonl] [--table FILE.json] [--rounds N] [--seconds S] [--shapes
// bench|M,N,…;…]
//
// Measures every candidate of a family over its shapes, on the host or on the GPU. All variants of a shape
// run in turn, in a new random order each round. Writes
//   --trace: the measured latencies, one JSON object per line, for `replay` and bench/learning;
//   --table: a seed table with this device's fingerprint.

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <adaptive/adaptive.hpp>

#include "bench/positive_number.hpp"
#include "bench/run_main.hpp"
#include "table/table.hpp"
#include "tuning/measuring/measurement.hpp"
#include "tuning/measuring/targets.hpp"

namespace {

using namespace adaptive;

struct Options {
  std::string family, trace, table, shapes = "bench";
  tuning::MeasureOptions measure;
};

Options parse(const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& option = arguments[i];
    if (!option.starts_with("--")) {
      options.family = option;
      continue;
    }
    if (++i == arguments.size()) throw std::invalid_argument(option + " needs a value");
    if (option == "--trace") {
      options.trace = arguments[i];
    } else if (option == "--table") {
      options.table = arguments[i];
    } else if (option == "--shapes") {
      options.shapes = arguments[i];
    } else if (option == "--rounds") {
      options.measure.rounds = bench::positive_number(option, arguments[i]);
    } else if (option == "--seconds") {
      options.measure.seconds_max = bench::positive_number(option, arguments[i]);
    } else {
      throw std::invalid_argument("unknown: " + option);
    }
  }
  if (options.family.empty()) throw std::invalid_argument("which family?");
  return options;
}

// Parses "1,4096,4096,0;8,4096,4096,0".
std::vector<kernels::Shape> parse_shapes(const std::string& text) {
  std::vector<kernels::Shape> shapes(1);
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    std::int64_t value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc{})
      throw std::invalid_argument("--shapes: \"" + text + "\" is not a list of shapes");
    shapes.back().push_back(value);
    at = next;
    if (at == end) break;
    if (*at == ';') shapes.emplace_back();
    ++at;
  }
  return shapes;
}

std::vector<kernels::Shape> shapes_of(const tuning::Target& target, const std::string& which) {
  std::vector<kernels::Shape> shapes = which == "bench" ? target.bench_shapes() : parse_shapes(which);
  for (const kernels::Shape& shape : shapes)
    if (const auto why = target.why_invalid(shape)) throw std::invalid_argument(target.name() + ": " + *why);
  return shapes;
}

int run(const std::vector<std::string>& arguments) {
  const Options options = parse(arguments);
  const std::unique_ptr<tuning::Target> target =
      tuning::make_target(options.family, tuning::default_device(options.family));
  std::ofstream trace;
  if (!options.trace.empty()) {
    trace.open(options.trace, std::ios::trunc);
    if (!trace) throw std::runtime_error("cannot write " + options.trace);
  }
  table::Table table{.tool = std::string("adaptive ") + library_version,
                     .fingerprint = target->fingerprint()};
  int failed = 0;
  for (const kernels::Shape& shape : shapes_of(*target, options.shapes)) {
    const tuning::Measurement measured = tuning::measure(*target, shape, options.measure);
    for (const tuning::MeasuredVariant& variant : measured.variants) {
      if (variant.status == tuning::TrialStatus::ok) continue;
      ++failed;
      std::fprintf(stderr, "%s, left out: %s of %s%s%s\n", std::string(to_string(variant.status)).c_str(),
                   variant.name.c_str(), kernels::to_string(target->dimensions(), shape).c_str(),
                   variant.detail.empty() ? "" : ": ", variant.detail.c_str());
    }
    if (measured.throttled_rounds > 0)
      std::fprintf(stderr, "%d rounds of %s were throttled and do not count\n", measured.throttled_rounds,
                   kernels::to_string(target->dimensions(), shape).c_str());
    tuning::write_trace(trace, measured);
    tuning::add_to_table(table, measured, static_cast<std::int64_t>(std::time(nullptr)));
  }
  trace.flush();
  if (!options.trace.empty() && !trace) throw std::runtime_error("cannot write " + options.trace);
  if (!options.table.empty()) table::write(table, options.table);
  return failed == 0 ? EXIT_SUCCESS : 1;
}

}  // namespace

int main(int argc, char** argv) {
  return adaptive::bench::run_main("record_family", argc, argv, run);
}
