// Recorded latencies: one JSON object a line.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <adaptive/variant.hpp>

#include "table/table.hpp"

namespace adaptive::table {

/// One key of a trace: latencies by variant. Where the recorder interleaved the variants, sample i of each is
/// of the same round.
struct TraceKey {
  std::string operation = {};
  /// The values by dimension, as they stand in the file.
  std::map<std::string, Parameter> key = {};
  std::vector<std::string> variants = {};
  std::vector<std::vector<double>> latency_ns = {};  ///< of each variant, never empty, all positive
  std::vector<Parameters> parameters = {};           ///< of each variant as far as known: may be shorter

  Parameters parameters_of(std::size_t variant) const {
    return variant < parameters.size() ? parameters[variant] : Parameters{};
  }

  /// "dense_gemm k=4096 m=1 n=4096"
  std::string name() const;
};

struct Trace {
  std::vector<TraceKey> keys = {};
  /// The lines that were left out, "file:line" each.
  std::vector<Notice> notices = {};
};

/// Reads lines {"op": "...", "key": {"m": 1, ...}, "variant": "...", "latency_us": [...]}, keys and variants
/// in the order of the file. A line may have the variant's "parameters", as tables have; other members are
/// ignored. A key's value may be a list of texts, a label set, and is then their names with commas. Latencies
/// of one variant in several lines are joined. A line that is not such an object, or has a name twice, is
/// left out and noted, the first 1,000 of them with their reason. Throws `Error` where the file cannot be
/// read or has no latencies at all.
Trace read_trace(const std::filesystem::path& path);
/// The same from memory; `source` names it in messages.
Trace parse_trace(std::string_view text, const std::string& source);

}  // namespace adaptive::table
