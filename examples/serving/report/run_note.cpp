#include "examples/serving/report/run_note.hpp"

#include <fstream>
#include <string>

namespace serving {
namespace {

std::filesystem::path place_of(std::filesystem::path table) {
  return table += ".run";
}

}  // namespace

void write_run_note(const std::filesystem::path& table, const RunNote& note) {
  std::ofstream(place_of(table)) << "launches " << note.launches << "\nexplored " << note.explored
                                 << "\nkeys " << note.keys << "\nexact " << note.exact << "\nlost_ns "
                                 << note.lost_ns << "\n";
}

std::optional<RunNote> read_run_note(const std::filesystem::path& table) {
  std::ifstream file(place_of(table));
  RunNote note;
  std::string names[5];
  if (file >> names[0] >> note.launches >> names[1] >> note.explored >> names[2] >> note.keys >> names[3] >>
          note.exact >> names[4] >> note.lost_ns &&
      names[0] == "launches" && names[1] == "explored" && names[4] == "lost_ns")
    return note;
  return std::nullopt;
}

}  // namespace serving
