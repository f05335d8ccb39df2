#include "program/log.hpp"

#include <pthread.h>

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <utility>

#include "bindings.hpp"
#include "names.hpp"

namespace adaptive::python {
namespace {

// Lines that wait for a Python thread; more are counted instead.
constexpr std::size_t lines_max = 1024;

struct Line {
  std::shared_ptr<Held> log;
  LogLevel level;
  std::string text;
};

// One queue for all selectors. It is never destroyed: threads of the library may log while the process ends.
class Queue {
 public:
  static Queue& instance() {
    static Queue* const queue = new Queue;
    return *queue;
  }

  void push(Line line) {
    bool schedule = false;
    {
      const std::lock_guard lock(mutex_);
      if (lines_.size() >= lines_max) {
        ++dropped_;
        return;
      }
      lines_.push_back(std::move(line));
      schedule = !std::exchange(scheduled_, true);
    }
    // The interpreter's own list may be full; the next line tries again.
    if (schedule && Py_AddPendingCall(&Queue::deliver_pending, nullptr) != 0) {
      const std::lock_guard lock(mutex_);
      scheduled_ = false;
    }
  }

  void deliver() noexcept {
    std::deque<Line> lines;
    std::uint64_t dropped = 0;
    {
      const std::lock_guard lock(mutex_);
      lines.swap(lines_);
      dropped = std::exchange(dropped_, 0);
      scheduled_ = false;
    }
    // A line's own text says where it comes from; that lines are missing is said to whoever gets the last.
    for (const Line& line : lines) deliver(line.log, line.level, line.text);
    if (dropped > 0 && !lines.empty())
      deliver(lines.back().log, LogLevel::warning, std::to_string(dropped) + " messages were dropped");
  }

 private:
  Queue() {
    // A child that is forked while another thread holds the mutex would find it locked for ever.
    pthread_atfork([] { instance().mutex_.lock(); }, [] { instance().mutex_.unlock(); },
                   [] {
                     instance().scheduled_ = false;
                     instance().mutex_.unlock();
                   });
  }

  static int deliver_pending(void*) {
    instance().deliver();
    return 0;
  }

  static void deliver(const std::shared_ptr<Held>& log, LogLevel level, const std::string& text) noexcept {
    nb::handle function;
    try {
      const char* const name = name_of(level_names, level);
      if (log == nullptr) {
        nb::module_::import_("adaptive_selector._log").attr("emit")(name, text.c_str());
      } else if (function = log->get(); function.is_valid()) {
        nb::borrow(function)(name, text.c_str());
      }
    } catch (nb::python_error& error) {
      report_unraisable(error, function);
    } catch (...) {
      // Out of memory: the line is lost.
    }
  }

  std::mutex mutex_;
  std::deque<Line> lines_;
  std::uint64_t dropped_ = 0;
  bool scheduled_ = false;
};

}  // namespace

LogCallback queued_log(std::shared_ptr<Held> log) {
  return [log = std::move(log)](LogLevel level, std::string_view text) {
    Queue::instance().push({log, level, std::string(text)});
  };
}

void deliver_log() noexcept {
  // An exception that is on its way must not be seen by the functions that get the lines.
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  Queue::instance().deliver();
  PyErr_Restore(type, value, trace);
}

void bind_log(nb::module_& module) {
  module.def("_deliver_log", &deliver_log, "Hands queued messages of the library to their functions now.");
}

}  // namespace adaptive::python
