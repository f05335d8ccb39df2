#include <algorithm>
#include <chrono>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <adaptive/error.hpp>
#include <adaptive/rank_epochs.hpp>

#include "selector/selector.hpp"
#include "selector/world.hpp"
#include "store/epoch_board.hpp"

namespace adaptive::inline v1 {
namespace {

using table::EpochDecisions;

/// Pauses while a rank waits for rank 0: short at first, because rank 0 is usually just writing.
constexpr std::chrono::milliseconds pause_first{1};
constexpr std::chrono::milliseconds pause_max{50};

RankEpochsOptions checked_ranks(RankEpochsOptions options) {
  const auto require = [](bool holds, const char* problem) {
    if (!holds) throw Error(ErrorCode::invalid_argument, problem, "RankEpochs");
  };
  require(options.store != nullptr, "there is no store");
  require(!options.job.empty(), "the job has no name");
  require(options.interval > 0, "interval must be at least 1");
  require(options.patience >= options.patience.zero(), "patience is negative");
  if (options.rank < 0) {
    const std::optional<World> world = world_of_environment();
    options.rank = world ? world->rank : 0;
  }
  return options;
}

}  // namespace

struct RankEpochs::Impl {
  Impl(Selector::Impl& its_selector, RankEpochsOptions its_options)
      : selector(its_selector),
        options(checked_ranks(std::move(its_options))),
        board(options.store, options.job) {
    if (!selector.context.rank_consistent)
      throw Error(ErrorCode::not_allowed_now, "the selector is not rank consistent", "RankEpochs",
                  "set SelectorOptions::rank_consistent");
  }

  std::string name_of(std::size_t epoch) const { return board.name() + "/table-" + std::to_string(epoch); }

  /// Rank 0: what holds from now on, with the decision for `boundary`, and for the boundary after it.
  EpochDecisions decide(std::uint64_t boundary) {
    std::optional<EpochDecisions> known = board.read();
    if (!known && decided) known = decided;  // the store has lost it
    EpochDecisions next = known.value_or(EpochDecisions{});
    // The first boundary that no rank can have passed.
    const std::uint64_t open = known ? known->decided + 1 : boundary;
    std::vector<std::string> all;
    for (std::size_t epoch = 0; epoch < next.begins.size(); ++epoch) {
      const std::string* const text = board.table(epoch);
      if (text == nullptr && epoch >= tables.size())
        throw Error(ErrorCode::corrupt, "the store has lost the table of an epoch", name_of(epoch),
                    "begin a new job with another name");
      all.push_back(text != nullptr ? *text : tables[epoch]);
    }
    for (const std::string& text : announced) {
      all.push_back(text);
      next.begins.push_back(open);
    }
    next.decided = std::max(next.decided, boundary + 1);
    board.write(next, all);
    decided = next;
    tables = std::move(all);
    announced.clear();
    return next;
  }

  /// Any other rank: waits for the decision about `boundary`.
  EpochDecisions learn(std::uint64_t boundary) {
    const auto begin = std::chrono::steady_clock::now();
    for (auto pause = pause_first;; pause = std::min(2 * pause, pause_max)) {
      std::optional<EpochDecisions> known = board.read();
      if (known && known->decided >= boundary) {
        const std::vector<std::uint64_t>& begins = known->begins;
        tables.clear();
        for (std::size_t epoch = 0; epoch < begins.size() && board.table(epoch) != nullptr; ++epoch)
          tables.push_back(*board.table(epoch));
        return *std::move(known);
      }
      if (std::chrono::steady_clock::now() - begin >= options.patience)
        throw Error(ErrorCode::unavailable,
                    "rank 0 has not decided about step " + std::to_string(boundary * options.interval),
                    board.name(), "see whether rank 0 still runs; all ranks need the same job and interval");
      std::this_thread::sleep_for(pause);
    }
  }

  /// Takes up the epochs that begin up to `boundary`. Returns whether there was one.
  bool take_up(const EpochDecisions& decisions, std::uint64_t boundary) {
    bool risen = false;
    while (taken < decisions.begins.size() && decisions.begins[taken] <= boundary) {
      if (taken >= tables.size())
        throw Error(ErrorCode::unavailable, "the store lacks the table of an epoch", name_of(taken));
      table::ReadResult read = table::parse(tables[taken], name_of(taken));
      selector.say(read.notices);
      selector.advance_epoch(selector.usable(name_of(taken), std::move(read.table)), name_of(taken));
      ++taken;
      risen = true;
    }
    return risen;
  }

  Selector::Impl& selector;
  RankEpochsOptions options;
  table::EpochBoard board;
  std::optional<EpochDecisions> decided;  // rank 0: what it has written
  std::vector<std::string> tables;        // of all epochs decided on, as far as they are known
  std::vector<std::string> announced;     // rank 0: tables that wait for a decision
  std::size_t taken = 0;                  // epochs that the selector has taken up
};

RankEpochs::RankEpochs(Selector& selector, RankEpochsOptions options)
    : impl_(std::make_unique<Impl>(*selector.impl_, std::move(options))) {}

RankEpochs::~RankEpochs() = default;

int RankEpochs::rank() const noexcept {
  return impl_->options.rank;
}

void RankEpochs::announce(const std::filesystem::path& table) {
  if (impl_->options.rank != 0)
    throw Error(ErrorCode::not_allowed_now,
                "rank " + std::to_string(impl_->options.rank) + " may not announce a table", table.string(),
                "let rank 0 do so");
  if (impl_->tables.size() + impl_->announced.size() >= epochs_max)
    throw Error(ErrorCode::too_large, "a job has at most " + std::to_string(epochs_max) + " epochs",
                table.string(), "begin a new job with another name");
  std::optional<Selector::Impl::Source> read = impl_->selector.read(table.string());
  const std::lock_guard lock(impl_->selector.mutex);
  const Selector::Impl::Source source = impl_->selector.epoch_source(std::move(read), table.string());
  impl_->announced.push_back(table::print(source.table));
}

bool RankEpochs::begin_boundary(std::uint64_t number) {
  if (number < boundary_)
    throw Error(
        ErrorCode::invalid_argument,
        "step " + std::to_string(number) + " is before the boundary at step " + std::to_string(boundary_),
        "RankEpochs::step", "after a return to a checkpoint make a new selector");
  const std::uint64_t interval = impl_->options.interval;
  const std::uint64_t boundary = number / interval;
  const EpochDecisions decisions =
      impl_->options.rank == 0 ? impl_->decide(boundary) : impl_->learn(boundary);
  const bool risen = impl_->take_up(decisions, boundary);
  boundary_ = boundary * interval;
  next_boundary_ = boundary_ > std::numeric_limits<std::uint64_t>::max() - interval
                       ? std::numeric_limits<std::uint64_t>::max()
                       : boundary_ + interval;
  return risen;
}

}  // namespace adaptive
