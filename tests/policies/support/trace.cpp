#include "tests/policies/support/trace.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <numeric>

#include <nlohmann/json.hpp>

#include <adaptive/error.hpp>

namespace adaptive::simulation {
namespace {

void add_line(const nlohmann::json& line, std::vector<RecordedKey>& keys,
              std::map<std::string, std::size_t>& known) {
  const std::string name = line.at("op").get<std::string>() + " " + line.at("key").dump();
  const auto [at, added] = known.emplace(name, keys.size());
  if (added) keys.push_back({name, {}, {}});
  std::vector<double> latencies = line.at("latency_us").get<std::vector<double>>();
  if (latencies.empty()) throw std::invalid_argument("latency_us is empty");
  for (double& x : latencies) {
    if (!(x > 0.0) || !std::isfinite(x)) throw std::invalid_argument("latency_us must be positive");
    x *= 1000.0;
  }
  keys[at->second].variants.push_back(line.at("variant").get<std::string>());
  keys[at->second].latency_ns.push_back(std::move(latencies));
}

}  // namespace

std::vector<RecordedKey> read_trace(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw Error("cannot be read", path.string());
  std::vector<RecordedKey> keys;
  std::map<std::string, std::size_t> known;
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    if (line.empty()) continue;
    try {
      add_line(nlohmann::json::parse(line), keys, known);
    } catch (const std::exception& e) {
      throw Error(e.what(), path.string() + ":" + std::to_string(number));
    }
  }
  if (keys.empty()) throw Error("has no latencies", path.string());
  return keys;
}

Recorded::Recorded(const RecordedKey& key, Order order)
    : key_(key), order_(order), rounds_(std::numeric_limits<std::size_t>::max()) {
  std::vector<double> means;
  for (const std::vector<double>& latencies : key.latency_ns) {
    rounds_ = std::min(rounds_, latencies.size());
    means.push_back(std::accumulate(latencies.begin(), latencies.end(), 0.0) /
                    static_cast<double>(latencies.size()));
  }
  set_means(std::move(means));
}

void Recorded::restart(std::uint64_t seed) {
  random_ = Random(seed);
  round_ = random_.below(static_cast<std::uint32_t>(rounds_));
}

void Recorded::advance() {
  if (order_ == Order::random)
    round_ = random_.below(static_cast<std::uint32_t>(rounds_));
  else if (++round_ == rounds_)
    round_ = 0;
}

}  // namespace adaptive::simulation
