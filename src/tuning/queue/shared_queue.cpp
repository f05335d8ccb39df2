#include "tuning/queue/shared_queue.hpp"

#include <unistd.h>

#include <chrono>
#include <random>
#include <string_view>
#include <utility>

#include <adaptive/error.hpp>

#include "base/device/host_name.hpp"

namespace adaptive::inline v1::tuning {
namespace {

// Names of the other groups on the board.
const std::string shapes_group = "shapes";
const std::string trials_group = "trials";

constexpr std::string_view done = "done ";

std::string made_up_name() {
  std::random_device random;
  return core::host_name() + ":" + std::to_string(::getpid()) + ":" + std::to_string(random());
}

SharedQueueOptions complete(SharedQueueOptions options) {
  if (options.worker.empty()) options.worker = made_up_name();
  options.clock = clock_or_steady(options.clock);
  return options;
}

std::chrono::duration<double> seconds(double count) {
  return std::chrono::duration<double>(count);
}

std::string trials_name(std::size_t shape, std::string_view worker) {
  return std::to_string(shape) + " " + std::string(worker);
}

}  // namespace

SharedQueue::SharedQueue(std::unique_ptr<Board> board, const Plan& plan, std::size_t shapes,
                         SharedQueueOptions options)
    : board_(std::move(board)),
      options_(complete(std::move(options))),
      seen_(shapes, Seen{.text = {}, .since = options_.clock()}) {
  for (const auto& [name, text] : plan)
    if (!board_->replace(plan_group, name, "", text))
      throw Error(ErrorCode::mismatch, "was started with other " + name, board_->name(),
                  "all workers of a queue must have the same settings; use another name for another queue");
  if (options_.heart_beats) heart_ = std::thread([this] { beat_until_the_end(); });
}

SharedQueue::~SharedQueue() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  if (heart_.joinable()) heart_.join();
}

// Repeats `work` if it fails, until a lease would have expired. A restart of the server must not end a run of
// hours.
template <class F>
auto SharedQueue::patiently(const F& work) -> decltype(work()) {
  const double begin = options_.clock();
  while (true) {
    try {
      return work();
    } catch (const Error&) {
      if (options_.clock() - begin >= options_.lease_seconds) throw;
    }
    std::this_thread::sleep_for(seconds(options_.poll_seconds));
  }
}

void SharedQueue::look() {
  const Board::Texts texts = patiently([&] { return board_->read(shapes_group); });
  const double now = options_.clock();
  for (std::size_t shape = 0; shape < seen_.size(); ++shape) {
    const auto at = texts.find(std::to_string(shape));
    const std::string& text = at == texts.end() ? std::string() : at->second;
    if (text != seen_[shape].text) seen_[shape] = {text, now};
  }
}

std::string SharedQueue::held_text(std::uint64_t beats) const {
  return "held " + options_.worker + " " + std::to_string(beats);
}

bool SharedQueue::claim(std::size_t shape) {
  const std::string ours = held_text(++beats_);
  const bool is_ours = patiently(
      [&] { return board_->replace(shapes_group, std::to_string(shape), seen_[shape].text, ours); });
  if (is_ours) held_[shape] = ours;
  return is_ours;
}

Offer SharedQueue::take() {
  const std::lock_guard lock(mutex_);
  look();
  Offer offer{.all_finished = true};
  std::vector<std::size_t> open, lost;
  for (std::size_t shape = 0; shape < seen_.size(); ++shape) {
    if (known_.contains(shape)) continue;  // even if the board has lost its text
    const Seen& seen = seen_[shape];
    const bool is_done = seen.text.starts_with(done);
    if (!is_done) offer.all_finished = false;
    if (held_.contains(shape)) continue;
    if (is_done) {
      const std::string name = trials_name(shape, std::string_view(seen.text).substr(done.size()));
      const std::string text = patiently([&] { return board_->read(trials_group, name); });
      offer.finished.push_back({shape, parse_trials(text, board_->name() + " " + name)});
      known_.insert(shape);
    } else if (seen.text.empty()) {
      open.push_back(shape);
    } else if (options_.clock() - seen.since >= options_.lease_seconds) {
      lost.push_back(shape);
    }
  }
  for (const std::vector<std::size_t>* shapes : {&open, &lost})
    for (const std::size_t shape : *shapes)
      if (!offer.shape && claim(shape)) offer.shape = shape;
  return offer;
}

void SharedQueue::give_back(std::size_t shape) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    const auto held = held_.extract(shape);
    if (!held.empty()) board_->replace(shapes_group, std::to_string(shape), held.mapped(), "");
  } catch (const std::exception&) {
    // The lease will expire by itself.
  }
  changed_.notify_all();
}

bool SharedQueue::finish(std::size_t shape, const std::vector<TrialRow>& rows) {
  const std::lock_guard lock(mutex_);
  const std::string key = std::to_string(shape), ours = std::string(done) + options_.worker;
  const std::string trials = trials_name(shape, options_.worker), text = print_trials(rows);
  held_.erase(shape);
  const bool is_ours = patiently([&] {
    board_->replace(trials_group, trials, board_->read(trials_group, trials), text);
    while (true) {
      const std::string now = board_->read(shapes_group, key);
      if (now.starts_with(done)) return now == ours;
      if (board_->replace(shapes_group, key, now, ours)) return true;
    }
  });
  if (is_ours) known_.insert(shape);
  changed_.notify_all();
  return is_ours;
}

void SharedQueue::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, seconds(options_.poll_seconds));
}

void SharedQueue::beat() noexcept {
  try {
    const std::lock_guard lock(mutex_);
    if (held_.empty()) return;
    const std::string next = held_text(++beats_);
    for (auto& [shape, ours] : held_)
      if (board_->replace(shapes_group, std::to_string(shape), ours, next)) ours = next;
  } catch (const std::exception&) {
    // The next heartbeat may succeed.
  }
}

void SharedQueue::beat_until_the_end() {
  const auto pause = seconds(options_.lease_seconds / 4.0);
  std::unique_lock lock(mutex_);
  auto next = std::chrono::steady_clock::now() + pause;
  while (!ends_) {
    if (changed_.wait_until(lock, next) == std::cv_status::no_timeout) continue;
    lock.unlock();
    beat();
    lock.lock();
    next = std::chrono::steady_clock::now() + pause;
  }
}

}  // namespace adaptive::tuning
