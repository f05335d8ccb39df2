// The common parts of files in which tuners for kernels record what they have measured: one operation, one
// key, and the latencies of many variants. They are seeds; a choice cannot be written into them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "formats/format.hpp"

namespace adaptive::inline v1::table::formats {

class TunerLog : public Format {
 public:
  std::span<const OperationShape> operations() const noexcept final { return {}; }
  bool names_operations() const noexcept final { return true; }
  bool recognises_path(std::string_view) const override { return false; }

  std::string path_of(const Sheet& sheet) const final { return sheet.operation + ".json"; }
  std::string empty_document(const Sheet&) const final { return "{}"; }
  std::vector<Edit> edits(const Row&, const Row*) const final { return {}; }
  std::string_view why_not_changed() const noexcept final {
    return "the file records measurements, which another choice does not change; it is written as it was "
           "imported";
  }
  std::string_view why_not_made() const noexcept final {
    return "files of this format record measurements of their own tuner; the entries are not written";
  }
  bool varies(std::string_view, std::string_view) const final { return true; }
  Answer look_up(std::span<const Sheet* const> sheets, const Question& question) const final;
};

/// Adds the row of `measured` to the sheet, whose operation has the name that the user gave, or `name`. The
/// key is the one that the user gave, or `key`; without sizes it is a single label. Nothing is added, and a
/// notice says why, if there is no usable name, or no measurement.
void add_log_row(Sheet& sheet, std::string_view name, std::vector<Dimension> dimensions, Shape key,
                 const std::vector<Measured>& measured, const Checks& checks);

/// The sizes of a problem: a list of whole numbers becomes the dimensions x, y, z; anything else the label
/// `problem_size`.
void read_problem_size(JsonValue value, const Path& path, const Checks& checks,
                       std::vector<Dimension>& dimensions, Shape& key);

/// The finite numbers of a list, in ns.
std::vector<double> latencies_in(JsonValue list, double ns_per_unit);

}  // namespace adaptive::table::formats
