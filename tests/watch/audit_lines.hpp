// Reads audit files in tests.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace adaptive::test {

inline std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

/// The lines of an audit file; with `event`, only those of that event.
inline std::vector<nlohmann::json> events_of(const std::filesystem::path& path,
                                             const std::string& event = {}) {
  std::vector<nlohmann::json> events;
  for (const std::string& line : lines_of(path)) {
    nlohmann::json parsed = nlohmann::json::parse(line);
    if (event.empty() || parsed.at("event") == event) events.push_back(std::move(parsed));
  }
  return events;
}

}  // namespace adaptive::test
