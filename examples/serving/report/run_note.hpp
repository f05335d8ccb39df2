#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

// A few figures of a run, kept beside the table it wrote ("adapted.json.run"), so that the run that starts
// from that table can say what the table saved it.

namespace serving {

struct RunNote {
  std::uint64_t launches = 0, explored = 0, keys = 0, exact = 0;
  double lost_ns = 0;
};

void write_run_note(const std::filesystem::path& table, const RunNote& note);

/// Nothing where there is none, or it cannot be read: a note is a courtesy.
std::optional<RunNote> read_run_note(const std::filesystem::path& table);

}  // namespace serving
