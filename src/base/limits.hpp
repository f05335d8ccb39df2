// The limits of table files. docs/tables.md lists them; the JSON schema repeats those it can express.
#pragma once

#include <cstddef>
#include <cstdint>

namespace adaptive::table::limits {

constexpr std::size_t file_bytes = std::size_t{1} << 30;
/// A file of another system: the largest known is a third of a MiB.
constexpr std::size_t foreign_file_bytes = std::size_t{64} << 20;
/// Files of one import, and folders within folders.
constexpr std::size_t foreign_files = 65'536;
constexpr std::size_t foreign_folders = 16;
/// One text, number or gap in the file. Bounds what the lexer holds of a file that is no JSON at all.
constexpr std::size_t token_bytes = std::size_t{1} << 20;
/// Ours needs 8; a deeper file is another's, or an attack.
constexpr std::size_t depth = 32;
/// Values within one entry, one operation's variants, or one field: bounds memory while reading.
constexpr std::size_t unit_values = std::size_t{1} << 20;
/// Of operations, dimensions, labels, variants, parameters, libraries.
constexpr std::size_t name_bytes = 1024;
/// Of a parameter's text, the device, a version.
constexpr std::size_t text_bytes = 4096;
constexpr std::size_t trace_line_bytes = std::size_t{64} << 20;
constexpr std::size_t writer_bytes = 64;
/// Writers of one entry: a merge keeps those with the greatest names. A run that saves keeps itself besides.
constexpr std::size_t writers = 256;
constexpr std::size_t operations = 4096;
constexpr std::size_t variants = 65'535;
constexpr std::size_t labels = 65'536;
constexpr std::size_t set_labels = 63;
constexpr double weight = 1e6;
constexpr std::size_t notices = 1000;
/// Whole numbers beyond it are changed by readers that hold every number as a double.
constexpr std::uint64_t count = std::uint64_t{1} << 53;
/// How often a writer can reset a key.
constexpr std::uint64_t generations = count;
constexpr double latency_ns = 1e18;
constexpr double variance_ns2 = 1e36;
/// 9999-12-31T23:59:59Z: the last second that ISO 8601 writes with a year of four digits.
constexpr std::int64_t time = 253'402'300'799;

}  // namespace adaptive::table::limits
