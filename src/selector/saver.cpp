#include <adaptive/saver.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "base/limits.hpp"
#include "base/wakeup.hpp"
#include "selector/selector.hpp"
#include "store/exchange.hpp"

namespace adaptive::inline v1 {
namespace {

SaverOptions checked(SaverOptions options) {
  if (options.path.empty() && options.store == nullptr)
    throw Error(ErrorCode::invalid_argument, "there is neither a path nor a store", "Saver");
  constexpr std::chrono::hours interval_max{24 * 365};
  if (options.interval <= options.interval.zero() || options.interval > interval_max)
    throw Error(ErrorCode::invalid_argument, "the interval is not between 1 ms and a year", "Saver");
  return options;
}

}  // namespace

struct Saver::Impl {
  Impl(Selector& of, Selector::Impl& its, SaverOptions saver_options)
      : selector(of), insides(its), options(checked(std::move(saver_options))) {
    if (options.store) {
      const std::lock_guard lock(insides.mutex);
      exchange.emplace(options.store, insides.writer());
    }
    thread = std::thread([this] { run(); });
  }

  ~Impl() {
    stopped = true;
    wakeup.post();
    thread.join();
  }

  void run() noexcept {
    bool last = false;
    while (!last) {
      const bool asked = wakeup.wait(options.interval);
      // Must be read before the round: a round that began before the end was announced may have missed recent
      // results, so another round follows.
      last = stopped;
      if (exchange && is_exchange_due(asked || last)) run_exchange();
      if (!options.path.empty()) save_if_changed();
    }
  }

  // While the store cannot be reached, most intervals pass without an attempt. A request of the program and
  // the end of the saver always make one.
  bool is_exchange_due(bool insisted) noexcept {
    if (insisted || exchanges_to_skip == 0) return true;
    --exchanges_to_skip;
    return false;
  }

  void run_exchange() noexcept {
    try {
      const table::Table learned = insides.learned();
      std::vector<table::Notice> notices = table::unprintable(learned);
      insides.adopt(exchange->store().name(), exchange->run(learned, notices));
      say_new(notices);
      if (std::exchange(outage, 0) > 0)
        insides.context.say(LogLevel::info, exchange->store().name() + ": can be reached again");
      const std::lock_guard lock(mutex);
      ++status.exchanged;
    } catch (const std::exception& e) {
      if (outage == 0)
        insides.context.say(LogLevel::warning, std::string("measurements are not shared: ") + e.what());
      constexpr unsigned outage_max = 5;
      exchanges_to_skip = (1u << outage) - 1;
      outage = std::min(outage + 1, outage_max);
      const std::lock_guard lock(mutex);
      ++status.exchanges_failed;
    }
  }

  // Reports each problem of a record once, since it would otherwise be reported in every round.
  void say_new(const std::vector<table::Notice>& notices) {
    for (const table::Notice& notice : notices)
      if (said.size() < table::limits::notices && said.insert(notice.where).second)
        insides.context.say(notice.level,
                            exchange->store().name() + ": " + notice.where + ": " + notice.what);
  }

  void save_if_changed() noexcept {
    const std::uint64_t measured = insides.measured();
    {
      const std::lock_guard lock(mutex);
      if (measured == measured_before) {
        ++status.unchanged;
        return;
      }
    }
    try {
      save();
    } catch (const std::exception& e) {
      insides.context.say(LogLevel::warning, std::string("the table was not saved: ") + e.what());
    }
  }

  void save() {
    if (options.path.empty()) throw Error(ErrorCode::not_allowed_now, "there is no path to save to", "Saver");
    const std::uint64_t measured = insides.measured();
    try {
      selector.save(options.path);
    } catch (const std::exception& e) {
      const std::lock_guard lock(mutex);
      ++status.failed;
      status.error = e.what();
      throw;
    }
    const std::lock_guard lock(mutex);
    ++status.saved;
    status.error.clear();
    measured_before = measured;
  }

  Selector& selector;
  Selector::Impl& insides;
  const SaverOptions options;
  // Used only by the thread.
  std::optional<table::Exchange> exchange;
  unsigned outage = 0;  // number of consecutive failures, up to a limit
  unsigned exchanges_to_skip = 0;
  std::set<std::string> said;
  Wakeup wakeup;
  std::atomic<bool> stopped = false;
  mutable std::mutex mutex;  // guards the next two members
  Status status;
  std::uint64_t measured_before = 0;
  std::thread thread;
};

Saver::Saver(Selector& selector, SaverOptions options)
    : impl_(std::make_unique<Impl>(selector, *selector.impl_, std::move(options))) {}
Saver::~Saver() = default;

void Saver::request() noexcept {
  impl_->wakeup.post();
}

void Saver::save() {
  impl_->save();
}

Saver::Status Saver::status() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->status;
}

}  // namespace adaptive
