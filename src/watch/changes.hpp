// Passes changes on to the program and to an audit file, apart from the launch path.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <adaptive/audit.hpp>
#include <adaptive/mode.hpp>
#include "base/fork.hpp"
#include "learning/change_sink.hpp"
#include "learning/learning_context.hpp"
#include "learning/spin_lock.hpp"
#include "learning/worker.hpp"
#include "watch/audit_line.hpp"

namespace adaptive::inline v1::watch {

/// A task of the selector's worker. `add` and the other functions that add are thread-safe; whoever destroys
/// the object calls `flush` first, when the worker has stopped and while the operations still live.
class Changes final : public core::Worker::Task, public core::ChangeSink {
 public:
  static constexpr std::size_t pending_max = 1024;
  static constexpr std::size_t recent_max = 16;

  /// `context` must outlive it. Without a file and a callback it only remembers the latest changes. Throws
  /// `Error` for options out of range.
  Changes(core::LearningContext& context, AuditOptions audit, ChangeCallback callback);

  void add(const core::OperationContext& operation, const Key& key,
           const core::IncumbentChange& change) noexcept override;
  void add_start() noexcept;
  /// `by_process`: who has asked for the mode over the socket; 0: the program.
  void add_mode(Mode from, Mode to, int by_process = 0) noexcept;
  void add_tables(std::string_view path) noexcept;

  /// Passes on what has been added, on the calling thread.
  void flush() noexcept;

  /// Sets `notes` to the latest changes, at most `recent_max`, the latest first. False if another thread is
  /// adding one.
  bool recent(std::vector<ChangeNote>& notes);

 private:
  /// What only the thread that does the task uses.
  struct Work {
    std::vector<ChangeNote> notes;
    std::uint64_t dropped = 0;  // of those, and of lines that could not be kept
    std::string lines;          // not written yet
    std::uint64_t line_count = 0;
    bool has_failed = false;
  };

  Step prepare() noexcept override;
  void work() noexcept override;
  bool finish() noexcept override { return true; }
  void abandon() noexcept override;

  static std::unique_ptr<Work> new_work() noexcept;
  bool passes_on() const noexcept { return !audit_.file.empty() || callback_; }
  void push(const ChangeNote& note) noexcept;
  bool take_over() noexcept;
  void make_lines();
  void write_lines() noexcept;
  void tell(const ChangeNote& note) const noexcept;

  core::LearningContext& context_;
  const AuditOptions audit_;
  const ChangeCallback callback_;

  core::SpinLock lock_;
  std::vector<ChangeNote> pending_;              // guarded by `lock_`; never grows beyond its capacity
  std::array<ChangeNote, recent_max> recent_{};  // guarded by `lock_`; a ring
  std::uint64_t added_ = 0;                      // to the ring
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::uint32_t> forks_{core::forks()};  // of the process to which `pending_` belongs
  std::uint32_t work_forks_ = core::forks();         // of the process to which `work_` belongs
  std::unique_ptr<Work> work_;
};

}  // namespace adaptive::watch
