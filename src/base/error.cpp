#include <adaptive/error.hpp>

#include <utility>

namespace adaptive::inline v1 {
namespace {

std::string message(const std::string& problem, const std::string& where, const std::string& remedy) {
  std::string text = where;
  if (!where.empty()) text += ": ";
  text += problem;
  if (!remedy.empty()) text += "; " + remedy;
  return text;
}

}  // namespace

std::string_view to_string(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::invalid_argument:
      return "invalid_argument";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::unsupported:
      return "unsupported";
    case ErrorCode::mismatch:
      return "mismatch";
    case ErrorCode::corrupt:
      return "corrupt";
    case ErrorCode::locked:
      return "locked";
    case ErrorCode::full:
      return "full";
    case ErrorCode::too_large:
      return "too_large";
    case ErrorCode::denied:
      return "denied";
    case ErrorCode::unavailable:
      return "unavailable";
    case ErrorCode::not_allowed_now:
      return "not_allowed_now";
    case ErrorCode::io:
      return "io";
    case ErrorCode::failed:
      return "failed";
  }
  return "failed";
}

Error::Error(ErrorCode code, std::string problem, std::string where, std::string remedy)
    : std::runtime_error(message(problem, where, remedy)),
      code_(code),
      problem_(std::move(problem)),
      where_(std::move(where)),
      remedy_(std::move(remedy)) {}

}  // namespace adaptive
