// hipBLASLt's tuning file, which the library reads from HIPBLASLT_TUNING_OVERRIDE_FILE:
//
//   Git Version: de5c1aebb6
//   transA,transB,grouped_gemm,batch_count,m,n,k,alpha,lda,stride_a,beta,…,us,solution_index
//       N,N,0,1,1024,512,1024,1,1024,1048576,1,…,16.1189,56537
//
// A line of names precedes the lines of values, and may come again. Columns differ between versions; the
// newest also have solution_name. The library refuses a file of another Git version.
#include "formats/libraries/hipblaslt.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.hpp"
#include "base/text.hpp"
#include "formats/nearest.hpp"
#include "formats/text/lines.hpp"
#include "formats/text/measured.hpp"
#include "formats/text/values.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

constexpr std::string_view version_head = "Git Version: ";
constexpr std::array<NamedVersion, 1> hipblaslt_versions = {{{"hipblaslt_git", "hipblaslt_git"}}};

// The columns by which the library finds a line.
constexpr std::array<std::string_view, 4> size_columns = {"m", "n", "k", "batch_count"};
constexpr std::array<std::string_view, 6> label_columns = {"transA", "transB", "a_type",
                                                           "b_type", "c_type", "compute_type"};

using Columns = std::vector<std::string>;

// "soulution_index" is how older versions spell it.
bool is_index_column(std::string_view name) {
  return name == "solution_index" || name == "soulution_index";
}

bool is_head(const std::vector<Field>& fields) {
  return core::trimmed(fields.front().text).ends_with("transA");
}

// The names of columns; a line may begin with "[0]:".
Columns columns_in(const std::vector<Field>& fields) {
  Columns columns;
  for (const Field& field : fields) {
    const std::string_view name = core::trimmed(field.text);
    columns.emplace_back(columns.empty() ? std::string_view("transA") : name);
  }
  return columns;
}

const Field* field_of(const Columns& columns, const std::vector<Field>& fields, std::string_view name) {
  for (std::size_t i = 0; i < columns.size() && i < fields.size(); ++i)
    if (columns[i] == name || (name == "solution_index" && is_index_column(columns[i]))) return &fields[i];
  return nullptr;
}

std::optional<double> number_in(std::string_view text) {
  double value = 0.0;
  text = core::trimmed(text);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

// A line of values: its key, or why it has none, and at which offset.
struct LineKey {
  Shape key = {};
  std::string why = {};
  std::size_t offset = 0;
};

LineKey key_in(const Columns& columns, const std::vector<Field>& fields) {
  LineKey result;
  result.offset = fields.front().offset;
  if (columns.empty()) {
    result.why = "stands before the line with the names of the columns";
    return result;
  }
  if (fields.size() != columns.size()) {
    result.why =
        "has " + std::to_string(fields.size()) + " values for " + std::to_string(columns.size()) + " columns";
    return result;
  }
  for (const std::string_view name : size_columns) {
    const Field* const field = field_of(columns, fields, name);
    const std::optional<std::int64_t> size =
        field == nullptr ? std::nullopt : parse_size(core::trimmed(field->text));
    if (!size) {
      result.why = "has no size " + std::string(name);
      if (field != nullptr) result.offset = field->offset;
      return result;
    }
    result.key[std::string(name)] = *size;
  }
  for (const std::string_view name : label_columns) {
    const Field* const field = field_of(columns, fields, name);
    const std::string_view text = field == nullptr ? std::string_view() : core::trimmed(field->text);
    if (text.empty() || text.size() > limits::name_bytes) {
      result.why = "has no " + std::string(name);
      if (field != nullptr) result.offset = field->offset;
      return result;
    }
    result.key[std::string(name)] = text;
  }
  return result;
}

// Whether the labels can be fields of a line.
bool is_writable_line(const Shape& key) {
  return std::all_of(label_columns.begin(), label_columns.end(), [&](std::string_view name) {
    const std::string text = label_in(key, std::string(name));
    return !text.empty() && core::trimmed(text) == text && text.find_first_of(",\r\n") == std::string::npos;
  });
}

class Hipblaslt final : public TextFormat {
 public:
  std::string_view name() const noexcept override { return "hipblaslt"; }
  std::string_view what() const noexcept override { return "a tuning file of hipBLASLt"; }
  std::span<const OperationShape> operations() const noexcept override {
    static const std::array<OperationShape, 1> all = {
        {{"hipblaslt_matmul",
          {size_dimension("m"), size_dimension("n"), size_dimension("k"), size_dimension("batch_count"),
           label_dimension("transA", {"N"}), label_dimension("transB", {"N"}), label_dimension("a_type", {}),
           label_dimension("b_type", {}), label_dimension("c_type", {}),
           label_dimension("compute_type", {"f32_r"})}}}};
    return all;
  }
  std::span<const NamedVersion> versions() const noexcept override { return hipblaslt_versions; }

  bool recognises_path(std::string_view) const override { return false; }
  bool recognises_text(std::string_view text) const override {
    return text.starts_with(version_head) || text.starts_with("transA,transB,");
  }

  void read_text(const SourceText& source, Sheet& sheet, const Checks& checks) const override {
    sheet.operation = "hipblaslt_matmul";
    Columns columns;
    for_each_line(source.text(), [&](std::string_view line, std::size_t offset) {
      if (line.starts_with(version_head)) {
        const std::string_view version = core::trimmed(line.substr(version_head.size()));
        if (!version.empty() && version.size() <= limits::text_bytes)
          sheet.libraries["hipblaslt_git"] = version;
        return;
      }
      const std::vector<Field> fields = comma_fields(line, offset);
      if (is_head(fields))
        columns = columns_in(fields);
      else
        read_row(columns, fields, sheet, checks);
    });
  }

  std::string changed_text(const Sheet& file, std::span<const Change> changes) const override {
    std::string text = file.text;
    for (const Change& change : changes) text = with_row(std::move(text), *change.now);
    return text;
  }
  // The columns that the library needs in order to find a line.
  std::string new_text(const Sheet& file, std::span<const Change> changes) const override {
    std::string text;
    if (const std::string version = version_of(file, "hipblaslt_git"); !version.empty())
      text.append(version_head).append(version).append("\n");
    text.append(head_line).append("\n");
    for (const Change& change : changes)
      if (is_writable_line(change.now->key)) text += print_line(*change.now) + "\n";
    return text;
  }
  std::string path_of(const Sheet&) const override { return "hipblaslt_tuning.txt"; }
  std::string why_not_found(const Sheet& sheet) const override {
    if (!version_of(sheet, "hipblaslt_git").empty()) return {};
    return "hipBLASLt refuses a file without its Git version; give it with --set hipblaslt_git=…, or export "
           "to a "
           "folder with a file that hipBLASLt has written";
  }
  bool supports(const Shape& key, const Parameters&) const override { return is_writable_line(key); }
  std::vector<std::string> doubts(const Shape& key, const Parameters&) const override {
    if (is_writable_line(key)) return {};
    return {"hipBLASLt could not read a label of the key"};
  }
  bool stores_latency() const noexcept override { return true; }
  bool may_be_zero(std::string_view) const noexcept override { return true; }
  bool varies(std::string_view, std::string_view) const override { return true; }

  Answer look_up(std::span<const Sheet* const> sheets, const Question& question) const override {
    Answer answer = exact_answer(sheets, question.key);
    if (answer.source.empty())
      answer.warnings.emplace_back(
          "hipBLASLt would use its own heuristic for a product that the file does not have");
    return answer;
  }

 private:
  static constexpr std::string_view head_line =
      "transA,transB,batch_count,m,n,k,a_type,b_type,c_type,compute_type,us,solution_index";

  static void read_row(const Columns& columns, const std::vector<Field>& fields, Sheet& sheet,
                       const Checks& checks) {
    LineKey found = key_in(columns, fields);
    if (!found.why.empty())
      return checks.notices().text_fault(found.offset, found.why + "; the row is left out");
    const Field* const index = field_of(columns, fields, "solution_index");
    const auto solution = index == nullptr ? std::nullopt : parse_size(core::trimmed(index->text));
    if (!solution)
      return checks.notices().text_fault(index == nullptr ? found.offset : index->offset,
                                         "has no solution_index; the row is left out");
    Row row;
    row.key = std::move(found.key);
    row.parameters = Parameters{{"solution", *solution}};
    if (const Field* const us = field_of(columns, fields, "us"))
      if (const std::optional<double> time = number_in(us->text)) row.record = record_of(*time * ns_per_us);
    sheet.rows.push_back(std::move(row));
  }

  static std::string print_line(const Row& row) {
    const auto size = [&](const char* name) { return std::to_string(size_in(row.key, name).value_or(0)); };
    std::string line =
        label_in(row.key, "transA") + "," + label_in(row.key, "transB") + "," + size("batch_count");
    for (const char* name : {"m", "n", "k"}) line += "," + size(name);
    for (const char* name : {"a_type", "b_type", "c_type", "compute_type"})
      line += "," + label_in(row.key, name);
    line += "," +
            (row.record.count > 0 ? print_json(Parameter(row.record.mean_ns / ns_per_us)) : std::string("0"));
    return line + "," + std::to_string(solution_of(row));
  }
  static std::int64_t solution_of(const Row& row) {
    return row.parameters ? size_in(*row.parameters, "solution").value_or(0) : 0;
  }

  // Changes solution and time in the last line of the row's key. The name of the old solution is removed.
  static std::string with_row(std::string text, const Row& row) {
    if (!is_writable_line(row.key)) return text;
    Columns columns;
    Columns own;
    std::size_t begin = std::string::npos;
    std::vector<Field> parts;
    for_each_line(text, [&](std::string_view line, std::size_t offset) {
      if (line.starts_with(version_head)) return;
      const std::vector<Field> fields = comma_fields(line, offset);
      if (is_head(fields)) {
        columns = columns_in(fields);
        return;
      }
      const LineKey found = key_in(columns, fields);
      if (!found.why.empty() || found.key != row.key) return;
      begin = offset;
      own = columns;
      parts = fields;
    });
    if (begin == std::string::npos) return appended(std::move(text), row);
    std::string line;
    std::size_t end = begin;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      end = parts[i].offset + parts[i].text.size();
      std::string value(parts[i].text);
      if (is_index_column(own[i])) value = std::to_string(solution_of(row));
      if (own[i] == "us")
        value = row.record.count > 0 ? print_json(Parameter(row.record.mean_ns / ns_per_us)) : "0";
      if (own[i] == "solution_name" || own[i] == "kernel_name") value = "";
      line += (i == 0 ? "" : ",") + value;
    }
    return text.replace(begin, end - begin, line);
  }

  static std::string appended(std::string text, const Row& row) {
    const std::string end = text.find("\r\n") != std::string::npos ? "\r\n" : "\n";
    if (!text.empty() && !text.ends_with('\n')) text += end;
    return text.append(head_line).append(end).append(print_line(row)).append(end);
  }
};

}  // namespace

const Format& hipblaslt() {
  static const Hipblaslt format;
  return format;
}

}  // namespace adaptive::table::formats
