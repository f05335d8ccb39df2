#include "table/exchange.hpp"

#include <algorithm>
#include <utility>

#include <adaptive/error.hpp>

#include "table/dimension_map.hpp"
#include "table/merge.hpp"

namespace adaptive::table {
namespace {

// The first `components` numbers of a version; what no file can be named by becomes '_'.
std::string leading(const std::string& version, std::size_t components) {
  std::string result;
  for (const char c : version) {
    if (c == '.' && --components == 0) break;
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.';
    result += plain ? c : '_';
  }
  return result.empty() ? "unknown" : result;
}

// '/' separates the parts of a name.
std::string escaped(const std::string& part) {
  std::string result;
  for (const char c : part) {
    if (c == '/')
      result += "%2F";
    else if (c == '%')
      result += "%25";
    else
      result += c;
  }
  return result;
}

bool same_but_for_the_time(Entry a, const Entry& b) {
  a.time = b.time;
  return a == b;
}

// A table of one entry, with what it needs of its operation.
Table alone(const Table& table, const OperationTable& operation, const Entry& entry) {
  Table result;
  result.tool = table.tool;
  result.fingerprint = table.fingerprint;
  OperationTable& part = result.operations[operation.name];
  part.name = operation.name;
  part.dimensions = operation.dimensions;
  for (const auto& [name, parameters] : operation.variants)
    if (name == entry.incumbent || entry.variants.contains(name)) part.variants.emplace(name, parameters);
  part.entries.emplace(entry.key, entry);
  return result;
}

// What `text` adds; notices where it cannot be used.
void add_record(Table& to, const std::string& name, const std::string& text, std::vector<Notice>& notices) {
  try {
    ReadResult read = parse(text, name);
    std::move(read.notices.begin(), read.notices.end(), std::back_inserter(notices));
    for (Notice& notice : remove_conflicts(read.table, to))
      notices.push_back({name + ": " + notice.where, notice.what});
    const std::vector<Notice> others = conflicts(to, read.table);  // other software in the same group
    if (!others.empty()) {
      notices.push_back({name, others.front().what});
      return;
    }
    read.table.fingerprint = to.fingerprint;
    merge(to, read.table);
  } catch (const Error& error) {
    notices.push_back({name, error.what()});
  }
}

}  // namespace

std::string group_of(const Fingerprint& fingerprint) {
  const std::string device = normalised_device(fingerprint.device);
  return (device.empty() ? "unknown" : device) + "-" + leading(fingerprint.driver, 1) + "-" +
         leading(fingerprint.toolkit, 2);
}

Exchange::Exchange(std::shared_ptr<Store> store, std::string writer)
    : store_(std::move(store)), writer_(std::move(writer)) {}

Store::Records Exchange::published(const Table& own) {
  Store::Records records;
  for (const auto& [name, operation] : own.operations)
    for (const auto& [key, entry] : operation.entries) {
      const std::string record =
          escaped(name) + "/" + escaped(key_text(operation.dimensions, key)) + "/" + escaped(writer_);
      // A selector gives all entries the present time: those that have not changed keep theirs, or nobody
      // would ever agree on it.
      Published& last = published_[record];
      if (last.text.empty() || !same_but_for_the_time(last.entry, entry))
        last = {entry, print(alone(own, operation, entry))};
      records.emplace(record, last.text);
    }
  return records;
}

Table Exchange::run(const Table& own, std::vector<Notice>& notices) {
  const std::string group = group_of(own.fingerprint);
  Store::Records all = store_->read(group);
  Store::Records changed = published(own);
  std::erase_if(changed, [&](const auto& record) {
    const auto there = all.find(record.first);
    return there != all.end() && there->second == record.second;
  });
  if (!changed.empty()) store_->write(group, writer_, changed);
  for (auto& [name, text] : changed) all.insert_or_assign(name, std::move(text));

  Table result;
  result.tool = own.tool;
  result.fingerprint = own.fingerprint;
  for (const auto& [name, operation] : own.operations) {  // what names mean here
    OperationTable& definition = result.operations[name];
    definition.name = name;
    definition.dimensions = operation.dimensions;
    definition.variants = operation.variants;
  }
  for (const auto& [name, text] : all) add_record(result, name, text, notices);
  std::erase_if(result.operations, [](const auto& operation) { return operation.second.entries.empty(); });
  return result;
}

}  // namespace adaptive::table
