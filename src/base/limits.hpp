// The limits of table files. docs/tables.md lists them; the JSON schema repeats those that it can express.
#pragma once

#include <cstddef>
#include <cstdint>

namespace adaptive::inline v1::table::limits {

constexpr std::size_t file_bytes = std::size_t{1} << 30;
/// Size of a file of another system. The largest known one has a third of a MiB.
constexpr std::size_t foreign_file_bytes = std::size_t{64} << 20;
/// Files of one import, and how deep its folders may be nested.
constexpr std::size_t foreign_files = 65'536;
constexpr std::size_t foreign_folders = 16;
/// Size of one text, number or gap. Bounds what the lexer keeps of a file that is not JSON at all.
constexpr std::size_t token_bytes = std::size_t{1} << 20;
/// Nesting of lists and objects. Tables need 8; a deeper file is something else, or an attack.
constexpr std::size_t depth = 32;
/// Values in one entry, in the variants of one operation, or in one field. Bounds the memory while reading.
constexpr std::size_t unit_values = std::size_t{1} << 20;
/// Size of the name of an operation, dimension, label, variant, parameter or library.
constexpr std::size_t name_bytes = 1024;
/// Size of a parameter's text, the name of a device, or a version.
constexpr std::size_t text_bytes = 4096;
constexpr std::size_t trace_line_bytes = std::size_t{64} << 20;
constexpr std::size_t writer_bytes = 64;
/// Writers of one entry. A merge keeps those with the greatest names; a run that saves also keeps itself.
constexpr std::size_t writers = 256;
constexpr std::size_t operations = 4096;
constexpr std::size_t variants = 65'535;
constexpr std::size_t labels = 65'536;
constexpr std::size_t set_labels = 63;
constexpr double weight = 1e6;
constexpr std::size_t notices = 1000;
/// Readers that store every number as a double would change larger whole numbers.
constexpr std::uint64_t count = std::uint64_t{1} << 53;
/// Number of times that a writer can reset a key.
constexpr std::uint64_t generations = count;
constexpr double latency_ns = 1e18;
constexpr double variance_ns2 = 1e36;
/// 9999-12-31T23:59:59Z, the last second with a year of four digits in ISO 8601.
constexpr std::int64_t time = 253'402'300'799;

}  // namespace adaptive::table::limits
