// The table in memory, and functions that read and write it. docs/tables.md documents the file format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <adaptive/device.hpp>
#include <adaptive/dimension.hpp>
#include <adaptive/key.hpp>
#include <adaptive/latency.hpp>
#include <adaptive/variant.hpp>

#include "base/notice.hpp"

namespace adaptive::inline v1::table {

/// Latencies of one variant at one key. If `count` is 0, only `failures` and `failed_at` may be set. `recent`
/// is for people; quantiles cannot be merged, so those of several writers together are the latest writer's.
struct Statistics {
  std::uint64_t count = 0;
  double mean_ns = 0.0;
  double variance_ns2 = 0.0;  ///< sample variance of a single latency
  double location_ns = 0.0;   ///< robust location; variants are compared by it
  std::uint64_t failures = 0;
  std::int64_t failed_at = 0;  ///< seconds since 1970 of the latest failure; 0: unknown
  RecentLatencies recent = {};

  friend bool operator==(const Statistics&, const Statistics&) = default;
};

/// Whether `recent` has quantiles that can be those of results among `count`: 0 < median <= p95 <= p99, and
/// none beyond what a table can hold.
bool has_quantiles(const Statistics& statistics) noexcept;

/// The part of a record that one writer measured in its latest generation (`Entry::generations`). Within a
/// generation a share only grows, so the state with more results is the later one.
struct WriterShare {
  std::string writer = {};
  Statistics statistics = {};

  friend bool operator==(const WriterShare&, const WriterShare&) = default;
};

/// The measurements of one variant at one key. The members of `Statistics` are those of all writers together.
struct VariantRecord : Statistics {
  /// The shares that the statistics are computed from, sorted by writer. Empty if no writer is named, as in
  /// tables of other tools. Such a record counts as the share of one writer, which is identified by its
  /// content.
  std::vector<WriterShare> shares = {};

  friend bool operator==(const VariantRecord&, const VariantRecord&) = default;
};

/// From the least trusted to the most trusted. If two incumbents have the same time, a merge keeps the one of
/// the more trusted origin.
enum class Origin : std::uint8_t { imported, measured, adapted };

/// The variant that a writer has chosen for a key.
struct Claim {
  std::string incumbent = {};  ///< empty if none is known
  Origin origin = Origin::imported;
  std::int64_t time = 0;  ///< seconds since 1970 of the last change; 0 unknown

  friend bool operator==(const Claim&, const Claim&) = default;
};

/// The contents of a table for one key. Use the functions of `ownership.hpp`, which keep the parts
/// consistent.
struct Entry {
  Key key = {};
  // The claim that outranks all others, and its owner.
  std::string incumbent = {};  ///< empty if none is known
  Origin origin = Origin::measured;
  std::int64_t time = 0;       ///< seconds since 1970 of the last change; 0 unknown
  std::string chosen_by = {};  ///< the writer; empty if no writer is named
  /// The outranked claims, by writer. They count again if the writer of a higher claim resets the key.
  std::map<std::string, Claim> claims = {};
  /// How often each writer has reset this key; a writer without resets is absent. All shares and the claim of
  /// that writer in this entry were made after its latest reset. A writer may have only a generation: this
  /// prevents a table with an older generation from bringing the old results back.
  std::map<std::string, std::uint64_t> generations = {};
  std::map<std::string, VariantRecord> variants = {};

  friend bool operator==(const Entry&, const Entry&) = default;
};

struct OperationTable {
  std::string name = {};
  std::vector<Dimension> dimensions = {};
  std::map<std::string, Parameters> variants = {};  ///< all variants that the entries name
  std::map<Key, Entry> entries = {};
  /// JSON of a declaration of how entries become rows of other systems (`formats::parse_mapping`), without
  /// the name of the operation; empty: none. Joined tables keep the greatest text, whatever their order.
  std::string mapping = {};

  friend bool operator==(const OperationTable& a, const OperationTable& b);
};

/// A file of another system, as it was imported. An export restores from it what entries cannot express:
/// order, unknown fields, layout. See docs/formats.md.
struct ForeignFile {
  std::string path = {};    ///< relative to the imported folder, with '/'
  std::string format = {};  ///< "vllm"
  std::string text = {};
  /// What the user said about the file when it was imported, by the name of the option: {"key_names",
  /// "M,N,K"}.
  std::map<std::string, std::string> given = {};

  // clang-tidy 14 takes the 0 of a generated comparison for a pointer.
  // NOLINTNEXTLINE(modernize-use-nullptr)
  friend auto operator<=>(const ForeignFile&, const ForeignFile&) = default;
};

struct Table {
  static constexpr int schema_version = 2;
  static constexpr int oldest_schema_version = 1;  ///< the oldest version that can be read

  std::string tool = {};  ///< name and version of the program that wrote the table
  Fingerprint fingerprint = {};
  std::map<std::string, OperationTable> operations = {};
  std::vector<ForeignFile> foreign = {};  ///< sorted by path

  friend bool operator==(const Table&, const Table&) = default;
};

struct ReadResult {
  Table table = {};
  std::vector<Notice> notices = {};
};

/// Reads what can be used and reports the rest in the notices. Throws `Error`, with the file and the line or
/// JSON pointer, if nothing can be used: the file cannot be read, is not JSON, is not a table, or has a newer
/// schema that this version cannot read.
ReadResult read(const std::filesystem::path& path);
/// Reads a table from memory; `source` is its name in messages.
ReadResult parse(std::string_view text, const std::string& source);

/// All faults of a table file: every fault of content, and the first fault of syntax. Notices of level `info`
/// are not faults. A file that cannot be read is one fault.
std::vector<Notice> validate(const std::filesystem::path& path);
/// The faults of a table in memory.
std::vector<Notice> validate(std::string_view text, const std::string& source);

/// The text of a table. Equal tables have equal texts: everything is sorted, each record of a variant is one
/// line, and numbers have the shortest form that loses no bit. Numbers that a table cannot hold (negative or
/// not finite) and entries whose key does not fit the dimensions are left out. Throws `Error` for a name that
/// could not be read back (empty, or too long).
std::string print(const Table& table);

/// Reports the contents that `print` leaves out: one notice for each entry whose key does not fit the
/// dimensions, and one for each record that has results but latencies that no table can hold.
std::vector<Notice> unprintable(const Table& table);

/// Prints the table to `path` and replaces the file atomically. If this fails, throws `Error` and leaves the
/// old file untouched.
void write(const Table& table, const std::filesystem::path& path);

}  // namespace adaptive::table
