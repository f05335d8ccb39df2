// Metrics in a file, for node_exporter's textfile collector.
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <exception>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include <adaptive/error.hpp>
#include <adaptive/metrics.hpp>

namespace adaptive::inline v1::metrics {

struct TextFile::Impl {
  Impl(const Selector& watched, TextFileOptions file_options)
      : selector(watched), options(std::move(file_options)) {}

  void write() {
    const std::lock_guard lock(writing);
    // node_exporter reads *.prom alone.
    const std::filesystem::path temporary = options.path.string() + "." + std::to_string(::getpid()) + ".tmp";
    std::error_code failure;
    {
      std::ofstream file(temporary, std::ios::trunc);
      file << text(collect(selector, options.metrics)) << std::flush;
      if (!file) failure = std::make_error_code(std::errc::io_error);
    }
    if (!failure) std::filesystem::rename(temporary, options.path, failure);
    if (!failure) return;
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw Error(ErrorCode::io, "the metrics cannot be written", options.path.string(),
                "check that the folder exists and can be written");
  }

  void write_or_log() noexcept {
    try {
      write();
      has_failed = false;
    } catch (const std::exception& error) {
      if (!std::exchange(has_failed, true)) say(error.what());
    }
  }

  void say(std::string_view line) noexcept {
    if (!options.log) return log_to_stderr(LogLevel::warning, line, "metrics");
    try {
      options.log(LogLevel::warning, line);
    } catch (...) {
      // The program's callback has thrown, against its contract.
    }
  }

  void run() noexcept {
    std::unique_lock lock(mutex);
    do {
      lock.unlock();
      write_or_log();
      lock.lock();
    } while (!wakeup.wait_for(lock, options.interval, [&] { return stopping; }));
  }

  const Selector& selector;
  const TextFileOptions options;
  std::mutex writing;       // of the file
  bool has_failed = false;  // used by the thread, and after it has ended
  std::mutex mutex;         // of `stopping`
  std::condition_variable wakeup;
  bool stopping = false;
  std::thread thread;
};

TextFile::TextFile(const Selector& selector, TextFileOptions options)
    : impl_(std::make_unique<Impl>(selector, std::move(options))) {
  if (impl_->options.path.empty())
    throw Error(ErrorCode::invalid_argument, "there is no path", "metrics::TextFile");
  if (impl_->options.interval < std::chrono::milliseconds(1) ||
      impl_->options.interval > std::chrono::hours(24 * 366))
    throw Error(ErrorCode::invalid_argument, "the interval is not between 1 ms and a year",
                "metrics::TextFile");
  impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
}

TextFile::~TextFile() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->wakeup.notify_one();
  impl_->thread.join();
  impl_->write_or_log();
}

void TextFile::write() {
  impl_->write();
}

}  // namespace adaptive::metrics
