// PyTorch's tunableop_results0.csv, one file for each device of a process:
//
//   Validator,PT_VERSION,2.9.1
//   GemmTunableOp_BFloat16_TN,tn_4096_16_7168_ld_7168_7168_4096,Gemm_Hipblaslt_6849,0.0197
//
// PyTorch refuses the whole file if a validator differs from its own version. The sizes are those of a BLAS
// with column-major matrices: for torch.nn.functional.linear, m is the number of features and n that of
// tokens.
#include "formats/libraries/tunable_op.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/limits.hpp"
#include "base/text.hpp"
#include "formats/nearest.hpp"
#include "formats/text/lines.hpp"
#include "formats/text/measured.hpp"
#include "formats/text/values.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

constexpr std::string_view validator = "Validator,";
constexpr std::string_view packed = "packed";
constexpr std::string_view cublaslt = "Gemm_Cublaslt_";

struct CublasltField {
  std::string_view word;       // in the name of a solution
  std::string_view parameter;  // as the variants of dense_gemm name it
};
// Versions of cuBLAS before 12 do not have the last two.
constexpr std::array<CublasltField, 9> cublaslt_fields = {{{"id", "algorithm"},
                                                           {"tile", "tile"},
                                                           {"stages", "stages"},
                                                           {"splitk", "split_k"},
                                                           {"red", "reduction"},
                                                           {"swizzle", "swizzle"},
                                                           {"custom", "custom"},
                                                           {"inner", "inner_shape"},
                                                           {"cluster", "cluster_shape"}}};
constexpr std::size_t cublaslt_fields_old = 7;

constexpr std::array<NamedVersion, 6> validators = {{{"PT_VERSION", "PT_VERSION"},
                                                     {"CUBLASLT_VERSION", "CUBLASLT_VERSION"},
                                                     {"ROCM_VERSION", "ROCM_VERSION"},
                                                     {"HIPBLASLT_VERSION", "HIPBLASLT_VERSION"},
                                                     {"ROCBLAS_VERSION", "ROCBLAS_VERSION"},
                                                     {"GCN_ARCH_NAME", "GCN_ARCH_NAME"}}};

// Takes a number and the '_' after it from the front of a text.
std::optional<std::int64_t> take_number(std::string_view& text) {
  const std::size_t end = std::min(text.find('_'), text.size());
  const std::optional<std::int64_t> size = parse_size(text.substr(0, end));
  if (size) text.remove_prefix(std::min(end + 1, text.size()));
  return size;
}

bool take_word(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

struct Strides {
  std::int64_t a = 0, b = 0, c = 0;
  friend bool operator==(const Strides&, const Strides&) = default;
};

// Those of matrices without gaps.
Strides packed_strides(const Shape& key) {
  const std::string layout = label_in(key, "layout");
  const auto size = [&](const char* name) { return size_in(key, name).value_or(0); };
  const bool a_transposed = !layout.empty() && layout[0] == 'T';
  const bool b_transposed = layout.size() > 1 && layout[1] == 'T';
  return {a_transposed ? size("k") : size("m"), b_transposed ? size("n") : size("k"), size("m")};
}

std::string print_strides(const Strides& strides) {
  const std::array<std::int64_t, 3> all = {strides.a, strides.b, strides.c};
  return join(all, "_");
}

bool is_batched(const Shape& key) {
  return label_in(key, "op").find("StridedBatched") != std::string::npos;
}

std::string print_operation(const Shape& key) {
  return label_in(key, "op") + "_" + label_in(key, "types") + "_" + label_in(key, "layout");
}

std::string print_signature(const Shape& key) {
  const auto size = [&](const char* name) { return "_" + std::to_string(size_in(key, name).value_or(0)); };
  const std::string strides = label_in(key, "strides");
  const std::string options = label_in(key, "options");
  std::string text = core::ascii_lower(label_in(key, "layout")) + size("m") + size("n") + size("k");
  if (is_batched(key)) text += "_B" + size("batch");
  text += "_ld_" + (strides == packed ? print_strides(packed_strides(key)) : strides);
  if (!options.empty() && options != "none") text += "_" + options;
  return text;
}

bool read_operation(std::string_view text, Shape& key) {
  const std::size_t first = text.find('_');
  const std::size_t last = text.rfind('_');
  if (first == std::string_view::npos || first == 0 || last <= first + 1 || text.size() != last + 3)
    return false;
  key["op"] = text.substr(0, first);
  key["types"] = text.substr(first + 1, last - first - 1);
  key["layout"] = text.substr(last + 1);
  return true;
}

// Nothing if the texts are not those that PyTorch would print.
std::optional<Shape> read_signature(std::string_view operation, std::string_view signature) {
  Shape key;
  if (!read_operation(operation, key)) return std::nullopt;
  std::string_view rest = signature;
  if (!take_word(rest, core::ascii_lower(label_in(key, "layout")) + "_")) return std::nullopt;
  for (const char* name : {"m", "n", "k"}) {
    const std::optional<std::int64_t> size = take_number(rest);
    if (!size) return std::nullopt;
    key[name] = *size;
  }
  key["batch"] = 1;
  if (take_word(rest, "B_")) {
    const std::optional<std::int64_t> batch = take_number(rest);
    if (!batch) return std::nullopt;
    key["batch"] = *batch;
  }
  if (!take_word(rest, "ld_")) return std::nullopt;
  std::array<std::int64_t, 3> strides = {};
  for (std::int64_t& stride : strides) {
    const std::optional<std::int64_t> size = take_number(rest);
    if (!size) return std::nullopt;
    stride = *size;
  }
  const Strides given = {strides[0], strides[1], strides[2]};
  key["strides"] = given == packed_strides(key) ? std::string(packed) : print_strides(given);
  key["options"] = rest.empty() ? std::string("none") : std::string(rest);
  if (print_operation(key) != operation || print_signature(key) != signature) return std::nullopt;
  return key;
}

std::optional<std::string> print_cublaslt(const Parameters& parameters) {
  std::string text = "Gemm_Cublaslt";
  std::size_t count = 0;
  for (const auto& [word, parameter] : cublaslt_fields) {
    const std::optional<std::int64_t> value = size_in(parameters, std::string(parameter));
    if (!value) break;
    text.append("_").append(word).append("_").append(std::to_string(*value));
    ++count;
  }
  const bool complete = count == cublaslt_fields.size() || count == cublaslt_fields_old;
  return complete && count == parameters.size() ? std::optional(text) : std::nullopt;
}

std::string print_solution(const Parameters& parameters) {
  if (const std::optional<std::string> text = print_cublaslt(parameters)) return *text;
  const std::string library = label_in(parameters, "library");
  if (const auto number = size_in(parameters, "solution"); number && !library.empty())
    return "Gemm_" + library + "_" + std::to_string(*number);
  return label_in(parameters, "solution");
}

Parameters read_known_solution(std::string_view text) {
  Parameters parameters;
  if (take_word(text, cublaslt)) {
    for (const auto& [word, parameter] : cublaslt_fields) {
      if (text.empty()) break;
      std::optional<std::int64_t> value;
      if (take_word(text, std::string(word) + "_")) value = take_number(text);
      if (!value) return {};
      parameters.emplace(parameter, *value);
    }
    return parameters;
  }
  for (const std::string_view library : {"Hipblaslt", "Rocblas"}) {
    std::string_view number = text;
    if (!take_word(number, "Gemm_" + std::string(library) + "_")) continue;
    if (const auto solution = parse_size(number))
      return {{"library", std::string(library)}, {"solution", *solution}};
  }
  return {};
}

// Other libraries' solutions keep their name.
Parameters read_solution(std::string_view text) {
  Parameters parameters = read_known_solution(text);
  if (parameters.empty() || print_solution(parameters) != text) return {{"solution", std::string(text)}};
  return parameters;
}

// "13.1.0" is 130100 for the library itself.
std::string cublaslt_number(const std::string& version) {
  std::int64_t number = 0;
  const std::vector<std::string> parts = core::split(version, '.');
  if (parts.size() != 3) return {};
  for (const std::string& part : parts) {
    const std::optional<std::int64_t> value = parse_size(part);
    if (!value || *value > 99) return {};
    number = number * 100 + *value;
  }
  return std::to_string(number);
}

// Whether the row is one line with these fields, whatever its labels are.
bool is_writable(const Shape& key, const std::string& solution) {
  const auto has_separator = [](const std::string& text) {
    return text.empty() || text.find_first_of(",\r\n") != std::string::npos;
  };
  const std::string operation = print_operation(key);
  const std::string signature = print_signature(key);
  return !has_separator(operation) && !has_separator(signature) && !has_separator(solution) &&
         read_signature(operation, signature) == key;
}

class TunableOp final : public TextFormat {
 public:
  std::string_view name() const noexcept override { return "pytorch-tunableop"; }
  std::string_view system() const noexcept override { return "pytorch"; }
  std::string_view what() const noexcept override { return "a result file of PyTorch's TunableOp"; }

  std::span<const OperationShape> operations() const noexcept override {
    static const std::array<OperationShape, 1> all = {
        {{"torch_gemm",
          {size_dimension("m"), size_dimension("n"), size_dimension("k"), size_dimension("batch"),
           label_dimension("op", {"GemmTunableOp"}), label_dimension("types", {}),
           label_dimension("layout", {"TN"}), label_dimension("strides", {std::string(packed)}),
           label_dimension("options", {"none"})}}}};
    return all;
  }
  std::span<const NamedVersion> versions() const noexcept override { return validators; }

  bool recognises_path(std::string_view path) const override {
    const std::string_view name = path.substr(path.rfind('/') + 1);
    return name.starts_with("tunableop_results") && name.ends_with(".csv");
  }
  bool recognises_text(std::string_view text) const override { return text.starts_with(validator); }

  void read_text(const SourceText& source, Sheet& sheet, const Checks& checks) const override {
    sheet.operation = "torch_gemm";
    for_each_line(source.text(), [&](std::string_view line, std::size_t offset) {
      const std::vector<Field> fields = comma_fields(line, offset);
      if (fields.front().text == "Validator")
        read_validator(line, fields, sheet, checks);
      else
        read_row(fields, sheet, checks);
    });
  }

  std::string changed_text(const Sheet& file, std::span<const Change> changes) const override {
    std::string text = file.text;
    for (const Change& change : changes) text = with_row(std::move(text), *change.now);
    return text;
  }

  std::string new_text(const Sheet& file, std::span<const Change> changes) const override {
    std::string text;
    for (const auto& [name, library] : validators)
      if (const std::string version = validated(file, std::string(library)); !version.empty())
        text.append(validator).append(name).append(",").append(version).append("\n");
    for (const Change& change : changes)
      if (is_writable(change.now->key, solution_of(*change.now))) text += print_row(*change.now) + "\n";
    return text;
  }

  std::string path_of(const Sheet&) const override { return "tunableop_results0.csv"; }
  std::string why_not_found(const Sheet& sheet) const override {
    if (!validated(sheet, "PT_VERSION").empty()) return {};
    return "PyTorch refuses a file without its version; give it with --set PT_VERSION=…, or export to a "
           "folder "
           "with a file that PyTorch has written";
  }
  bool supports(const Shape& key, const Parameters& parameters) const override {
    return is_writable(key, print_solution(parameters));
  }
  std::vector<std::string> doubts(const Shape& key, const Parameters& parameters) const override {
    if (supports(key, parameters)) return {};
    return {"PyTorch could not read the key or its solution"};
  }
  bool stores_latency() const noexcept override { return true; }
  bool may_be_zero(std::string_view) const noexcept override { return true; }
  bool varies(std::string_view, std::string_view) const override { return true; }

  Answer look_up(std::span<const Sheet* const> sheets, const Question& question) const override {
    Answer answer = exact_answer(sheets, question.key);
    if (answer.source.empty()) answer.parameters = Parameters{{"solution", "Default"}};
    return answer;
  }

  std::string print_parameters(const Parameters& parameters) const override {
    return "{\"solution\": " + print_json(Parameter(print_solution(parameters))) + "}";
  }

 private:
  static std::string validated(const Sheet& sheet, const std::string& name) {
    std::string version = version_of(sheet, name);
    if (version.empty() && name == "CUBLASLT_VERSION")
      version = cublaslt_number(version_of(sheet, "cublaslt"));
    return version;
  }

  static void read_validator(std::string_view line, const std::vector<Field>& fields, Sheet& sheet,
                             const Checks& checks) {
    if (fields.size() < 3 || fields[1].text.empty())
      return checks.notices().text_fault(fields.front().offset, "is not of the form Validator,NAME,VALUE");
    // A version may contain commas.
    const std::string_view version = line.substr(fields[2].offset - fields[0].offset);
    if (fields[1].text.size() <= limits::name_bytes && version.size() <= limits::text_bytes)
      sheet.libraries.insert_or_assign(std::string(fields[1].text), std::string(version));
  }

  static void read_row(const std::vector<Field>& fields, Sheet& sheet, const Checks& checks) {
    constexpr std::size_t fields_max = 4;
    if (fields.size() < 3 || fields.size() > fields_max)
      return checks.notices().text_fault(
          fields.front().offset, "has " + std::to_string(fields.size()) +
                                     " fields instead of operation, signature, solution and time; the "
                                     "row is left out");
    std::optional<Shape> key = read_signature(fields[0].text, fields[1].text);
    if (!key)
      return checks.notices().text_fault(
          fields[1].offset, "the operation or its signature is not one of PyTorch's; the row is left out");
    if (fields[2].text.size() > limits::text_bytes || !is_writable(*key, std::string(fields[2].text)))
      return checks.notices().text_fault(fields[2].offset, "is not a solution; the row is left out");
    Row row;
    row.key = *std::move(key);
    row.parameters = read_solution(fields[2].text);
    if (fields.size() == fields_max) {
      double ms = 0.0;
      const char* const end = fields[3].text.data() + fields[3].text.size();
      const auto [stop, error] = std::from_chars(fields[3].text.data(), end, ms);
      if (error != std::errc{} || stop != end)
        checks.notices().text_fault(fields[3].offset,
                                    "is not a number of milliseconds; only the file keeps it");
      else
        row.record = record_of(ms * ns_per_ms);
    }
    row.place = {std::string(fields[0].text), std::string(fields[1].text)};
    sheet.rows.push_back(std::move(row));
  }

  static std::string solution_of(const Row& row) {
    return print_solution(row.parameters.value_or(Parameters{{"solution", "Default"}}));
  }

  static std::string print_row(const Row& row) {
    std::string text = print_operation(row.key) + "," + print_signature(row.key) + "," + solution_of(row);
    if (row.record.count > 0) text += "," + print_json(Parameter(row.record.mean_ns / ns_per_ms));
    return text;
  }

  // Replaces the last line of the row's key, or appends one.
  static std::string with_row(std::string text, const Row& row) {
    if (!is_writable(row.key, solution_of(row))) return text;
    const std::string head = print_operation(row.key) + "," + print_signature(row.key) + ",";
    std::size_t begin = std::string::npos;
    std::size_t size = 0;
    for_each_line(text, [&](std::string_view line, std::size_t offset) {
      if (!line.starts_with(head)) return;
      begin = offset;
      size = line.size();
    });
    if (begin != std::string::npos) return text.replace(begin, size, print_row(row));
    const bool windows = text.find("\r\n") != std::string::npos;
    const std::string end = windows ? "\r\n" : "\n";
    if (!text.empty() && !text.ends_with('\n')) text += end;
    return text + print_row(row) + end;
  }
};

}  // namespace

const Format& tunable_op() {
  static const TunableOp format;
  return format;
}

}  // namespace adaptive::table::formats
