// The interface of a format of another system. One file (pair) implements each format, and registry.cpp lists
// them.
//
// A format converts the text of one file to a `Sheet` and back. It knows which operations its files describe,
// what the names of files mean, and which row the runtime of the other system would take. Everything else
// (folders, tables, changed rows in an otherwise unchanged text) is common to all formats and is in the files
// beside this one.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <adaptive/dimension.hpp>
#include <adaptive/match.hpp>

#include "formats/sheet.hpp"
#include "formats/text/edit.hpp"
#include "json/checks.hpp"

namespace adaptive::inline v1::table::formats {

/// An operation that files describe. Label dimensions list the usual labels, the default first; tables add
/// the labels that occur.
struct OperationShape {
  std::string name = {};
  std::vector<Dimension> dimensions = {};
};

/// A launch that somebody looks up.
struct Question {
  std::string operation = {};
  Shape key = {};            ///< every dimension of the operation
  std::string device = {};   ///< empty: any device
  std::string version = {};  ///< the version in the names of folders, "3.5.1"; empty: the newest
};

struct Answer {
  MatchKind match = MatchKind::fallback;
  /// Nothing if the other system computes them by rules that are not in its files.
  std::optional<Parameters> parameters = {};
  Shape matched = {};       ///< the key of the row; empty for a fallback
  std::string source = {};  ///< the path of its file; empty for a fallback
  std::vector<std::string> warnings =
      {};  ///< warnings of the other system, and weaknesses of its rule for this key
};

class Document;

class Format {
 public:
  Format() = default;
  Format(const Format&) = delete;
  Format& operator=(const Format&) = delete;
  virtual ~Format() = default;

  /// The name for `--from`.
  virtual std::string_view name() const noexcept = 0;
  /// The system whose lookup rule applies; the name for `--like`. Several formats may share a system.
  virtual std::string_view system() const noexcept { return name(); }
  /// For messages: "a vLLM or SGLang configuration".
  virtual std::string_view what() const noexcept = 0;
  virtual std::span<const OperationShape> operations() const noexcept = 0;

  /// Whether the file has this format, by its path relative to the folder. Most formats prescribe names of
  /// files.
  virtual bool recognises_path(std::string_view path) const = 0;
  /// Whether the file has this format, by one member of the document.
  virtual bool recognises_member(JsonValue member) const = 0;

  /// Fills the sheet, except `format`, `path`, `text` and `lines`. Faulty parts are reported and left out.
  virtual void read(const Document& document, Sheet& sheet, const Checks& checks) const = 0;

  /// The path, relative to a folder, at which the runtime looks for a file with such rows.
  virtual std::string path_of(const Sheet& sheet) const = 0;
  /// Why the runtime would not find the file at that path; empty if it finds the file.
  virtual std::string why_not_found(const Sheet&) const { return {}; }
  /// Fills `sheet.text` with a file without rows.
  virtual std::string empty_document(const Sheet& sheet) const = 0;
  /// The place of `row` in the file and its text. `old` is the row that is in the file, or null. Sets
  /// `row.place` if it is empty.
  virtual std::vector<Edit> edits(const Row& row, const Row* old) const = 0;
  /// Whether rows can have latencies.
  virtual bool stores_latency() const noexcept { return false; }
  /// The device as it stands in the names of files, by its vendor's name.
  virtual std::string device_in_names(const std::string& device) const;
  /// The label as files have it: the label "none" for a type or a block that names of files leave out.
  virtual std::string label_in_names(std::string_view dimension, const std::string& label) const;
  /// A field that only some names have. Its dimension exists only in tables with such files; in all others it
  /// has the label "none".
  virtual bool is_rare_field(std::string_view) const { return false; }
  /// What the name of a file says, without its rows: operation, device and the fixed values. Nothing if the
  /// format's names do not say all of that.
  virtual std::optional<Sheet> read_path(std::string_view) const { return std::nullopt; }
  /// Whether the runtime falls back to folders of other versions than the wanted one.
  virtual bool takes_other_versions() const noexcept { return true; }
  /// Whether rows of one file can differ in this dimension.
  virtual bool varies(std::string_view operation, std::string_view dimension) const = 0;

  /// The row that the other system would take. All `sheets` are of one operation and match the question,
  /// except for their folders; see `narrow`.
  virtual Answer look_up(std::span<const Sheet* const> sheets, const Question& question) const = 0;
  /// Whether a variant with these parameters can run the key.
  virtual bool supports(const Shape&, const Parameters&) const { return true; }
  /// Known weaknesses of using this row for this key.
  virtual std::vector<std::string> doubts(const Shape&, const Parameters&) const { return {}; }
  /// Parameters as one JSON value, as the other system writes them.
  virtual std::string print_parameters(const Parameters& parameters) const;
};

/// All formats.
std::span<const Format* const> all();
/// The formats with this name or system; '_' and '-' are equivalent. Empty if there is none.
std::vector<const Format*> named(std::string_view name);
/// Null if no format has this operation.
const Format* of_operation(std::string_view operation);
/// Null if the format does not have the operation.
const OperationShape* find_operation(const Format& format, std::string_view operation);
/// "vllm, sglang, …": the systems, for messages.
std::string known_names();

}  // namespace adaptive::table::formats
