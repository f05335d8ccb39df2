// Runs record, save, load, merge, reset, fork and restart in any order. A table must contain each result of
// every writer that it keeps exactly once, and no result that was reset.
//
// Every step is done twice, by the library and by a model made of maps. After each step the written files are
// compared with the model.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "table/merging/merge.hpp"
#include "table/merging/ownership.hpp"
#include "table/table.hpp"
#include "tests/base/properties.hpp"
#include "tests/selector/scratch_folder.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

const bool same_sequences = test::same_inputs(500);

constexpr std::size_t writers_kept = 3;
constexpr std::size_t runs_max = 3;
constexpr std::size_t files = 3;
const std::vector<Key> keys = {{64}, {4096}};

// A number from 0 to n - 1. RapidCheck keeps its first sequences small; here all numbers are equally likely
// from the start.
template <class Number>
Number any_of(Number n) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<Number>(0, n));
}

// The results of one writer for one key.
struct State {
  std::uint64_t generation = 0;
  std::map<std::uint32_t, std::uint64_t> counts = {};  // by variant

  std::uint64_t results() const {
    std::uint64_t sum = 0;
    for (const auto& [variant, count] : counts) sum += count;
    return sum;
  }
  friend bool operator==(const State&, const State&) = default;
};
using Writers = std::map<std::string, State>;
using Model = std::map<Key, Writers>;

void join(Model& into, const Model& from) {
  for (const auto& [key, writers] : from)
    for (const auto& [writer, state] : writers) {
      State& mine = into[key][writer];
      if (std::pair(mine.generation, mine.results()) < std::pair(state.generation, state.results()))
        mine = state;
    }
}

void cut(Model& model, const std::string& own = {}) {
  for (auto& [key, writers] : model) {
    const std::size_t most = writers_kept + (writers.contains(own) ? 1 : 0);
    while (writers.size() > most) {
      auto least = writers.begin();
      if (least->first == own) ++least;
      writers.erase(least);
    }
  }
}

// The latency identifies the writer and the generation of a result.
double latency_ns(const std::string& writer, std::uint64_t generation) {
  return 1000.0 + 10.0 * static_cast<double>(std::stoul(writer.substr(1))) + static_cast<double>(generation);
}

struct Run {
  std::string writer;
  std::unique_ptr<Selector> selector;
  Operation* operation = nullptr;
  Model tables = {};  // of the tables that were loaded
  Model own = {};

  Model saved(const Model& file) const {
    Model result = tables;
    join(result, file);
    Model known = own;
    for (auto& [key, writers] : known)
      std::erase_if(writers,
                    [](const auto& w) { return w.second.results() == 0 && w.second.generation == 0; });
    join(result, known);
    std::erase_if(result, [](const auto& entry) { return entry.second.empty(); });
    cut(result, writer);
    return result;
  }
};

class World {
 public:
  void step() {
    switch (any_of<int>(12)) {
      case 0:
        return start();
      case 1:
        return restart();
      case 2:
        return reset();
      case 3:
      case 4:
        return load();
      case 5:
        return merge();
      case 6:
      case 7:
      case 8:
        return save();
      default:
        return record();
    }
  }

  // Every run saves, and then all tables are merged in a random order.
  void finish() {
    for (Run& run : runs_) save(run, any_of<std::size_t>(files));
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < files; ++i)
      if (models_.contains(i)) order.push_back(i);
    if (order.empty()) return;
    std::vector<std::size_t> shuffled = order;
    for (std::size_t i = shuffled.size(); i > 1; --i)
      std::swap(shuffled[i - 1], shuffled[any_of<std::size_t>(i)]);
    const table::Table one = joined(order), other = joined(shuffled);
    RC_ASSERT(one.operations == other.operations);
    Model expected;
    for (const std::size_t i : order) join(expected, models_.at(i));
    cut(expected);
    compare(one, expected);
  }

 private:
  Run& any_run() {
    if (runs_.empty()) start();
    return runs_[any_of<std::size_t>(runs_.size())];
  }
  std::filesystem::path path(std::size_t file) const {
    return folder_ / ("t" + std::to_string(file) + ".json");
  }
  Key any_key() const { return keys[any_of<std::size_t>(keys.size())]; }

  void start() {
    if (runs_.size() == runs_max) return;
    Run run;
    // The order of names is not the order of time, so any writer may be cut.
    do {
      run.writer = "w" + std::to_string(100 + any_of<int>(900));
    } while (!names_.insert(run.writer).second);
    SelectorOptions options = test::options();
    options.writer = run.writer;
    run.selector = std::make_unique<Selector>(options);
    run.operation = &run.selector->define(test::operation({"a", "b"}));
    runs_.push_back(std::move(run));
  }

  // The process ends, with or without a save, and another process starts from a table.
  void restart() {
    if (runs_.empty()) return;
    runs_.erase(runs_.begin() + static_cast<std::ptrdiff_t>(any_of<std::size_t>(runs_.size())));
    start();
    load(runs_.back(), any_of<std::size_t>(files));
  }

  void record() {
    Run& run = any_run();
    const Key key = any_key();
    const auto variant = static_cast<std::uint32_t>(any_of<int>(2));
    State& state = run.own[key][run.writer];
    for (int n = 1 + any_of<int>(3); n > 0; --n) {
      run.operation->record(key, variant, Latency(latency_ns(run.writer, state.generation)));
      ++state.counts[variant];
    }
  }

  void reset() {
    Run& run = any_run();
    const Key key = any_key();
    const bool all = *rc::gen::arbitrary<bool>();
    if (all)
      run.operation->reset();
    else
      run.operation->reset(key);
    for (auto& [of, writers] : run.own)
      for (auto& [writer, state] : writers)
        if ((all || of == key) && state.results() > 0) state = {state.generation + 1, {}};
  }

  void load() { load(any_run(), any_of<std::size_t>(files)); }
  void load(Run& run, std::size_t file) {
    if (!models_.contains(file)) return;
    run.selector->load(path(file));
    join(run.tables, models_.at(file));
  }

  void save() { save(any_run(), any_of<std::size_t>(files)); }
  void save(Run& run, std::size_t file) {
    run.selector->save(path(file));
    models_[file] = run.saved(models_[file]);
    compare(table::read(path(file)).table, models_[file]);
  }

  void merge() {
    const auto from = any_of<std::size_t>(files), into = any_of<std::size_t>(files);
    if (!models_.contains(from) || !models_.contains(into)) return;
    table::Table table = table::read(path(into)).table;
    table::merge(table, table::read(path(from)).table);
    table::write(table, path(into));
    // A merge cuts only the entries that it changes.
    Model& model = models_.at(into);
    Model other = models_.at(from);
    for (auto& [key, writers] : model)
      if (!other.contains(key)) other[key];
    Model result;
    for (auto& [key, writers] : other) {
      Model one = {{key, model[key]}};
      join(one, {{key, writers}});
      if (models_.at(from).contains(key)) cut(one);
      if (!one[key].empty()) result[key] = one[key];
    }
    model = result;
    compare(table, model);
  }

  table::Table joined(const std::vector<std::size_t>& order) const {
    table::Table all;
    all.fingerprint = test::options().device;
    for (const std::size_t file : order) table::merge(all, table::read(path(file)).table);
    return all;
  }

  static void compare(const table::Table& table, const Model& model) {
    Model found;
    const auto op = table.operations.find("op");
    if (op != table.operations.end())
      for (const auto& [key, entry] : op->second.entries) {
        for (const auto& [writer, generation] : entry.generations) found[key][writer].generation = generation;
        std::uint32_t variant = 0;
        for (const auto& [name, parameters] : op->second.variants) {
          const auto record = entry.variants.find(name);
          if (record != entry.variants.end()) {
            std::uint64_t sum = 0;
            for (const table::WriterShare& share : record->second.shares) {
              State& state = found[key][share.writer];
              state.counts[variant] = share.statistics.count;
              const double latency = latency_ns(share.writer, state.generation);
              RC_ASSERT(std::abs(share.statistics.mean_ns - latency) < 1e-6);
              RC_ASSERT(std::abs(share.statistics.location_ns - latency) < 1e-6);
              sum += share.statistics.count;
            }
            RC_ASSERT(record->second.count == sum);
          }
          ++variant;
        }
        // Only a writer with results has an incumbent.
        if (!entry.chosen_by.empty()) RC_ASSERT(found[key].contains(entry.chosen_by));
        for (const auto& [writer, claim] : entry.claims) RC_ASSERT(found[key].contains(writer));
      }
    if (found != model) RC_FAIL("the table is not what its writers have measured:\n" + table::print(table));
  }

  const table::WritersMax few_{writers_kept};
  const test::ScratchFolder folder_{
      test::memory_folder()};  // in memory, because the test saves thousands of times
  std::set<std::string> names_;
  std::vector<Run> runs_;
  std::map<std::size_t, Model> models_;  // by file
};

RC_GTEST_PROP(OwnershipProperties, EachResultOfAKeptWriterIsThereOnce, ()) {
  World world;
  for (int steps = 5 + any_of<int>(35); steps > 0; --steps) world.step();
  world.finish();
}

}  // namespace
}  // namespace adaptive
