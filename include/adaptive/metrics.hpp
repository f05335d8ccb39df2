// Metrics of selectors for Prometheus. Link the target adaptive::metrics. docs/watching.md lists the names.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <adaptive/detail/export.hpp>
#include <adaptive/log.hpp>
#include <adaptive/selector.hpp>

namespace prometheus {
class Collectable;
}

namespace adaptive::inline v1::metrics {

enum class MetricType : std::uint8_t {
  counter,  ///< only rises, except that it begins at zero again with a new process or a reset
  gauge,
};

struct Sample {
  std::vector<std::pair<std::string, std::string>> labels = {};
  double value = 0.0;
};

/// All samples of one name. No label is a key or a variant, so that their number stays small.
struct Family {
  std::string name = {};
  std::string help = {};
  MetricType type = MetricType::counter;
  std::vector<Sample> samples = {};
};

struct Options {
  /// Labels of every sample, such as {{"device", "0"}} in a process with a selector for each device.
  std::map<std::string, std::string> labels = {};
  /// Returns the number of captured graphs that an incumbent's change has made stale, for instance those
  /// whose `cuda::TrackedGraph::stale()` is true. Called at every collection, by any thread. Empty:
  /// `adaptive_stale_graphs` is left out.
  std::function<std::uint64_t()> stale_graphs = {};
};

/// Collects the metrics of a selector from the statistics that it keeps anyway, so that metrics cost launches
/// nothing. Takes the lock of each key in turn: about a microsecond for each. Thread-safe.
[[nodiscard]] ADAPTIVE_EXPORT std::vector<Family> collect(const Selector& selector,
                                                          const Options& options = {});

/// The families in Prometheus' text format (version 0.0.4). Thread-safe.
[[nodiscard]] ADAPTIVE_EXPORT std::string text(const std::vector<Family>& families);

/// How a `TextFile` works.
struct TextFileOptions {
  /// Path of the file; its name ends with ".prom" for node_exporter's textfile collector.
  std::filesystem::path path = {};
  /// Time between two writes, 1 ms to a year.
  std::chrono::milliseconds interval = std::chrono::seconds(15);
  Options metrics = {};
  /// Receives a message when writing begins to fail. Empty: stderr (`log_to_stderr`).
  LogCallback log = {};
};

/// Writes the metrics of a selector to a file, at once, after every interval and when it is destroyed. The
/// file is replaced, so that a reader never finds half of it. Every member is thread-safe. It must be
/// destroyed before its selector, and made after the program has forked.
class ADAPTIVE_EXPORT TextFile {
 public:
  /// Starts a thread. Throws `Error` for options out of range.
  TextFile(const Selector& selector, TextFileOptions options);
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;
  ~TextFile();

  /// Writes now, on the calling thread. Throws `Error` if the file cannot be written.
  void write();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Whether this build has what follows: prometheus-cpp was found when it was configured.
[[nodiscard]] ADAPTIVE_EXPORT bool has_prometheus() noexcept;

/// Answers HTTP requests for /metrics. It must be destroyed before its selector, and made after the program
/// has forked.
class ADAPTIVE_EXPORT Endpoint {
 public:
  /// `address` is "host:port"; port 0 takes a free one. Throws `Error` if the address cannot be listened on,
  /// and with `ErrorCode::unsupported` without prometheus-cpp.
  explicit Endpoint(const Selector& selector, const std::string& address = "127.0.0.1:9464",
                    Options options = {});
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;
  ~Endpoint();

  /// The port that is listened on.
  [[nodiscard]] int port() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The metrics as an object that a program registers with its own prometheus-cpp exposer or gateway, which
/// holds it weakly. It must not be collected after the selector is destroyed. Throws `Error` with
/// `ErrorCode::unsupported` without prometheus-cpp.
[[nodiscard]] ADAPTIVE_EXPORT std::shared_ptr<prometheus::Collectable> collectable(const Selector& selector,
                                                                                   Options options = {});

}  // namespace adaptive::metrics
