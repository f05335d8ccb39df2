// Recorded latencies, one JSON object per line.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <adaptive/variant.hpp>

#include "table/table.hpp"

namespace adaptive::inline v1::table {

/// The latencies of one key, by variant. If the recorder interleaved the variants, sample i of each variant
/// was taken in the same round.
struct TraceKey {
  std::string operation = {};
  /// The values by dimension, as written in the file.
  std::map<std::string, Parameter> key = {};
  std::vector<std::string> variants = {};
  std::vector<std::vector<double>> latency_ns = {};  ///< for each variant; never empty, all positive
  std::vector<Parameters> parameters = {};           ///< for each variant; may be shorter if some are unknown

  Parameters parameters_of(std::size_t variant) const {
    return variant < parameters.size() ? parameters[variant] : Parameters{};
  }

  /// "dense_gemm k=4096 m=1 n=4096"
  std::string name() const;
};

struct Trace {
  std::vector<TraceKey> keys = {};
  /// The lines that were left out; each notice's place is "file:line".
  std::vector<Notice> notices = {};
};

/// Reads lines {"op": "...", "key": {"m": 1, ...}, "variant": "...", "latency_us": [...]}. Keys and variants
/// keep the order of the file. A line may have the variant's "parameters", as in tables; other members are
/// ignored. If a key's value is a list of texts (a label set), the value is these texts joined by commas.
/// Latencies of one variant in several lines are joined. A line that is not such an object, or that has a
/// name twice, is left out and gives a notice; after 1,000 notices the other lines are only counted. Throws
/// `Error` if the file cannot be read or has no latencies.
Trace read_trace(const std::filesystem::path& path);
/// Reads a trace from memory; `source` is its name in messages.
Trace parse_trace(std::string_view text, const std::string& source);

}  // namespace adaptive::table
