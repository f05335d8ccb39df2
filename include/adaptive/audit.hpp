#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include <adaptive/detail/export.hpp>
#include <adaptive/explanation.hpp>

namespace adaptive::inline v1 {

/// One change of the incumbent of a key, with what it rests on. A copy; plain data.
struct ADAPTIVE_EXPORT Change {
  std::int64_t time = 0;  ///< seconds since 1970, by `SelectorOptions::clock`
  EventKind kind = EventKind::promotion;
  std::string operation = {};
  std::string key = {};   ///< "tokens=17 out_features=4096 bits=2+4"
  std::string from = {};  ///< the former incumbent
  std::string to = {};    ///< the new one
  /// Robust location of the latencies of `from` and `to`, in nanoseconds; 0 without results.
  double from_ns = 0.0;
  double to_ns = 0.0;
  std::uint64_t from_results = 0;  ///< results of `from` and `to` at this key
  std::uint64_t to_results = 0;
  double gain = 0.0;                   ///< estimated share of the latency of `from` that is saved
  double calls = 0.0;                  ///< estimated calls of the key before the change
  std::uint64_t epoch = 0;             ///< the selector's epoch after the change
  bool is_disabled = false;            ///< the program has disabled `from` (`Operation::enable`)
  bool is_above_memory_limit = false;  ///< the former incumbent needs more memory than the limit

  /// Why the incumbent was replaced, in one sentence.
  std::string reason() const;
};

/// Receives changes in the order in which they happened, from the selector's worker thread or, without one,
/// from the thread that calls `Selector::learn` or destroys the selector. It may take its time and may ask
/// the selector, but must neither destroy it nor call `Selector::learn`. It must not throw.
using ChangeCallback = std::function<void(const Change&)>;

/// A file that tells afterwards what changed when, and why: one line of JSON for each change of an incumbent,
/// each change of the mode, each `Selector::advance_epoch`, and each beginning of a selector.
///
/// A line is appended soon after the change by the worker thread, never by a launch, and made durable: it is
/// there after a crash of the process and of the machine. Any number of processes may append to one file. A
/// selector holds up to 1,024 changes that are not written yet; further ones are dropped, and a line says how
/// many. A file that cannot be written is reported in the log once, and tried again with the next change.
struct AuditOptions {
  /// Path of the file. Empty: the environment variable `ADAPTIVE_AUDIT`, if the selector uses the
  /// environment; without that, no file.
  std::filesystem::path file = {};
  /// Size from which on a file is rotated: it is renamed to FILE.1, FILE.1 to FILE.2 and so on. At least
  /// 4,096.
  std::uint64_t bytes_max = std::uint64_t{16} << 20;
  /// Number of rotated files that are kept, 0 to 1,000; the oldest is removed.
  std::uint32_t files_max = 4;
};

}  // namespace adaptive
