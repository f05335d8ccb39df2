// The tables that runs start from and leave behind.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include <adaptive/selector.hpp>
#include "replay/runner.hpp"

namespace adaptive::inline v1::replay {

/// Options of a selector on the simulated device that takes nothing from outside, so that a run repeats.
SelectorOptions quiet_selector(std::string device, std::uint64_t seed);

/// Writes what `seeds` says of all keys of the program, as an offline measurement would. The environments
/// have been started.
void write_seed_table(const Program& program, const SeedTable& seeds, std::uint64_t seed,
                      const std::filesystem::path& path);

/// The incumbents that the table of a selector names if it is saved now, by operation and key.
std::map<std::string, std::map<Key, std::string>> kept_incumbents(const Selector& selector);

}  // namespace adaptive::replay
