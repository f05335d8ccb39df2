// What is noted of a change on the launch path, and the line of an audit file that it becomes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include <nlohmann/json_fwd.hpp>

#include <adaptive/audit.hpp>
#include <adaptive/key.hpp>
#include <adaptive/mode.hpp>
#include "learning/change_sink.hpp"
#include "learning/learning_context.hpp"
#include "learning/operation_context.hpp"

namespace adaptive::inline v1::watch {

/// Trivially copyable, so that noting a change allocates nothing.
struct ChangeNote {
  enum class Kind : std::uint8_t { start, mode, tables, incumbent };
  Kind kind = Kind::start;
  bool is_disabled = false;  ///< whether the program has disabled the former incumbent
  Mode from_mode = Mode::online;
  Mode to_mode = Mode::online;
  int by_process = 0;                                 ///< that asked for a mode over the socket
  std::int64_t time = 0;                              ///< seconds since 1970
  std::uint64_t epoch = 0;                            ///< after the change
  const core::OperationContext* operation = nullptr;  ///< of an incumbent
  Key key = {};
  core::IncumbentChange change = {};
  std::array<char, 128> path = {};  ///< of a table: its end, if it is longer
};
static_assert(std::is_trivially_copyable_v<ChangeNote>);

/// The change of an incumbent as programs get it.
Change change_of(const ChangeNote& note);

/// The members of the line, without the host and the process.
nlohmann::ordered_json audit_members(const ChangeNote& note, const core::LearningContext& context);

/// One line of JSON with its newline. `dropped` is said by a line of its own.
std::string audit_line(const ChangeNote& note, const core::LearningContext& context);
std::string dropped_line(std::uint64_t dropped, std::int64_t time);

}  // namespace adaptive::watch
