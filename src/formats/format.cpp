#include "formats/format.hpp"

#include <algorithm>
#include <utility>

#include "formats/text/file_name.hpp"
#include "formats/text/values.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

constexpr int indent = 4;  // as the systems' own writers use

}  // namespace

std::span<const Dimension> dimensions_of(const Sheet& sheet) {
  if (sheet.format->names_operations()) return sheet.dimensions;
  const OperationShape* const shape = find_operation(*sheet.format, sheet.operation);
  return shape == nullptr ? std::span<const Dimension>() : shape->dimensions;
}

std::string Format::changed_text(const Sheet& file, std::span<const Change> changes) const {
  std::string text = file.text;
  const auto write = [&](const Row& now, const Row* old) {
    for (const auto& [place, value] : edits(now, old)) text = put(std::move(text), place, value);
  };
  // In a file of several documents, one per line, rows cannot be edited in place.
  if (file.lines) {
    text = compose(empty_document(file), {}, indent);
    for (const Row& row : file.rows) write(row, nullptr);
  }
  for (const Change& change : changes) write(*change.now, change.old);
  return text;
}

std::string Format::new_text(const Sheet& file, std::span<const Change> changes) const {
  std::vector<Edit> all;
  for (const Change& change : changes)
    for (Edit& edit : edits(*change.now, change.old)) all.push_back(std::move(edit));
  return compose(empty_document(file), all, indent);
}

std::string Format::device_in_names(const std::string& device) const {
  return device_in_file_name(device);
}

std::string Format::label_in_names(std::string_view, const std::string& label) const {
  return label;
}

std::string Format::print_parameters(const Parameters& parameters) const {
  return print_json(parameters, {});
}

}  // namespace adaptive::table::formats
