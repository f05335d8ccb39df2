// Errors of the C interface: codes, and the text of each thread's latest error.
#include <cstdlib>
#include <string>
#include <string_view>

#include <adaptive/version.hpp>
#include "c/handles.hpp"

namespace adaptive::inline v1::c {
namespace {

// The codes of `ErrorCode` follow ADAPTIVE_OK in the same order.
constexpr adaptive_status status_of(ErrorCode code) {
  return static_cast<adaptive_status>(static_cast<int>(code) + 1);
}
static_assert(status_of(ErrorCode::invalid_argument) == ADAPTIVE_INVALID_ARGUMENT);
static_assert(status_of(ErrorCode::not_found) == ADAPTIVE_NOT_FOUND);
static_assert(status_of(ErrorCode::unsupported) == ADAPTIVE_UNSUPPORTED);
static_assert(status_of(ErrorCode::mismatch) == ADAPTIVE_MISMATCH);
static_assert(status_of(ErrorCode::corrupt) == ADAPTIVE_CORRUPT);
static_assert(status_of(ErrorCode::locked) == ADAPTIVE_LOCKED);
static_assert(status_of(ErrorCode::full) == ADAPTIVE_FULL);
static_assert(status_of(ErrorCode::too_large) == ADAPTIVE_TOO_LARGE);
static_assert(status_of(ErrorCode::denied) == ADAPTIVE_DENIED);
static_assert(status_of(ErrorCode::unavailable) == ADAPTIVE_UNAVAILABLE);
static_assert(status_of(ErrorCode::not_allowed_now) == ADAPTIVE_NOT_ALLOWED_NOW);
static_assert(status_of(ErrorCode::io) == ADAPTIVE_IO);
static_assert(status_of(ErrorCode::failed) == ADAPTIVE_FAILED);

// `text` is what `adaptive_last_error` returns: it points into `kept`, or to a constant where memory is
// short.
struct LastError {
  std::string kept;
  const char* text = "";
};

LastError& last_error() noexcept {
  thread_local LastError error;
  return error;
}

}  // namespace

adaptive_status failed(adaptive_status status, std::string_view text) noexcept {
  LastError& error = last_error();
  try {
    error.kept = text;
    error.text = error.kept.c_str();
  } catch (...) {
    error.text = "memory is short: the text of the error is lost";
  }
  return status;
}

adaptive_status failed(const Error& error) noexcept {
  return failed(status_of(error.code()), error.what());
}

}  // namespace adaptive::c

const char* adaptive_status_name(adaptive_status status) noexcept {
  switch (status) {
    case ADAPTIVE_OK:
      return "ok";
    case ADAPTIVE_OUT_OF_MEMORY:
      return "out_of_memory";
    default:
      break;
  }
  if (status < ADAPTIVE_OK || status > ADAPTIVE_OUT_OF_MEMORY) return "unknown";
  // The names are literals, which end with a null byte.
  return to_string(static_cast<adaptive::ErrorCode>(status - 1)).data();
}

const char* adaptive_last_error() noexcept {
  return adaptive::c::last_error().text;
}

const char* adaptive_version() noexcept {
  return adaptive::library_version;
}

int adaptive_abi_version() noexcept {
  return ADAPTIVE_C_ABI_VERSION;
}

void adaptive_free(char* text) noexcept {
  std::free(text);
}
