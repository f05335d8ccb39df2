// Ranks of a job in one process, each with a selector of its own. They never wait.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include <adaptive/adaptive.hpp>
#include "tests/selector/support.hpp"

namespace adaptive::test {

struct RankOfAJob {
  RankOfAJob(const std::shared_ptr<Store>& store, int number, std::uint64_t interval = 10) {
    SelectorOptions its = options();
    its.rank_consistent = true;
    its.seed = static_cast<std::uint64_t>(number);
    selector = std::make_unique<Selector>(its);
    op = &selector->define(operation({"a", "b", "c"}));
    epochs = std::make_unique<RankEpochs>(
        *selector, RankEpochsOptions{
                       .store = store, .job = "job", .rank = number, .interval = interval, .patience = {}});
  }
  std::uint32_t choice() const { return op->select({64}).variant(); }

  std::unique_ptr<Selector> selector;
  Operation* op = nullptr;
  std::unique_ptr<RankEpochs> epochs;
};

/// Writes a table to the folder in which `variant` is the fastest, and returns its path.
inline std::filesystem::path table_of_a_job(const std::filesystem::path& folder, std::uint32_t variant) {
  const std::filesystem::path path = folder / ("table" + std::to_string(variant) + ".json");
  std::vector<double> ns(3, 300.0);
  ns[variant] = 100.0;
  Selector tuner(options());
  learn(tuner.define(operation({"a", "b", "c"})), {64}, ns);
  tuner.save(path);
  return path;
}

}  // namespace adaptive::test
