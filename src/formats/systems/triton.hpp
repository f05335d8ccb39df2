// The configurations of Triton kernels as vLLM and SGLang keep them: a file for each shape of the weights, a
// row for each batch. What they share; the names of files and the order of folders are their own.
//
//   {"triton_version": "3.6.0", "16": {"BLOCK_SIZE_M": 16, "BLOCK_SIZE_N": 128, …, "num_warps": 4}, …}
//
// No latency is stored, so rows are seeds without a measured value.
#pragma once

#include <string>
#include <string_view>

#include "formats/format.hpp"

namespace adaptive::inline v1::table::formats {

/// The rows of such a document: every member whose name is a whole number is one, null where every variant
/// failed. `dimension` is what the numbers are.
void read_triton_rows(const Document& document, Sheet& sheet, const Checks& checks,
                      std::string_view dimension);

bool is_triton_row(JsonValue member);

/// A row as Triton's tuners write it.
std::string print_triton_row(const Row& row);

/// Operations `fused_moe` and `w8a8_block_matmul`.
class TritonFormat : public Format {
 public:
  std::string_view what() const noexcept final { return "a vLLM or SGLang configuration"; }
  std::span<const OperationShape> operations() const noexcept final;
  bool recognises_member(JsonValue member) const final { return is_triton_row(member); }
  void read(const Document& document, Sheet& sheet, const Checks& checks) const final;
  std::string path_of(const Sheet& sheet) const final;
  std::string empty_document(const Sheet&) const final { return "{}"; }
  std::vector<Edit> edits(const Row& row, const Row* old) const final;
  bool varies(std::string_view, std::string_view dimension) const final { return dimension == "m"; }
  std::vector<std::string> doubts(const Shape& key, const Parameters& parameters) const final;

 protected:
  /// What stands between the elements of a block shape in a name.
  virtual std::string_view block_separator() const noexcept = 0;
  virtual std::string device_name(const std::string& device) const = 0;
  /// What the runtime says where it finds no file.
  Answer not_found(std::span<const Sheet* const> sheets, const Question& question) const;
  /// The nearest row of a file, as both runtimes choose it.
  Answer nearest_in(const Sheet& sheet, const Question& question) const;
};

}  // namespace adaptive::table::formats
