// The common parts of Triton configurations in vLLM and SGLang: one file for each shape of the weights, one
// row for each batch. The two systems differ in the names of files and the order of folders.
//
//   {"triton_version": "3.6.0", "16": {"BLOCK_SIZE_M": 16, "BLOCK_SIZE_N": 128, …, "num_warps": 4}, …}
//
// No latency is stored, so rows are seeds without a measured value.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "formats/format.hpp"

namespace adaptive::inline v1::table::formats {

/// Reads the rows of such a document: every member whose name is a whole number is a row, and null means that
/// every variant failed. The numbers are values of `dimension`.
void read_triton_rows(const Document& document, Sheet& sheet, const Checks& checks,
                      std::string_view dimension);

bool is_triton_row(JsonValue member);

/// Prints a row as Triton's tuners do.
std::string print_triton_row(const Row& row);

/// The operations `fused_moe` and `w8a8_block_matmul`.
class TritonFormat : public Format {
 public:
  std::string_view what() const noexcept final { return "a vLLM or SGLang configuration"; }
  std::span<const OperationShape> operations() const noexcept final;
  std::span<const NamedVersion> versions() const noexcept final;
  bool recognises_member(JsonValue member) const final { return is_triton_row(member); }
  void read(const Document& document, Sheet& sheet, const Checks& checks) const final;
  std::string path_of(const Sheet& sheet) const final;
  std::string empty_document(const Sheet&) const override { return "{}"; }
  std::vector<Edit> edits(const Row& row, const Row* old) const final;
  bool varies(std::string_view, std::string_view dimension) const final { return dimension == "m"; }
  std::string label_in_names(std::string_view dimension, const std::string& label) const final;
  bool is_rare_field(std::string_view field) const final { return field == "backend"; }
  std::optional<Sheet> read_path(std::string_view path) const final;
  std::string print_parameters(const Parameters& parameters) const final;
  std::vector<std::string> doubts(const Shape& key, const Parameters& parameters) const final;

 protected:
  /// The folder in which the runtime looks for the file, with a final '/'; empty: the one that it is given.
  virtual std::string folder_of(const Sheet&) const { return {}; }
  /// The text between the elements of a block shape in the name of a file.
  virtual std::string_view block_separator() const noexcept = 0;
  /// The answer and the warning of the runtime if it finds no file.
  Answer not_found(std::span<const Sheet* const> sheets, const Question& question) const;
  /// The nearest row of a file, as both runtimes choose it.
  Answer nearest_in(const Sheet& sheet, const Question& question) const;
};

}  // namespace adaptive::table::formats
