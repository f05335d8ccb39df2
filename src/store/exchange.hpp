// Exchanges measurements between one process and a store: writes its own and reads those of others.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <adaptive/store.hpp>

#include "table/table.hpp"

namespace adaptive::inline v1::table {

/// The group in the store is the device together with the branch of its driver and its toolkit. A record is
/// named "OPERATION/KEY/WRITER" and contains one entry, as a table, with only the share of that writer.
/// Therefore records are checked and merged like tables, and processes that have read the same records have
/// the same table.
class Exchange {
 public:
  Exchange(std::shared_ptr<Store> store, std::string writer);

  /// Reads all records of the store, writes the entries of `own` that the store lacks or has in an older
  /// state, and returns both merged. Records of others that are faulty, conflict with `own` or cannot be used
  /// by the store give a notice and are left out. Only keys with a changed record are parsed
  /// again. Throws `Error` if the store fails.
  Table run(const Table& own, std::vector<Notice>& notices);

  const Store& store() const noexcept { return *store_; }

 private:
  struct Published {
    Entry entry = {};
    std::string text = {};
  };

  using Record = const Store::Records::value_type*;

  /// The records of all writers for one key, merged.
  struct Part {
    std::size_t hash = 0;  ///< hash of the records that it was made of
    Table table = {};
  };

  Store::Records published(const Table& own);
  void update_parts(const Store::Records& stored, const Store::Records& changed,
                    std::vector<Notice>& notices);
  Table parse_all(const std::vector<Record>& records, std::vector<Notice>& notices) const;
  Table all_parts(std::vector<Notice>& notices) const;

  std::shared_ptr<Store> store_;
  std::string writer_;
  std::map<std::string, Published> published_;
  Table definitions_;                  // definitions of this process, without entries
  std::map<std::string, Part> parts_;  // by "OPERATION/KEY"
};

/// A name such as "nvidia_h200-580-13.0" for the group of processes whose latencies are comparable. It is a
/// valid file name.
std::string group_of(const Fingerprint& fingerprint);

}  // namespace adaptive::table
