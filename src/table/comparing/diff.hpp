// The changes from one table to another, for people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "table/comparing/comparison.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::table {

/// A variant at a key that both tables have measured, or that fails now and did not before.
struct LatencyChange {
  std::string variant = {};
  Statistics before = {};
  Statistics after = {};
  /// The comparison of the two, if both were measured. Its noise accounts for all comparisons of the diff.
  Comparison comparison = {};
  bool fails_now = false;  ///< has failed launches now and had none before

  /// Whether the variant is the one that the key's newer entry stands for (`lasting_incumbent`).
  bool runs = false;

  bool is_compared() const noexcept { return before.count > 0 && after.count > 0; }
};

enum class KeyChange : std::uint8_t { changed, added, removed };

struct EntryDiff {
  std::string key = {};  ///< "m=16 n=4096"
  KeyChange change = KeyChange::changed;
  std::string before = {};  ///< incumbent; empty if there is none
  std::string after = {};
  std::vector<LatencyChange> latencies = {};  ///< of all variants that both have, whatever the change
  /// What the key ran before against what it runs now, which may be two variants. Programs feel only this.
  LatencyChange running = {};
};

struct OperationDiff {
  std::string name = {};
  /// Changes of dimensions and variants: "variant tile64: tile 64, now 128".
  std::vector<std::string> definitions = {};
  /// Changed entries. Empty if the dimensions cannot be compared.
  std::vector<EntryDiff> entries = {};
};

struct Diff {
  std::vector<std::string> fingerprint = {};  ///< "driver 580.1, now 590.2"
  std::vector<OperationDiff> operations = {};
};

Diff diff(const Table& before, const Table& after);

}  // namespace adaptive::table
