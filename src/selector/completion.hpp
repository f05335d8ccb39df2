// Completes the key of a look-up with what the table determines, as the system whose files it holds would.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <adaptive/key.hpp>

#include "formats/format.hpp"
#include "selector/lookup.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::table::formats {

/// The operation that the request names, or the only one that has the dimensions of the request's key. Throws
/// `Error` if there is none, or if several are possible.
const OperationTable& requested_operation(const Table& table, const LookupRequest& request);

/// Completes a key. The table and the operation must outlive it.
class Completion {
 public:
  /// `format` is the format of the table's operation, or null. Throws `Error` if the request has a dimension
  /// or value that the operation cannot have.
  Completion(const Table& table, const OperationTable& operation, const LookupRequest& request,
             const Format* format);

  /// Takes the entries of the whole device if the request is about a slice that no file is for.
  void use_whole_device();
  /// The key with all dimensions. `with_folder` says that the following rule does not choose among folders
  /// itself. Throws `Error` if the table leaves a choice that the rule of the system does not make.
  Shape complete(bool with_folder, const std::string& version);

  /// Takes the entries of the device with the most similar name if no entry is of the requested one. Returns
  /// the completed key. Called after `complete`, so that only devices with entries of the key are considered.
  Shape use_similar_device();

  const std::vector<std::string>& notes() const { return notes_; }
  /// Whether the key has a field that no file of the table has.
  bool has_unknown_field() const;
  /// The device as the request gives it, otherwise the table's.
  const std::string& device() const { return requested_ ? *requested_ : device_; }
  /// The device of the entries that the request is about.
  const std::string& found_device() const { return found_device_; }
  /// Whether these entries were not measured on the requested device.
  bool of_another_device() const;
  /// Whether the request names a version, and the entries are those of another one. Called after `complete`.
  bool of_another_version() const { return of_another_version_; }

 private:
  bool varies(const std::string& dimension) const;
  bool is_one_file() const;
  std::optional<Parameter> value_of(const Dimension& dimension, const std::string& text) const;
  void take_value(const std::string& name, const std::string& text);
  void take_device(const Dimension* dimension, const std::string& text);
  std::size_t index_of(const std::string& dimension) const;
  std::vector<Parameter> values_of(const std::vector<const Key*>& keys, const std::string& dimension) const;
  void keep(const std::string& dimension, const Parameter& value);
  Parameter only_value(const Dimension& dimension) const;
  [[noreturn]] void refuse_choice(const Dimension& dimension, const std::vector<Parameter>& values) const;
  void choose_folder(const std::string& version);
  void compare_version(const std::string& version);

  const OperationTable& operation_;
  const Format* format_;
  std::string device_;         // of the whole table
  bool has_named_files_;       // whether names of files say the device
  bool of_no_device_ = false;  // the request names a device, and the names of the files none
  std::string found_device_;
  std::optional<std::string> requested_;
  std::string whole_device_;    // the label of the device of which the requested one is a slice
  std::string version_of_all_;  // of a table without a dimension for folders; empty: unknown
  bool one_file_ = false;
  bool of_another_version_ = false;
  Shape shape_;
  std::vector<const Key*> left_;      // of entries that fit so far
  std::vector<const Key*> of_files_;  // `left_`, not narrowed by what rows of a file differ in
  std::vector<std::string> notes_;
};

}  // namespace adaptive::table::formats
