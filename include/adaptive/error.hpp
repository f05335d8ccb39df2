#pragma once

#include <stdexcept>
#include <string>

#include <adaptive/detail/export.hpp>

namespace adaptive {

/// Thrown by set-up and by everything that touches files; never by `select`, `record`, `fail` or `pin`.
/// `what()` reads "where: problem; remedy".
class ADAPTIVE_EXPORT Error : public std::runtime_error {
 public:
  /// `where` is a path, `path:line`, a JSON pointer or the name of an operation; it may be empty, and so may
  /// `remedy`, which says what the reader can do about it.
  Error(std::string problem, std::string where, std::string remedy = {});

  const std::string& problem() const noexcept { return problem_; }
  const std::string& where() const noexcept { return where_; }
  const std::string& remedy() const noexcept { return remedy_; }

 private:
  std::string problem_;
  std::string where_;
  std::string remedy_;
};

}  // namespace adaptive
