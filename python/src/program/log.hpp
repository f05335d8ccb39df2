// Messages of the library, handed to Python.
#pragma once

#include <memory>

#include <nanobind/nanobind.h>

#include <adaptive/log.hpp>
#include "program/callable.hpp"

namespace adaptive::python {

/// A callback for the library that queues each line, so that no thread of the library ever waits for the GIL
/// and no line is delivered while the library holds a lock. `log` is called as `log(level, line)`; where it
/// is null the lines go to the logger "adaptive_selector" of Python's `logging`.
LogCallback queued_log(std::shared_ptr<Held> log);

/// Delivers what is queued. The GIL is held, no lock of the library is. The main thread does so by itself
/// soon after a line was queued; calls that set something up do it before they return.
void deliver_log() noexcept;

}  // namespace adaptive::python
