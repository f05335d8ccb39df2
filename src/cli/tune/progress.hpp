// Shows the progress of a tuning run.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "cli/tune/console.hpp"
#include "tuning/measuring/targets.hpp"
#include "tuning/tuner.hpp"

namespace adaptive::inline v1::cli {

/// On a terminal, shows a bar with the number of finished shapes, the current shape, its best variant so far
/// and the remaining time. Elsewhere, and in the log, prints one line for each shape. While the object lives,
/// Ctrl-C ends the run between two rounds, and a second Ctrl-C ends the program.
class TuneProgress final : public tuning::TuneObserver {
 public:
  TuneProgress(Console& console, const std::vector<tuning::DeviceId>& devices,
               std::vector<std::string> shapes);
  ~TuneProgress() override;

  void shape_begins(std::size_t index) override;
  void progress(std::size_t index, const tuning::RaceProgress& progress) override;
  void shape_ends(std::size_t index, const tuning::TunedShape& shape) override;
  void device_left_out(std::size_t device, const std::string& why) override;
  bool stop() override;

 private:
  std::string time_left() const;

  Console& console_;
  std::vector<std::string> devices_, shapes_;
  std::size_t done_ = 0;
  std::size_t measured_ = 0;  // shapes that took time; the others were in the log
  std::chrono::steady_clock::time_point begin_;
};

/// The outcome of a shape, for example "tile64 42.1 µs, default 81.2 µs: -48.1 % ± 1.2 %".
std::string summary(const tuning::TunedShape& shape);

}  // namespace adaptive::cli
