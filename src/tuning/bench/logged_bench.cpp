#include "tuning/bench/logged_bench.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <adaptive/error.hpp>

namespace adaptive::inline v1::tuning {
namespace {

constexpr const char* listing = "candidate";
constexpr const char* whole_shape = "shape";
constexpr std::string_view confirmation = "confirm";

// The fields that every line of the list repeats: the number of candidates, because a killed process may have
// cut the list off, and the bytes and operations of one launch.
struct Listing {
  std::size_t size = 0;
  double bytes = 0.0;
  double operations = 0.0;
  unsigned long long memory = 0;  // of the candidate of the row

  std::string text() const {
    char text[128];
    std::snprintf(text, sizeof text, "%zu candidates; %.17g bytes; %.17g operations; %llu bytes of memory",
                  size, bytes, operations, memory);
    return text;
  }
  static Listing parse(const std::string& text) {
    Listing listed;
    // A log of an earlier version has no memory.
    const int found =
        std::sscanf(text.c_str(), "%zu candidates; %lf bytes; %lf operations; %llu bytes of memory",
                    &listed.size, &listed.bytes, &listed.operations, &listed.memory);
    return found >= 3 ? listed : Listing{};
  }
};

}  // namespace

LoggedBench::LoggedBench(TrialLog& log, std::string operation, std::string shape, Opener open)
    : log_(log), operation_(std::move(operation)), shape_(std::move(shape)), open_(std::move(open)) {
  const std::vector<TrialRow> rows = log_.rows(operation_, shape_);
  Listing listed;
  std::vector<Candidate> before;  // those of an earlier list
  for (const TrialRow& row : rows) {
    if (row.phase == whole_shape) failure_ = row.trial;
    if (row.phase != listing) {
      known_[{row.phase, row.round, row.variant}] = row.trial;
      continue;
    }
    if (row.round == 0) before = std::exchange(candidates_, {});
    listed = Listing::parse(row.trial.detail);
    candidates_.push_back(
        {.name = row.variant, .parameters = row.parameters, .memory = std::uint64_t{listed.memory}});
    if (candidates_.size() == listed.size) forget_changed(std::exchange(before, {}));
  }
  if (listed.size != candidates_.size()) candidates_.clear();
  bytes_ = listed.bytes;
  operations_ = listed.operations;
}

Bench& LoggedBench::real() {
  if (real_) return *real_;
  if (failure_) throw OpenError(failure_->status, failure_->detail);
  try {
    real_ = open_();
  } catch (const OpenError& e) {
    log_.append({{.operation = operation_,
                  .shape = shape_,
                  .phase = whole_shape,
                  .trial = {.status = e.status(), .detail = e.what()}}});
    throw;
  }
  const std::vector<Candidate>& real = real_->candidates();
  if (candidates_.empty()) {
    bytes_ = real_->bytes();
    operations_ = real_->operations();
    list(real);
  }
  const bool same = std::equal(candidates_.begin(), candidates_.end(), real.begin(), real.end(),
                               [](const Candidate& a, const Candidate& b) { return a.name == b.name; });
  if (!same)
    throw Error(ErrorCode::mismatch, "the run was started with other candidates", operation_ + " " + shape_,
                "start a new run, because the software or the device has changed");
  return *real_;
}

void LoggedBench::list(const std::vector<Candidate>& candidates) {
  candidates_ = candidates;
  std::vector<TrialRow> rows;
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    const Listing detail{.size = candidates.size(),
                         .bytes = bytes_,
                         .operations = operations_,
                         .memory = candidates[c].memory};
    rows.push_back(row(c, listing, static_cast<int>(c), {.detail = detail.text()}));
    rows.back().parameters = candidates[c].parameters;
  }
  log_.append(rows);
}

// Called when a list has replaced the list `before`: forgets the trials of candidates that are gone or
// changed, and confirmations.
void LoggedBench::forget_changed(const std::vector<Candidate>& before) {
  if (before.empty()) return;
  std::erase_if(known_, [&](const auto& trial) {
    const auto& [phase, round, variant] = trial.first;
    const auto then = std::ranges::find(before, variant, &Candidate::name);
    const auto now = std::ranges::find(candidates_, variant, &Candidate::name);
    if (now == candidates_.end()) return true;  // it may come back as another one
    if (then == before.end()) return false;
    return phase == confirmation || then->parameters != now->parameters;
  });
}

bool LoggedBench::relist(const std::function<std::vector<Candidate>()>& present) {
  if (candidates_.empty()) return false;
  const std::vector<Candidate> now = present();
  const bool same = std::ranges::equal(candidates_, now, [](const Candidate& a, const Candidate& b) {
    return a.name == b.name && a.parameters == b.parameters;
  });
  if (now.empty() || same) return false;
  const std::vector<Candidate> before = candidates_;
  list(now);
  forget_changed(before);
  return true;
}

const std::vector<Candidate>& LoggedBench::candidates() {
  if (candidates_.empty()) real();
  return candidates_;
}

double LoggedBench::bytes() {
  candidates();
  return bytes_;
}

double LoggedBench::operations() {
  candidates();
  return operations_;
}

TrialRow LoggedBench::row(std::size_t candidate, std::string_view phase, int round, Trial trial) const {
  return {.operation = operation_,
          .shape = shape_,
          .variant = candidates_[candidate].name,
          .phase = std::string(phase),
          .round = round,
          .trial = std::move(trial)};
}

const Trial* LoggedBench::find(std::string_view phase, int round, const std::string& variant) const {
  const auto at = known_.find({std::string(phase), round, variant});
  return at == known_.end() ? nullptr : &at->second;
}

Trial LoggedBench::check(std::size_t candidate) {
  if (const Trial* trial = find("check", 0, candidates()[candidate].name)) return *trial;
  Trial trial = real().check(candidate);
  ++measured_;
  log_.append({row(candidate, "check", 0, trial)});
  return trial;
}

std::vector<Trial> LoggedBench::round(const Round& round) {
  // After `relist`, the round may be known of some candidates only.
  Round missing{.phase = round.phase, .index = round.index};
  for (const std::size_t c : round.order)
    if (find(round.phase, round.index, candidates()[c].name) == nullptr) missing.order.push_back(c);
  if (!missing.order.empty()) {
    const std::vector<Trial> measured = real().round(missing);
    measured_ += measured.size();
    std::vector<TrialRow> rows;
    for (std::size_t i = 0; i < measured.size(); ++i) {
      rows.push_back(row(missing.order[i], round.phase, round.index, measured[i]));
      known_[{std::string(round.phase), round.index, rows.back().variant}] = measured[i];
    }
    log_.append(rows);
  }
  std::vector<Trial> trials;
  for (const std::size_t c : round.order) {
    const Trial* const trial = find(round.phase, round.index, candidates()[c].name);
    if (trial == nullptr) break;  // the bench has ended the round early
    trials.push_back(*trial);
  }
  return trials;
}

}  // namespace adaptive::tuning
