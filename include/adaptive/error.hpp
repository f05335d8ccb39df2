#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include <adaptive/detail/export.hpp>

namespace adaptive::inline v1 {

/// What kind of trouble an `Error` reports, for a program that reacts to it: the text of an error is for
/// people and may change between releases. The list is closed: a release that needs another code raises the
/// ABI version (`<adaptive/version.hpp>`), so that a `switch` without a `default` stays complete.
enum class ErrorCode : std::uint8_t {
  invalid_argument,  ///< a value, name or option that the caller gave is not allowed; correct the call
  not_found,         ///< a file, device, operation, variant, dimension or label of that name does not exist
  unsupported,  ///< this build or machine cannot do it, or a file has a format or version that it does not
                ///< know
  mismatch,     ///< both parts are valid but do not belong together, such as the table of another device
  corrupt,      ///< the content of a file or of a store cannot be what it claims to be
  locked,       ///< another process held the file for too long; try again
  full,         ///< a disk or a quota has no room left
  too_large,    ///< the input exceeds a documented limit of this library
  denied,       ///< the operating system does not permit it
  unavailable,  ///< a server cannot be reached or did not answer properly; try again later
  not_allowed_now,  ///< the call is valid, but not in the present state or from this place in the program
  io,               ///< the operating system failed to read or write for any other reason
  failed,           ///< a device, a kernel or a function of the program failed
};

/// The name of the code as spelled above, such as "not_found". Thread-safe.
ADAPTIVE_EXPORT std::string_view to_string(ErrorCode code) noexcept;

/// Thrown by set-up and by everything that touches files; never by `select`, `record`, `fail` or `pin`.
/// A program reacts to `code()`. `what()` is for people and reads "where: problem; remedy".
class ADAPTIVE_EXPORT Error : public std::runtime_error {
 public:
  /// `where` is a path, `path:line`, a JSON pointer or the name of an operation; it may be empty. `remedy`
  /// says what the reader can do about the problem; it may be empty.
  Error(ErrorCode code, std::string problem, std::string where, std::string remedy = {});

  [[nodiscard]] ErrorCode code() const noexcept { return code_; }
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
  [[nodiscard]] const std::string& where() const noexcept { return where_; }
  [[nodiscard]] const std::string& remedy() const noexcept { return remedy_; }

 private:
  ErrorCode code_;
  std::string problem_;
  std::string where_;
  std::string remedy_;
};

}  // namespace adaptive
