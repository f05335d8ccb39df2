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
#include "json/source_text.hpp"

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

/// A version that files name, and which a user can supply: `given` is its name there, `library` its name in a
/// fingerprint.
struct NamedVersion {
  std::string_view given;
  std::string_view library;
};

/// A row of a table, and the row of the file that it replaces; null if the file has no row of its key.
struct Change {
  const Row* now = nullptr;
  const Row* old = nullptr;
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
  /// Whether each file names an operation of its own, so that `operations` is empty; see `Sheet::dimensions`.
  virtual bool names_operations() const noexcept { return false; }
  /// The versions that files name and a user can give.
  virtual std::span<const NamedVersion> versions() const noexcept { return {}; }

  /// Whether the file has this format, by its path relative to the folder. Most formats prescribe names of
  /// files.
  virtual bool recognises_path(std::string_view path) const = 0;
  /// Whether the file has this format, by one member of the document.
  virtual bool recognises_member(JsonValue member) const = 0;

  /// Fills the sheet, except `format`, `path`, `text`, `lines` and `given`. Faulty parts are reported and
  /// left out.
  virtual void read(const Document& document, Sheet& sheet, const Checks& checks) const = 0;

  /// Whether files are lines of text, and not JSON. Such a format derives from `TextFormat`.
  virtual bool is_text() const noexcept { return false; }

  /// The path, relative to a folder, at which the runtime looks for a file with such rows.
  virtual std::string path_of(const Sheet& sheet) const = 0;
  /// Why the runtime would not find the file at that path; empty if it finds the file.
  virtual std::string why_not_found(const Sheet&) const { return {}; }
  /// Fills `sheet.text` with a file without rows.
  virtual std::string empty_document(const Sheet& sheet) const = 0;
  /// The place of `row` in the file and its text. `old` is the row that is in the file, or null. Sets
  /// `row.place` if it is empty.
  virtual std::vector<Edit> edits(const Row& row, const Row* old) const = 0;
  /// The text of an imported file with these changes. Everything else in it stays as it is.
  virtual std::string changed_text(const Sheet& file, std::span<const Change> changes) const;
  /// The text of a new file.
  virtual std::string new_text(const Sheet& file, std::span<const Change> changes) const;
  /// Why the rows of a file cannot be changed; empty if they can.
  virtual std::string_view why_not_changed() const noexcept { return {}; }
  /// Why no file can be made for new rows; empty if one can.
  virtual std::string_view why_not_made() const noexcept { return {}; }
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
  /// Whether files of different folders are for different software, so that a table tells them apart.
  virtual bool tells_folders_apart() const noexcept { return true; }
  /// Whether the runtime falls back to folders of other versions than the wanted one.
  virtual bool takes_other_versions() const noexcept { return true; }
  /// Whether rows of one file can differ in this dimension.
  virtual bool varies(std::string_view operation, std::string_view dimension) const = 0;

  /// The row that the other system would take. All `sheets` are of one operation and match the question,
  /// except for their folders; see `narrow`.
  virtual Answer look_up(std::span<const Sheet* const> sheets, const Question& question) const = 0;
  /// Whether a variant with these parameters can run the key.
  virtual bool supports(const Shape&, const Parameters&) const { return true; }
  /// Whether 0 is a possible value of the parameter. Sizes of tiles are positive.
  virtual bool may_be_zero(std::string_view) const noexcept { return false; }
  /// Known weaknesses of using this row for this key.
  virtual std::vector<std::string> doubts(const Shape&, const Parameters&) const { return {}; }
  /// Parameters as one JSON value, as the other system writes them.
  virtual std::string print_parameters(const Parameters& parameters) const;
};

/// A format whose files are lines of text.
class TextFormat : public Format {
 public:
  bool is_text() const noexcept final { return true; }
  /// Whether the file has this format, by its text.
  virtual bool recognises_text(std::string_view text) const = 0;
  /// As `read`.
  virtual void read_text(const SourceText& source, Sheet& sheet, const Checks& checks) const = 0;

  bool recognises_member(JsonValue) const final { return false; }
  void read(const Document&, Sheet&, const Checks&) const final {}
  std::string empty_document(const Sheet&) const final { return {}; }
  std::vector<Edit> edits(const Row&, const Row*) const final { return {}; }
  std::string changed_text(const Sheet& file, std::span<const Change> changes) const override = 0;
  std::string new_text(const Sheet& file, std::span<const Change> changes) const override = 0;
};

/// All formats.
std::span<const Format* const> all();
/// The formats with this name or system; '_' and '-' are equivalent. Empty if there is none.
std::vector<const Format*> named(std::string_view name);
/// The dimensions of the sheet's operation.
std::span<const Dimension> dimensions_of(const Sheet& sheet);
/// Null if no format has this operation.
const Format* of_operation(std::string_view operation);
/// Null if the format does not have the operation.
const OperationShape* find_operation(const Format& format, std::string_view operation);
/// The first dimension of the operation that the format's operation of that name lacks: then it is another
/// operation with the same name. Null if there is none. An import adds dimensions if its files are of several
/// devices or versions, or if their names have rare or unknown fields.
const Dimension* foreign_dimension(const Format& format, const OperationShape& shape,
                                   const OperationTable& operation);
/// "vllm, sglang, …": the systems, for messages.
std::string known_names();

}  // namespace adaptive::table::formats
