// Fuzzes the reader of traces: any bytes give keys with positive latencies, or an Error.
#include <cmath>
#include <cstddef>
#include <cstdint>

#include <adaptive/error.hpp>

#include "base/limits.hpp"
#include "table/trace.hpp"
#include "tests/fuzz/fuzzers.hpp"
#include "tests/fuzz/require.hpp"

namespace adaptive::fuzz {

void check_trace(const std::uint8_t* data, std::size_t size) {
  using namespace adaptive::table;
  try {
    const Trace trace = parse_trace({reinterpret_cast<const char*>(data), size}, "input");
    REQUIRE(!trace.keys.empty());
    for (const TraceKey& key : trace.keys) {
      REQUIRE(key.variants.size() == key.latency_ns.size());
      REQUIRE(!key.name().empty());
      for (const auto& latencies : key.latency_ns) {
        REQUIRE(!latencies.empty());
        for (const double latency : latencies) REQUIRE(latency > 0.0 && latency <= limits::latency_ns);
      }
    }
  } catch (const adaptive::Error&) {
  }
}

}  // namespace adaptive::fuzz
