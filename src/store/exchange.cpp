#include "store/exchange.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <string_view>
#include <utility>

#include <adaptive/error.hpp>

#include "base/key_values.hpp"
#include "table/merging/merge.hpp"

namespace adaptive::inline v1::table {
namespace {

// The first `components` numbers of a version. Characters that are not allowed in file names become '_'.
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

// A table with one entry and the definitions that the entry needs.
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

// The part of a record's name that identifies operation and key.
std::string_view subject_of(std::string_view name) {
  return name.substr(0, name.rfind('/'));
}

// The definitions of this process, without entries.
Table definitions_of(const Table& own) {
  Table result;
  result.tool = own.tool;
  result.fingerprint = own.fingerprint;
  for (const auto& [name, operation] : own.operations) {
    OperationTable& definition = result.operations[name];
    definition.name = name;
    definition.dimensions = operation.dimensions;
    definition.variants = operation.variants;
  }
  return result;
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
          escaped(name) + "/" + escaped(core::print(operation.dimensions, key)) + "/" + escaped(writer_);
      // A selector gives all entries the current time. Unchanged entries keep their old time; otherwise
      // processes would never agree on them.
      Published& last = published_[record];
      if (last.text.empty() || !same_but_for_the_time(last.entry, entry))
        last = {entry, print(alone(own, operation, entry))};
      records.emplace(record, last.text);
    }
  return records;
}

// Merges records of others that do not contradict `definitions_` or an earlier record.
Table Exchange::parse_all(const std::vector<Record>& records, std::vector<Notice>& notices) const {
  Table to;
  to.fingerprint = definitions_.fingerprint;
  for (const Record record : records) {
    const std::string& name = record->first;
    try {
      ReadResult read = parse(record->second, name);
      std::move(read.notices.begin(), read.notices.end(), std::back_inserter(notices));
      for (const auto& [operation, definition] : definitions_.operations)
        if (read.table.operations.contains(operation)) to.operations.try_emplace(operation, definition);
      for (Notice& notice : remove_conflicts(read.table, to))
        notices.push_back({name + ": " + notice.where, notice.what});
      const std::vector<Notice> others = conflicts(to, read.table);  // from other software in the same group
      if (!others.empty()) {
        notices.push_back({name, others.front().what});
        continue;
      }
      read.table.fingerprint = to.fingerprint;
      merge(to, read.table);
    } catch (const Error& error) {
      notices.push_back({name, error.what()});
    }
  }
  return to;
}

void Exchange::update_parts(const Store::Records& stored, const Store::Records& changed,
                            std::vector<Notice>& notices) {
  std::map<std::string_view, std::vector<Record>> by_subject;
  for (const auto& record : stored)
    if (!changed.contains(record.first)) by_subject[subject_of(record.first)].push_back(&record);
  for (const auto& record : changed) by_subject[subject_of(record.first)].push_back(&record);
  std::erase_if(parts_, [&](const auto& part) { return !by_subject.contains(part.first); });
  for (auto& [subject, records] : by_subject) {
    std::sort(records.begin(), records.end(), [](Record a, Record b) { return a->first < b->first; });
    std::size_t hash = records.size();
    for (const Record record : records)
      for (const std::string* text : {&record->first, &record->second})
        hash = hash * 0x100000001B3u ^ std::hash<std::string>()(*text);
    const auto [part, is_new] = parts_.try_emplace(std::string(subject));
    if (is_new || part->second.hash != hash) part->second = {hash, parse_all(records, notices)};
  }
}

Table Exchange::all_parts(std::vector<Notice>& notices) const {
  Table all = definitions_;
  for (const auto& [subject, part] : parts_) {
    if (conflicts(all, part.table).empty()) {
      merge(all, part.table);
      continue;
    }
    // Two writers define a variant differently, and this process does not have the variant.
    Table rest = part.table;
    for (Notice& notice : remove_conflicts(rest, all))
      notices.push_back({subject + ": " + notice.where, notice.what});
    merge(all, rest);
  }
  std::erase_if(all.operations, [](const auto& operation) { return operation.second.entries.empty(); });
  return all;
}

Table Exchange::run(const Table& own, std::vector<Notice>& notices) {
  const std::string group = group_of(own.fingerprint);
  const Store::Records& stored = store_->read(group);
  for (const Store::Problem& problem : store_->problems()) notices.push_back({problem.where, problem.what});
  Store::Records changed = published(own);
  std::erase_if(changed, [&](const auto& record) {
    const auto there = stored.find(record.first);
    return there != stored.end() && there->second == record.second;
  });
  if (Table definitions = definitions_of(own); definitions != definitions_) {
    definitions_ = std::move(definitions);
    parts_.clear();  // other records may conflict with the definitions now
  }
  update_parts(stored, changed, notices);
  store_->write(group, writer_, changed);
  return all_parts(notices);
}

}  // namespace adaptive::table
