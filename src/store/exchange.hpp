// One process's end of a store: what it has measured goes there, what others have measured comes back.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <adaptive/store.hpp>

#include "table/table.hpp"

namespace adaptive::table {

/// The store's group is the device with its driver's branch and its toolkit; a record is
/// "OPERATION/KEY/WRITER" and holds one entry, as a table of its own, with that writer's share only. So
/// records are read with the care that tables are read with, and put together as tables are merged: whoever
/// has read the same records has the same table.
class Exchange {
 public:
  Exchange(std::shared_ptr<Store> store, std::string writer);

  /// Reads what the store has, writes those entries of `own` that it lacks or has in an older state, and
  /// returns both together. Others' records that are faulty, or conflict with `own`, and what the store
  /// itself could not use, are noticed and left out. Records are parsed again only for keys of which one has
  /// changed. Throws `Error` where the store fails.
  Table run(const Table& own, std::vector<Notice>& notices);

  const Store& store() const noexcept { return *store_; }

 private:
  struct Published {
    Entry entry = {};
    std::string text = {};
  };

  using Record = const Store::Records::value_type*;

  /// What all writers say of one key.
  struct Part {
    std::size_t hash = 0;  ///< of the records that it was made of
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
  Table definitions_;                  // what names mean to this process, without entries
  std::map<std::string, Part> parts_;  // by "OPERATION/KEY"
};

/// "nvidia_h200-580-13.0": what latencies of one group have in common. A name for files, too.
std::string group_of(const Fingerprint& fingerprint);

}  // namespace adaptive::table
