#include "watch/changes.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <utility>

#include <adaptive/error.hpp>
#include "watch/audit_file.hpp"

namespace adaptive::inline v1::watch {
namespace {

// Attempts at the lock before a change is dropped and counted, as for results.
constexpr int add_attempts = 4096;

// Lines that are kept while the file cannot be written.
constexpr std::size_t lines_bytes_max = std::size_t{1} << 20;

// While a thread of a forked child takes the queue over.
constexpr std::uint32_t taking_over = ~std::uint32_t{0};

}  // namespace

Changes::Changes(core::LearningContext& context, AuditOptions audit, ChangeCallback callback)
    : context_(context), audit_(std::move(audit)), callback_(std::move(callback)), work_(new_work()) {
  if (!audit_.file.empty() && audit_.bytes_max < 4096)
    throw Error(ErrorCode::invalid_argument, "audit.bytes_max is less than 4,096", "Selector");
  if (audit_.files_max > 1000)
    throw Error(ErrorCode::invalid_argument, "audit.files_max is more than 1,000", "Selector");
  if (passes_on()) pending_.reserve(pending_max);
}

// Null where memory is short.
std::unique_ptr<Changes::Work> Changes::new_work() noexcept {
  try {
    auto work = std::make_unique<Work>();
    work->notes.reserve(pending_max);
    return work;
  } catch (...) {
    return nullptr;
  }
}

void Changes::add(const core::OperationContext& operation, const Key& key,
                  const core::IncumbentChange& change) noexcept {
  ChangeNote note{.kind = ChangeNote::Kind::incumbent, .epoch = change.epoch, .operation = &operation};
  note.is_disabled = !operation.is_enabled(change.from);
  note.key = key;
  note.change = change;
  push(note);
}

void Changes::add_start() noexcept {
  push({.kind = ChangeNote::Kind::start, .to_mode = context_.mode.load(std::memory_order_relaxed)});
}

void Changes::add_mode(Mode from, Mode to, int by_process) noexcept {
  push({.kind = ChangeNote::Kind::mode, .from_mode = from, .to_mode = to, .by_process = by_process});
}

void Changes::add_tables(std::string_view path) noexcept {
  ChangeNote note{.kind = ChangeNote::Kind::tables};
  const std::size_t room = note.path.size() - 1;
  if (path.size() > room) path.remove_prefix(path.size() - room);
  std::copy(path.begin(), path.end(), note.path.begin());
  push(note);
}

void Changes::push(const ChangeNote& note) noexcept {
  ChangeNote stamped = note;
  stamped.time = context_.now();
  if (stamped.kind != ChangeNote::Kind::incumbent)
    stamped.epoch = context_.epoch.load(std::memory_order_relaxed);
  if (!take_over() || !lock_.lock_for(add_attempts)) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
  } else {
    const std::lock_guard lock(lock_, std::adopt_lock);
    recent_[added_++ % recent_max] = stamped;
    if (!passes_on()) return;
    if (pending_.size() < pending_max)
      pending_.push_back(stamped);
    else
      dropped_.fetch_add(1, std::memory_order_relaxed);
  }
  if (passes_on()) context_.worker.post(*this);
}

// In a forked child, what the parent has not written yet is the parent's to write, and a thread that exists
// in the parent alone may hold the lock. False while another thread is at it.
bool Changes::take_over() noexcept {
  const std::uint32_t now = core::forks();
  std::uint32_t owner = forks_.load(std::memory_order_acquire);
  if (owner == now) return true;
  if (owner == taking_over || !forks_.compare_exchange_strong(owner, taking_over)) return false;
  std::construct_at(&lock_);
  pending_.clear();
  added_ = 0;
  dropped_.store(0, std::memory_order_relaxed);
  forks_.store(now, std::memory_order_release);
  return true;
}

core::Worker::Task::Step Changes::prepare() noexcept {
  if (!work_) work_ = new_work();
  if (!work_ || !take_over() || !lock_.lock_for(add_attempts)) return Step::later;
  {
    const std::lock_guard lock(lock_, std::adopt_lock);
    if (std::exchange(work_forks_, core::forks()) != core::forks()) {
      work_->lines.clear();
      work_->line_count = 0;
      work_->dropped = 0;
    }
    work_->notes.clear();
    std::swap(work_->notes, pending_);
    work_->dropped += dropped_.exchange(0, std::memory_order_relaxed);
  }
  return work_->notes.empty() && work_->dropped == 0 && work_->lines.empty() ? Step::done : Step::work;
}

void Changes::work() noexcept {
  try {
    if (!audit_.file.empty()) make_lines();
  } catch (...) {
    // Memory is short: what has no line yet is lost, and counted.
    ++work_->dropped;
  }
  write_lines();
  if (callback_)
    for (const ChangeNote& note : work_->notes) tell(note);
}

// The parent's thread goes on with what it has taken.
void Changes::abandon() noexcept {
  static_cast<void>(work_.release());
}

void Changes::make_lines() {
  for (const ChangeNote& note : work_->notes) {
    work_->lines += audit_line(note, context_);
    ++work_->line_count;
  }
  if (work_->dropped == 0) return;
  work_->lines += dropped_line(work_->dropped, context_.now());
  ++work_->line_count;
  work_->dropped = 0;
}

void Changes::write_lines() noexcept {
  Work& work = *work_;
  if (work.lines.empty()) return;
  try {
    append(audit_, work.lines);
    work.lines.clear();
    work.line_count = 0;
    work.has_failed = false;
    return;
  } catch (const std::exception& error) {
    if (!std::exchange(work.has_failed, true))
      context_.say(LogLevel::warning, std::string("the audit file ") + error.what(), "audit");
  } catch (...) {
    // It throws nothing else.
  }
  if (work.lines.size() <= lines_bytes_max) return;
  work.dropped += work.line_count;
  work.lines.clear();
  work.line_count = 0;
}

void Changes::tell(const ChangeNote& note) const noexcept {
  if (note.kind != ChangeNote::Kind::incumbent) return;
  try {
    callback_(change_of(note));
  } catch (...) {
    // The program's callback has thrown, against its contract, or memory is short.
  }
}

bool Changes::recent(std::vector<ChangeNote>& notes) {
  notes.reserve(recent_max);
  if (!take_over() || !lock_.lock_for(add_attempts)) return false;
  const std::lock_guard lock(lock_, std::adopt_lock);
  notes.clear();
  const std::uint64_t oldest = added_ - std::min<std::uint64_t>(added_, recent_max);
  for (std::uint64_t i = added_; i > oldest; --i) notes.push_back(recent_[(i - 1) % recent_max]);
  return true;
}

void Changes::flush() noexcept {
  if (prepare() == Step::work) work();
}

}  // namespace adaptive::watch
