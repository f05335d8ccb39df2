// The native table in memory, and how it is read and written. docs/tables.md is the format's page.
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
#include <adaptive/variant.hpp>

#include "base/notice.hpp"

namespace adaptive::table {

/// Latencies of one variant at one key. Without a measurement only `failures` and `failed_at` may be set.
struct Statistics {
  std::uint64_t count = 0;
  double mean_ns = 0.0;
  double variance_ns2 = 0.0;  ///< of one latency
  double location_ns = 0.0;   ///< robust location: what variants are compared by
  std::uint64_t failures = 0;
  std::int64_t failed_at = 0;  ///< seconds since 1970 of the latest failure; 0 where unknown

  friend bool operator==(const Statistics&, const Statistics&) = default;
};

/// The part of a record that one writer measured in its latest generation (`Entry::generations`). Within a
/// generation a share only grows: of two states of it, the one with more results is the later one.
struct WriterShare {
  std::string writer = {};
  Statistics statistics = {};

  friend bool operator==(const WriterShare&, const WriterShare&) = default;
};

/// What was measured of one variant at one key, by all writers together.
struct VariantRecord : Statistics {
  /// Sorted by writer, and what the sums are made of. Empty where no writer is named, as in tables of other
  /// tools: such a record counts as one writer's, who is told from others by what it measured.
  std::vector<WriterShare> shares = {};

  friend bool operator==(const VariantRecord&, const VariantRecord&) = default;
};

/// From the least trusted to the most: of two incumbents of the same time the higher one stays in a merge.
enum class Origin : std::uint8_t { imported, measured, adapted };

/// Which variant a writer has chosen for a key.
struct Claim {
  std::string incumbent = {};  ///< empty where none is known
  Origin origin = Origin::imported;
  std::int64_t time = 0;  ///< seconds since 1970 of the last change; 0 unknown

  friend bool operator==(const Claim&, const Claim&) = default;
};

/// What is known of one key. `ownership.hpp` has the operations that keep its parts consistent.
struct Entry {
  Key key = {};
  // The claim that outranks all others, and whose it is.
  std::string incumbent = {};  ///< empty where none is known
  Origin origin = Origin::measured;
  std::int64_t time = 0;       ///< seconds since 1970 of the last change; 0 unknown
  std::string chosen_by = {};  ///< the writer; empty where nobody is named
  /// By writer, the claims that are outranked; they count again when the writer of a higher one resets.
  std::map<std::string, Claim> claims = {};
  /// By writer, how often it has reset this key; absent means never. All shares and the claim of that writer
  /// in this entry were made after its latest reset. A writer with a generation and nothing else keeps tables
  /// that know an older generation from bringing it back.
  std::map<std::string, std::uint64_t> generations = {};
  std::map<std::string, VariantRecord> variants = {};

  friend bool operator==(const Entry&, const Entry&) = default;
};

struct OperationTable {
  std::string name = {};
  std::vector<Dimension> dimensions = {};
  std::map<std::string, Parameters> variants = {};  ///< all that the entries name
  std::map<Key, Entry> entries = {};

  friend bool operator==(const OperationTable& a, const OperationTable& b);
};

/// A file of another system as it was imported: what the entries cannot express of it (order, unknown fields,
/// layout) is given back by an export. docs/formats.md.
struct ForeignFile {
  std::string path = {};    ///< below the folder that was imported, with '/'
  std::string format = {};  ///< "vllm"
  std::string text = {};

  friend auto operator<=>(const ForeignFile&, const ForeignFile&) = default;
};

struct Table {
  static constexpr int schema_version = 2;
  static constexpr int oldest_schema_version = 1;  ///< that can still be read

  std::string tool = {};  ///< name and version of what wrote it
  Fingerprint fingerprint = {};
  std::map<std::string, OperationTable> operations = {};
  std::vector<ForeignFile> foreign = {};  ///< sorted by path

  friend bool operator==(const Table&, const Table&) = default;
};

struct ReadResult {
  Table table = {};
  std::vector<Notice> notices = {};
};

/// Reads what can be used and reports the rest. Throws `Error`, with the file and the line or JSON pointer,
/// where nothing can be: unreadable, not JSON, no table of ours, or of a newer schema that this version
/// cannot read.
ReadResult read(const std::filesystem::path& path);
/// The same from memory; `source` names it in messages.
ReadResult parse(std::string_view text, const std::string& source);

/// All that is wrong with such a file: where `read` gives up at the first fault of syntax, this reads on.
/// Notices of level `info` are no faults. An unreadable file is one fault.
std::vector<Notice> validate(const std::filesystem::path& path);
/// The same of a text.
std::vector<Notice> validate(std::string_view text, const std::string& source);

/// Sorted, one variant's record a line, numbers as short as they can be without losing a bit: the same
/// content is the same text. Numbers that a table cannot hold (negative or not finite) and entries whose key
/// does not fit the dimensions are left out. Throws `Error` for a name that could not be read back (empty, or
/// too long).
std::string print(const Table& table);

/// Replaces `path` atomically. Throws `Error`; the old file is then untouched.
void write(const Table& table, const std::filesystem::path& path);

}  // namespace adaptive::table
