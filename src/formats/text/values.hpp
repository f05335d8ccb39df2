// Reads and prints single values of foreign files: numbers in texts, parameters, names of variants.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/sheet.hpp"
#include "json/checks.hpp"

namespace adaptive::inline v1::table::formats {

bool is_utf8(std::string_view text);

/// Reads "64" as a size: only digits, at most 2^53. Nothing for any other text.
std::optional<std::int64_t> parse_size(std::string_view text);

/// "[128, 128]" and "128x128" become {128, 128}; "(2, 4)", "2,4" and "2+4" become {2, 4}. Nothing if the text
/// is not such a list.
std::optional<std::vector<std::int64_t>> parse_list(std::string_view text);
/// {128, 128} becomes "128x128" with the separator "x".
std::string join(std::span<const std::int64_t> values, std::string_view separator);

/// The value as a parameter; nothing if it is not a number, a truth value or a text, or too long.
std::optional<Parameter> parameter_in(JsonValue value);

/// The members of an object that a table can hold as parameters: numbers, truth values, texts. Other members
/// give a notice; the file keeps them. If several members have the same name, the last one counts, as in
/// Python.
Parameters read_parameters(JsonValue object, const Path& path, const Checks& checks);

/// The same. Nothing, and a notice, if a size of a tile is not positive.
std::optional<Parameters> read_tiles(JsonValue object, const Path& path, const Checks& checks);

/// A list of `names.size()` positive whole numbers as parameters. Nothing, and a notice, for any other list.
std::optional<Parameters> read_sizes(JsonValue list, const Path& path, const Checks& checks,
                                     std::span<const std::string_view> names);

/// One JSON value, printed as Python's json module prints it.
std::string print_json(const Parameter& value);
/// `parameters` as an object on one line: first those in `order`, in that order, then the others by name.
std::string print_json(const Parameters& parameters, std::span<const std::string_view> order);
/// The parameters with these names as a list, "[8, 32]"; 0 for a missing one.
std::string print_list(const Parameters& parameters, std::span<const std::string_view> names);

/// A name made of the parameters: "m16_n64_k128_g1_w4_s3_kpack:2". Equal parameters have equal names.
/// Different ones may share a name if a text looks like a number, or if two systems use the same
/// abbreviation.
std::string variant_name(const Parameters& parameters);
/// That name with a number that distinguishes such parameters.
std::string exact_variant_name(const Parameters& parameters);

/// A number of seconds, which may be written as 1704067200.0. Nothing if it is not a time.
std::optional<std::int64_t> parse_seconds(JsonValue value);

/// A warning if `dimension` is a size that the parameter does not divide: "BLOCK_SIZE_K=24 does not divide
/// K=100".
std::optional<std::string> indivisible(const Shape& key, const std::string& dimension,
                                       const Parameters& parameters, const std::string& parameter);

}  // namespace adaptive::table::formats
