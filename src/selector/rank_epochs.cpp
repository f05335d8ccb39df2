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

  /// Rank 0: the epochs of the job so far. After a new start it continues from what it had written. After a
  /// write that failed the store knows how much of it has arrived.
  EpochDecisions known() {
    if (!decided || unsure) {
      std::optional<EpochDecisions> written = board.read();
      std::vector<std::string> texts;
      for (std::size_t epoch = 0; written && !unsure && epoch < written->begins.size(); ++epoch) {
        const std::string* const text = board.table(epoch);
        if (text == nullptr)
          throw Error(ErrorCode::corrupt, "the store has lost the table of an epoch", name_of(epoch),
                      "begin a new job with another name");
        texts.push_back(*text);
      }
      tables.insert(tables.begin(), texts.begin(), texts.end());
      if (written) decided = std::move(written);
      unsure = false;
    }
    return decided.value_or(EpochDecisions{});
  }

  /// Rank 0: decides about `boundary`, if nothing has been decided about it, and about the boundary after it.
  EpochDecisions decide(std::uint64_t boundary) {
    EpochDecisions next = known();
    // Announced tables begin at the first boundary that no rank can have passed.
    next.begins.resize(tables.size(), decided ? decided->decided + 1 : boundary);
    next.decided = std::max(next.decided, boundary + 1);
    unsure = true;
    board.write(next, tables);
    unsure = false;
    decided = next;
    return next;
  }

  /// Any other rank: waits for the decision about `boundary`.
  EpochDecisions learn(std::uint64_t boundary) {
    const auto begin = std::chrono::steady_clock::now();
    for (auto pause = pause_first;; pause = std::min(2 * pause, pause_max)) {
      std::optional<EpochDecisions> decisions = board.read();
      if (decisions && decisions->decided >= boundary) return *std::move(decisions);
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
      const std::string* const text = options.rank == 0 ? &tables[taken] : board.table(taken);
      if (text == nullptr)
        throw Error(ErrorCode::unavailable, "the store lacks the table of an epoch", name_of(taken));
      table::ReadResult read = table::parse(*text, name_of(taken));
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
  bool unsure = false;                    // rank 0: its latest write may have arrived or not
  std::vector<std::string> tables;        // rank 0: of all epochs, also of those that wait for a decision
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
  impl_->known();
  if (impl_->tables.size() >= epochs_max)
    throw Error(ErrorCode::too_large, "a job has at most " + std::to_string(epochs_max) + " epochs",
                table.string(), "begin a new job with another name");
  std::optional<Selector::Impl::Source> read = impl_->selector.read(table.string());
  const std::lock_guard lock(impl_->selector.mutex);
  const Selector::Impl::Source source = impl_->selector.epoch_source(std::move(read), table.string());
  impl_->tables.push_back(table::print(source.table));
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
