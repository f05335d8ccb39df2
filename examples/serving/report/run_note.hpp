#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

// A few figures of a run, stored beside its table ("adapted.json.run"), so that a later run that starts from
// the table can print what the table has saved.

namespace serving {

struct RunNote {
  std::uint64_t launches = 0, explored = 0, keys = 0, exact = 0;
  double lost_ns = 0;
};

void write_run_note(const std::filesystem::path& table, const RunNote& note);

/// Nothing if there is no note or it cannot be read; notes are optional.
std::optional<RunNote> read_run_note(const std::filesystem::path& table);

}  // namespace serving
