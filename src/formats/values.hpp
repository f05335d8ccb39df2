// Single values of foreign files: numbers in texts, parameters, names of variants.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/sheet.hpp"
#include "json/checks.hpp"

namespace adaptive::table::formats {

bool is_utf8(std::string_view text);

/// "64" as a size: digits alone, no more than 2^53. Nothing for anything else.
std::optional<std::int64_t> parse_size(std::string_view text);

/// "[128, 128]" and "128x128" as {128, 128}, "(2, 4)" and "2,4" and "2+4" as {2, 4}. Nothing where the text
/// is no such list.
std::optional<std::vector<std::int64_t>> parse_list(std::string_view text);
/// {128, 128} with "x" as "128x128".
std::string join(std::span<const std::int64_t> values, std::string_view separator);

/// The members of an object that a table can hold as parameters: numbers, truth values, texts. Others are
/// noticed; the file keeps them. Of members with the same name the last counts, as in Python.
Parameters read_parameters(JsonValue object, const Path& path, const Checks& checks);

/// A list of `names.size()` whole numbers as parameters. Nothing, with a notice, for another list.
std::optional<Parameters> read_sizes(JsonValue list, const Path& path, const Checks& checks,
                                     std::span<const std::string_view> names);

/// One JSON value, as Python's json prints it.
std::string print_json(const Parameter& value);
/// An object of `parameters` on one line: those of `order` first and in that order, the others by name.
std::string print_json(const Parameters& parameters, std::span<const std::string_view> order);
/// "[8, 32]" of the parameters with these names; one that is missing counts 0.
std::string print_list(const Parameters& parameters, std::span<const std::string_view> names);

/// A name that says the parameters: "m16_n64_k128_g1_w4_s3_kpack:2". The same parameters always have the same
/// name; different ones may share it where a text looks like a number, or two systems abbreviate alike.
std::string variant_name(const Parameters& parameters);
/// That name with a number that tells such parameters apart.
std::string exact_variant_name(const Parameters& parameters);

/// Seconds as a number, of which JSON has no type: 1704067200.0. Nothing where it is no time.
std::optional<std::int64_t> parse_seconds(JsonValue value);

/// Where `dimension` is a size and the parameter does not divide it: "BLOCK_SIZE_K=24 does not divide K=100".
std::optional<std::string> indivisible(const Shape& key, const std::string& dimension,
                                       const Parameters& parameters, const std::string& parameter);

}  // namespace adaptive::table::formats
