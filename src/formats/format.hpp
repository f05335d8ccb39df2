// What a format of another system is. One file (pair) implements each, and registry.cpp lists them.
//
// A format turns the text of one file into a `Sheet` and back. It knows which operations its files are about,
// what the names of files mean, and which row the other system's runtime would take. Everything else
// (folders, tables, changed rows in an unchanged text) is common to all and lies beside this file.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <adaptive/dimension.hpp>
#include <adaptive/match.hpp>

#include "formats/edit.hpp"
#include "formats/sheet.hpp"
#include "json/checks.hpp"

namespace adaptive::table::formats {

/// An operation that files are about. Label dimensions list what is usual, the default first; tables add the
/// labels that occur.
struct OperationShape {
  std::string name = {};
  std::vector<Dimension> dimensions = {};
};

/// A launch that somebody looks up.
struct Question {
  std::string operation = {};
  Shape key = {};            ///< every dimension of the operation
  std::string device = {};   ///< empty: whichever the files are of
  std::string version = {};  ///< of what the folders are named by, "3.5.1"; empty: the newest
};

struct Answer {
  MatchKind match = MatchKind::fallback;
  /// Nothing where the other system computes them by rules that its files do not hold.
  std::optional<Parameters> parameters = {};
  Shape matched = {};       ///< the key of the row; empty for a fallback
  std::string source = {};  ///< the path of its file; empty for a fallback
  std::vector<std::string> warnings =
      {};  ///< as the other system would warn, and where its rule serves badly
};

class Document;

class Format {
 public:
  Format() = default;
  Format(const Format&) = delete;
  Format& operator=(const Format&) = delete;
  virtual ~Format() = default;

  /// What `--from` calls it.
  virtual std::string_view name() const noexcept = 0;
  /// The system whose rule of looking up holds, what `--like` calls it: several formats may share one.
  virtual std::string_view system() const noexcept { return name(); }
  /// For messages: "a vLLM or SGLang configuration".
  virtual std::string_view what() const noexcept = 0;
  virtual std::span<const OperationShape> operations() const noexcept = 0;

  /// By its path below the folder that is read: the names of files are part of most formats.
  virtual bool recognises_path(std::string_view path) const = 0;
  /// By one of the document's members.
  virtual bool recognises_member(JsonValue member) const = 0;

  /// Fills all of the sheet but `format`, `path`, `text` and `lines`. What is wrong is reported and left out.
  virtual void read(const Document& document, Sheet& sheet, const Checks& checks) const = 0;

  /// Where the runtime looks for the file that holds such rows, below a folder.
  virtual std::string path_of(const Sheet& sheet) const = 0;
  /// The file without rows. Fills `sheet.text`.
  virtual std::string empty_document(const Sheet& sheet) const = 0;
  /// Where `row` belongs and how it is written; `old` is the row as it stands in the file, or null. Fills
  /// `row.place` where that is empty.
  virtual std::vector<Edit> edits(const Row& row, const Row* old) const = 0;
  /// Whether a row may say how long its variant took.
  virtual bool stores_latency() const noexcept { return false; }
  /// Whether one file holds rows that differ in this dimension.
  virtual bool varies(std::string_view operation, std::string_view dimension) const = 0;

  /// The row that the other system would take. `sheets` are of one operation and, but for their folders, of
  /// files that the question may mean; see `narrow`.
  virtual Answer look_up(std::span<const Sheet* const> sheets, const Question& question) const = 0;
  /// Whether a variant of these parameters can run the key at all.
  virtual bool supports(const Shape&, const Parameters&) const { return true; }
  /// What is known to serve badly in a row that is used for this key.
  virtual std::vector<std::string> doubts(const Shape&, const Parameters&) const { return {}; }
  /// Parameters as the source writes them: one JSON value.
  virtual std::string print_parameters(const Parameters& parameters) const;
};

/// All of them.
std::span<const Format* const> all();
/// Those of which this is the name or the system ('_' and '-' are one); empty where there is none.
std::vector<const Format*> named(std::string_view name);
/// Null where no format has this operation.
const Format* of_operation(std::string_view operation);
/// Null where the format does not have it.
const OperationShape* find_operation(const Format& format, std::string_view operation);
/// "vllm, sglang, …": the systems, for messages.
std::string known_names();

}  // namespace adaptive::table::formats
