// What is behind the handles of the C interface, and how errors leave it.
#pragma once

#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <adaptive/c.h>
#include <adaptive/decision.hpp>
#include <adaptive/detail/export.hpp>
#include <adaptive/error.hpp>
#include <adaptive/key.hpp>
#include <adaptive/log.hpp>
#include <adaptive/mode.hpp>
#include <adaptive/operation.hpp>
#include <adaptive/rank_epochs.hpp>
#include <adaptive/saver.hpp>
#include <adaptive/selector.hpp>
#include <adaptive/store.hpp>

// The handles are global types, as the header declares them. `adaptive_operation` has no definition: its
// pointers are pointers to `adaptive::Operation`, since an operation belongs to its selector.
struct adaptive_options {
  adaptive::SelectorOptions options;
  bool standard_tables = false;
  std::string version;  // of the program's kernels
};

struct adaptive_selector {
  explicit adaptive_selector(adaptive::SelectorOptions options) : selector(std::move(options)) {}
  adaptive::Selector selector;
};

struct adaptive_spec {
  adaptive::OperationSpec spec;
  adaptive_supports_function supports = nullptr;
  void* supports_data = nullptr;
  adaptive_memory_function memory = nullptr;
  void* memory_data = nullptr;
  adaptive_cost_function cost = nullptr;
  void* cost_data = nullptr;
  adaptive_candidates_function candidates = nullptr;
  void* candidates_data = nullptr;
};

struct adaptive_site {
  explicit adaptive_site(const adaptive::Site& made) noexcept : site(made) {}
  adaptive::Site site;
};

struct adaptive_forced {
  explicit adaptive_forced(adaptive::Forced made) noexcept : forced(std::move(made)) {}
  adaptive::Forced forced;
};

struct adaptive_saver {
  adaptive_saver(adaptive::Selector& selector, adaptive::SaverOptions options)
      : saver(selector, std::move(options)) {}
  adaptive::Saver saver;
};

struct adaptive_store {
  std::shared_ptr<adaptive::Store> store;
};

struct adaptive_rank_epochs {
  adaptive_rank_epochs(adaptive::Selector& selector, adaptive::RankEpochsOptions options)
      : epochs(selector, std::move(options)) {}
  adaptive::RankEpochs epochs;
};

namespace adaptive::inline v1::c {

/// Keeps the text of the calling thread's latest error, and returns `status`. The C interface of
/// adaptive_cuda uses it as well.
ADAPTIVE_EXPORT adaptive_status failed(adaptive_status status, std::string_view text) noexcept;
ADAPTIVE_EXPORT adaptive_status failed(const Error& error) noexcept;

/// Runs the body of a function of the C interface; no exception leaves it.
template <class F>
adaptive_status guarded(F&& body) noexcept {
  try {
    std::forward<F>(body)();
    return ADAPTIVE_OK;
  } catch (const Error& error) {
    return failed(error);
  } catch (const std::bad_alloc&) {
    return failed(ADAPTIVE_OUT_OF_MEMORY, "memory is short");
  } catch (const std::exception& error) {
    return failed(ADAPTIVE_FAILED, error.what());
  } catch (...) {
    return failed(ADAPTIVE_FAILED, "unknown exception");
  }
}

/// Throws if one of the pointers that a function was given is null.
template <class... Pointers>
void require(const char* function, const Pointers*... pointers) {
  for (const void* pointer : {static_cast<const void*>(pointers)...})
    if (pointer == nullptr) throw Error(ErrorCode::invalid_argument, "a pointer is null", function);
}

inline Operation& operation_of(adaptive_operation* handle) noexcept {
  return *reinterpret_cast<Operation*>(handle);
}
inline const Operation& operation_of(const adaptive_operation* handle) noexcept {
  return *reinterpret_cast<const Operation*>(handle);
}

inline Key key_of(const std::int64_t* values, std::size_t size) noexcept {
  return Key(std::span(values, size));
}

// A decision and a pin are the same words on both sides.
static_assert(sizeof(adaptive_decision) == sizeof(Decision) && sizeof(adaptive_pin) == sizeof(Pin));

inline adaptive_decision to_c(const Decision& decision) noexcept {
  return std::bit_cast<adaptive_decision>(decision);
}
inline Decision from_c(const adaptive_decision& decision) noexcept {
  return std::bit_cast<Decision>(decision);
}
inline adaptive_pin to_c(const Pin& pin) noexcept {
  return std::bit_cast<adaptive_pin>(pin);
}
inline Pin from_c(const adaptive_pin& pin) noexcept {
  return std::bit_cast<Pin>(pin);
}

/// A callback that passes messages on to `log`; empty if `log` is null.
inline LogCallback log_callback(adaptive_log_function log, void* data) {
  if (log == nullptr) return {};
  return [log, data](LogLevel level, std::string_view line) {
    log(data, static_cast<adaptive_log_level>(level), std::string(line).c_str());
  };
}

/// Throws `Error` with the name of `function` for a time beyond a year, which `std::chrono` might not hold.
inline std::chrono::milliseconds milliseconds_of(std::uint64_t count, const char* function) {
  constexpr std::uint64_t year_ms = std::uint64_t{366} * 24 * 60 * 60 * 1000;
  if (count > year_ms)
    throw Error(ErrorCode::invalid_argument, std::to_string(count) + " ms is longer than a year", function);
  return std::chrono::milliseconds(count);
}

/// Throws `Error` with the name of `function` for a number that is no mode.
inline Mode mode_of(adaptive_mode mode, const char* function) {
  if (mode < ADAPTIVE_MODE_OFF || mode > ADAPTIVE_MODE_FROZEN)
    throw Error(ErrorCode::invalid_argument, "there is no mode " + std::to_string(mode), function);
  return static_cast<Mode>(mode);
}

}  // namespace adaptive::c
