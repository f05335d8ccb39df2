// Builds a table from the parts that json/reader.hpp passes, whatever their order in the file.
#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <adaptive/error.hpp>

#include "base/limits.hpp"
#include "json/checks.hpp"
#include "json/reader.hpp"
#include "table/foreign_files.hpp"
#include "table/foreign_reader.hpp"
#include "table/reading/entry_reader.hpp"
#include "table/reading/operation_reader.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::table {
namespace {

class TableReader final : public PartReader {
 public:
  explicit TableReader(const SourceText& source)
      : source_(source), notices_(source, result_.notices), checks_(notices_) {}

  /// If a tool has sorted all members by name, entries come before the dimensions that they need. Such
  /// entries are read in a second pass over the text.
  bool needs_second_pass() const noexcept { return !deferred_.empty(); }
  void begin_second_pass() noexcept { second_pass_ = true; }

  /// Throws `Error` if the document was not a table.
  ReadResult finish();

  void syntax_fault(const SyntaxFault& fault) {
    has_syntax_fault_ = true;
    notices_.syntax_fault(fault);
  }
  void fault(const Error& error) {
    const std::string& where = error.where();
    result_.notices.push_back({where.empty() ? source_.name() : where, error.problem(), LogLevel::error});
  }
  /// Called instead of `finish` if only the notices are wanted.
  std::vector<Notice> faults();
  std::vector<Notice> notices() { return std::move(result_.notices); }

  void not_an_object(JsonKind kind, std::size_t offset) override {
    throw Error(ErrorCode::corrupt,
                "not an adaptive table: the document is " + std::string(to_string(kind)) + ", not an object",
                source_.line(offset));
  }
  void member(JsonValue value) override;
  void begin_operations(JsonKind kind, std::size_t offset) override {
    if (kind != JsonKind::object && !second_pass_)
      notices_.fault(offset, root_ / "operations",
                     "must be an object, but is " + std::string(to_string(kind)));
  }
  bool begin_operation(std::string_view name, JsonKind kind, std::size_t offset) override;
  void operation_member(JsonValue value) override;
  bool begin_entries(std::size_t offset) override;
  void entry(std::size_t index, JsonValue value) override { entries_->read(value, entries_path_ / index); }
  void end_operation() override;

 private:
  void version(JsonValue value);

  const SourceText& source_;
  ReadResult result_;
  Notices notices_;
  Checks checks_;
  const Path root_{};
  const Path operations_path_ = root_ / "operations";

  // State of the document.
  bool is_ours_ = false;
  bool has_version_ = false;
  bool has_tool_ = false;
  bool has_fingerprint_ = false;
  bool has_foreign_ = false;
  std::size_t foreign_members_ = 0;
  std::string_view foreign_;
  std::optional<Error> version_error_;
  std::string wrong_schema_;

  // State of the current operation.
  OperationTable* operation_ = nullptr;
  std::string operation_name_;
  std::size_t operation_offset_ = 0;
  Path operation_path_;
  Path entries_path_;
  bool has_dimensions_ = false;
  bool has_variants_ = false;
  bool has_entries_ = false;
  bool failed_ = false;
  std::optional<EntryReader> entries_;

  bool has_syntax_fault_ = false;
  bool second_pass_ = false;
  std::set<std::string, std::less<>> deferred_;
};

void TableReader::member(JsonValue value) {
  if (second_pass_) return;
  const std::string_view name = value.name();
  const Path path = root_ / name;
  const auto first = [&](bool& seen) {
    if (seen) notices_.fault(value, path, "appears again; the first one counts");
    return !std::exchange(seen, true);
  };
  if (name == "schema") {
    if (is_ours_)
      notices_.fault(value, path, "appears again; the first one counts");
    else if (value.is(JsonKind::text) && value.text() == "adaptive-table")
      is_ours_ = true;
    else
      wrong_schema_ =
          value.is(JsonKind::text) ? in_quotes(value.text()) : std::string(to_string(value.kind()));
    if (is_ours_ && version_error_) throw Error(*version_error_);
  } else if (name == "version") {
    if (first(has_version_)) version(value);
  } else if (name == "tool") {
    if (first(has_tool_)) result_.table.tool = checks_.text(value, path, limits::text_bytes).value_or("");
  } else if (name == "fingerprint") {
    if (first(has_fingerprint_)) read_fingerprint(value, path, checks_, result_.table.fingerprint);
  } else if (name == "foreign") {
    if (first(has_foreign_)) read_foreign_files(value, path, checks_, result_.table.foreign);
  } else if (name != "$schema") {  // "$schema" is for editors
    notices_.unknown_field(value, root_, "a table");
    constexpr std::size_t looks_max = 64;
    if (foreign_.empty() && foreign_members_++ < looks_max)
      foreign_ = name == "latency_us" ? "a trace" : foreign_reader().looks_like(value);
  }
}

// A file of another tool may have a version of its own. The message that the file is not a table is then more
// useful.
void TableReader::version(JsonValue value) {
  if (value.is(JsonKind::integer) && value.integer() >= Table::oldest_schema_version &&
      value.integer() <= Table::schema_version)
    return;
  const std::string current = std::to_string(Table::schema_version);
  const std::string where = source_.line(value.offset()) + "#/version";
  if (value.is(JsonKind::integer) && value.integer() > Table::schema_version)
    version_error_.emplace(ErrorCode::unsupported,
                           "the table has schema version " + std::to_string(value.integer()) +
                               "; this library reads versions up to " + current,
                           where,
                           "read it with a newer version of adaptive, or write it again with this one");
  else
    version_error_.emplace(ErrorCode::corrupt, "not a schema version", where,
                           "the current one is " + current);
  if (is_ours_) throw Error(*version_error_);
}

bool TableReader::begin_operation(std::string_view name, JsonKind kind, std::size_t offset) {
  operation_name_ = name;
  operation_path_ = operations_path_ / operation_name_;
  entries_path_ = operation_path_ / "entries";
  operation_offset_ = offset;
  entries_.reset();
  if (second_pass_) {
    // Only the first operation of a name is kept. Removing it here prevents that others are read into it.
    if (deferred_.erase(operation_name_) == 0) return false;
    operation_ = &result_.table.operations.at(operation_name_);
    has_entries_ = false;
    return true;
  }
  if (kind != JsonKind::object) {
    notices_.fault(offset, operation_path_, "must be an object, but is " + std::string(to_string(kind)));
    return false;
  }
  if (!checks_.name(name, offset, operation_path_)) return false;
  if (result_.table.operations.size() == limits::operations) {
    notices_.fault(offset, operation_path_,
                   "more than " + std::to_string(limits::operations) + " operations; this one is left out");
    return false;
  }
  const auto [place, added] = result_.table.operations.try_emplace(operation_name_);
  if (!added) {
    notices_.fault(offset, operation_path_, "appears again; the first one counts");
    return false;
  }
  operation_ = &place->second;
  operation_->name = name;
  has_dimensions_ = has_variants_ = has_entries_ = failed_ = false;
  return true;
}

void TableReader::operation_member(JsonValue value) {
  if (second_pass_) return;
  const std::string_view name = value.name();
  const Path path = operation_path_ / name;
  const bool again = (name == "dimensions" && has_dimensions_) || (name == "variants" && has_variants_) ||
                     (name == "entries" && has_entries_);
  if (again) {
    notices_.fault(value, path, "appears again; the first one counts");
  } else if (name == "dimensions") {
    has_dimensions_ = true;
    failed_ = !read_dimensions(value, path, checks_, operation_->dimensions) || failed_;
  } else if (name == "variants") {
    has_variants_ = true;
    failed_ = !read_variants(value, path, checks_, operation_->variants) || failed_;
  } else if (name == "entries") {
    has_entries_ = true;
    checks_.is(value, JsonKind::list, path);
  } else if (name == "mapping") {
    if (checks_.is(value, JsonKind::object, path)) operation_->mapping = compact_text(value);
  } else {
    notices_.unknown_field(value, operation_path_, "an operation");
  }
}

bool TableReader::begin_entries(std::size_t offset) {
  if (has_entries_) {
    if (!second_pass_) notices_.fault(offset, entries_path_, "appears again; the first one counts");
    return false;
  }
  has_entries_ = true;
  if (failed_) return false;
  if (!second_pass_ && (!has_dimensions_ || !has_variants_)) {
    deferred_.insert(operation_name_);
    return false;
  }
  entries_.emplace(*operation_, checks_);
  return true;
}

void TableReader::end_operation() {
  if (second_pass_) return;
  const std::string problem = !has_dimensions_ ? "has no dimensions"
                              : !has_variants_ ? "has no variants"
                              : failed_        ? "its dimensions or variants cannot be used"
                                               : "";
  if (!problem.empty()) {
    notices_.fault(operation_offset_, operation_path_, problem + "; the operation is left out");
    deferred_.erase(operation_name_);
    result_.table.operations.erase(operation_name_);
  }
  operation_ = nullptr;
}

ReadResult TableReader::finish() {
  if (!is_ours_) {
    std::string problem = "not an adaptive table";
    if (!foreign_.empty())
      problem += ": it looks like " + std::string(foreign_);
    else if (!wrong_schema_.empty())
      problem += ": its \"schema\" is " + wrong_schema_;
    else
      problem += ": it has no \"schema\": \"adaptive-table\"";
    throw Error(ErrorCode::corrupt, problem, source_.name(),
                foreign_.empty() ? "" : "convert it with `adaptive import`");
  }
  if (!has_version_)
    throw Error(ErrorCode::corrupt, "the table has no \"version\"", source_.name(),
                "the current one is " + std::to_string(Table::schema_version));
  notices_.finish();
  return std::move(result_);
}

std::vector<Notice> TableReader::faults() {
  // After a fault of syntax the rest of the text was not read; the schema and the version may be there.
  const bool may_be_ours = has_syntax_fault_ && foreign_.empty() && wrong_schema_.empty();
  try {
    if (!may_be_ours || (is_ours_ && has_version_)) return finish().notices;
  } catch (const Error& error) {
    fault(error);
  }
  notices_.finish();
  return std::move(result_.notices);
}

void check_table_size(std::string_view text, const std::string& source) {
  if (text.size() > limits::file_bytes)
    throw Error(ErrorCode::too_large, "larger than " + std::to_string(limits::file_bytes) + " bytes", source);
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    throw Error(ErrorCode::corrupt, "the file is empty", source + ":1");
}

void read_passes(std::string_view text, TableReader& reader) {
  read_parts(text, reader);
  if (!reader.needs_second_pass()) return;
  reader.begin_second_pass();
  read_parts(text, reader);
}

}  // namespace

ReadResult parse(std::string_view text, const std::string& source) {
  check_table_size(text, source);
  const SourceText place(text, source);
  try {
    TableReader reader(place);
    read_passes(text, reader);
    return reader.finish();
  } catch (const SyntaxFault& fault) {
    throw Error(ErrorCode::corrupt, "not valid JSON: " + fault.what, place.line_and_column(fault.offset));
  }
}

std::vector<Notice> validate(std::string_view text, const std::string& source) {
  const SourceText place(text, source);
  TableReader reader(place);
  try {
    check_table_size(text, source);
    read_passes(text, reader);
  } catch (const SyntaxFault& fault) {
    reader.syntax_fault(fault);
  } catch (const Error& error) {
    reader.fault(error);
    return reader.notices();
  }
  return reader.faults();
}

}  // namespace adaptive::table
