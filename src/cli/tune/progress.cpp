#include "cli/tune/progress.hpp"

#include <csignal>
#include <utility>

#include <fmt/format.h>

namespace adaptive::inline v1::cli {
namespace {

volatile std::sig_atomic_t interrupted = 0;

void on_interrupt(int signal) {
  interrupted = 1;
  std::signal(signal, SIG_DFL);  // a second signal ends the program
}

}  // namespace

TuneProgress::TuneProgress(Console& console, const std::vector<tuning::DeviceId>& devices,
                           std::vector<std::string> shapes)
    : console_(console), shapes_(std::move(shapes)), begin_(std::chrono::steady_clock::now()) {
  for (const tuning::DeviceId device : devices) devices_.push_back(to_string(device));
  interrupted = 0;
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
}

TuneProgress::~TuneProgress() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

bool TuneProgress::stop() {
  return interrupted != 0;
}

void TuneProgress::shape_begins(std::size_t index) {
  console_.say(LogLevel::debug, fmt::format("begin {}", shapes_[index]));
}

std::string TuneProgress::time_left() const {
  if (measured_ == 0) return "";
  const double taken = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  const double left = taken / static_cast<double>(measured_) * static_cast<double>(shapes_.size() - done_);
  return ", " + duration_text(left) + " left";
}

void TuneProgress::progress(std::size_t index, const tuning::RaceProgress& progress) {
  if (!console_.progress_due()) return;
  std::string best;
  if (progress.leader_us > 0.0)
    best = fmt::format(" | best {} {}", progress.leader, latency_text(progress.leader_us));
  // The most important facts come first, because a narrow terminal cuts off the end.
  console_.progress(fmt::format("{} {}/{}{}{} | {} {}, {} in it | {}",
                                progress_bar(done_, shapes_.size(), 16), done_, shapes_.size(), time_left(),
                                best, progress.phase, progress.round, progress.in_race, shapes_[index]));
}

void TuneProgress::shape_ends(std::size_t index, const tuning::TunedShape& shape) {
  ++done_;
  if (shape.measured > 0 || shape.failure) ++measured_;
  console_.say(LogLevel::info,
               fmt::format("{}/{} {}: {}", done_, shapes_.size(), shapes_[index], summary(shape)));
  for (const tuning::Contestant& contestant : shape.race.contestants)
    if (contestant.status != tuning::TrialStatus::ok)
      console_.say(LogLevel::warning, fmt::format("{} of {}: {}{}{}", contestant.candidate.name,
                                                  shapes_[index], to_string(contestant.status),
                                                  contestant.detail.empty() ? "" : ": ", contestant.detail));
}

void TuneProgress::device_left_out(std::size_t device, const std::string& why) {
  console_.say(LogLevel::warning, fmt::format("{} is left out: {}", devices_[device], why));
}

std::string summary(const tuning::TunedShape& shape) {
  const tuning::RaceResult& race = shape.race;
  if (shape.failure) return fmt::format("{}: {}", to_string(*shape.failure), shape.detail);
  if (!race.best) return "all candidates failed; the default is kept";
  const tuning::Contestant& best = race.contestants[*race.best];
  std::string text = fmt::format("{} {}", best.candidate.name, latency_text(best.location_us));
  if (*race.best == 0) return text + (race.is_tie() ? ", the default, with a tie" : ", the default");
  return text + fmt::format(", {:.1f} % ± {:.1f} % less than the default{}", 100.0 * race.gain(),
                            100.0 * race.gain_radius(), race.is_tie() ? ", a tie with others" : "");
}

}  // namespace adaptive::cli
