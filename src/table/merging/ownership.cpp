#include "table/merging/ownership.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "table/merging/shares.hpp"

namespace adaptive::inline v1::table {
namespace {

using Claims = std::map<std::string, Claim>;

const std::string nobody = "#";  // owner of claims without a writer; no writer's name begins with '#'

// Together with the writer's name this is a total order, so that every merge prefers the same claim.
auto rank(const Claim& claim) {
  return std::tuple(!claim.incumbent.empty(), claim.time, claim.origin, std::string_view(claim.incumbent));
}

Claim standing_claim(const Entry& entry) {
  return {entry.incumbent, entry.origin, entry.time};
}

const std::string& standing_writer(const Entry& entry) {
  return entry.chosen_by.empty() ? nobody : entry.chosen_by;
}

Claims claims_of(const Entry& entry) {
  Claims claims = entry.claims;
  claims.insert_or_assign(standing_writer(entry), standing_claim(entry));
  std::erase_if(claims, [](const auto& claim) { return claim.second == Claim{}; });  // empty claims
  return claims;
}

void set_claims(Entry& entry, Claims claims) {
  const auto best = std::max_element(claims.begin(), claims.end(), [](const auto& a, const auto& b) {
    return std::pair(rank(a.second), std::string_view(a.first)) <
           std::pair(rank(b.second), std::string_view(b.first));
  });
  Claim claim;
  entry.chosen_by.clear();
  if (best != claims.end()) {
    claim = std::move(best->second);
    if (best->first != nobody) entry.chosen_by = best->first;
    claims.erase(best);
  }
  entry.incumbent = std::move(claim.incumbent);
  entry.origin = claim.origin;
  entry.time = claim.time;
  entry.claims = std::move(claims);
}

void join_claims(Entry& into, const Entry& from) {
  Claims claims = claims_of(into);
  for (auto& [writer, claim] : claims_of(from)) {
    const auto [mine, added] = claims.try_emplace(writer, claim);
    if (!added && rank(mine->second) < rank(claim)) mine->second = claim;
  }
  set_claims(into, std::move(claims));
}

// Ignores generations.
void join_states(Entry& into, const Entry& from) {
  for (const auto& [variant, record] : from.variants) join(into.variants[variant], record);
  join_claims(into, from);
}

template <class Predicate>
void erase_shares(VariantRecord& record, Predicate&& predicate) {
  if (std::none_of(record.shares.begin(), record.shares.end(), predicate)) return;
  std::erase_if(record.shares, predicate);
  record = record.shares.empty() ? VariantRecord{} : record_of(std::move(record.shares));
}

// An entry can have many shares without a writer, one for each variant, so these are counted for each record.
std::size_t cut_unnamed(VariantRecord& record, std::size_t most) {
  const auto unnamed = static_cast<std::size_t>(
      std::count_if(record.shares.begin(), record.shares.end(),
                    [](const WriterShare& share) { return !is_named(share.writer); }));
  if (unnamed <= most) return 0;
  std::size_t surplus = unnamed - most;
  std::vector<WriterShare> kept;
  for (WriterShare& share : record.shares)
    if (is_named(share.writer) || surplus == 0)
      kept.push_back(std::move(share));
    else
      --surplus;
  record = record_of(std::move(kept));
  return unnamed - most;
}

std::set<std::string> named_writers(const Entry& entry) {
  std::set<std::string> names;
  const auto add = [&](const std::string& name) {
    if (is_named(name)) names.insert(name);
  };
  for (const auto& [variant, record] : entry.variants)
    for (const WriterShare& share : record.shares) add(share.writer);
  add(entry.chosen_by);
  for (const auto& [writer, claim] : entry.claims) add(writer);
  for (const auto& [writer, generation] : entry.generations) add(writer);
  return names;
}

// An upper bound for the number of writers in the entry, which is cheap to compute.
std::size_t names_at_most(const Entry& entry) {
  std::size_t names = 1 + entry.claims.size() + entry.generations.size();
  for (const auto& [variant, record] : entry.variants) names += record.shares.size();
  return names;
}

std::atomic<std::size_t> most_writers{limits::writers};

}  // namespace

std::uint64_t generation_of(const Entry& entry, const std::string& writer) noexcept {
  const auto at = entry.generations.find(writer);
  return at == entry.generations.end() ? 0 : at->second;
}

void join(Entry& into, const Entry& from) {
  if (into.generations == from.generations) return join_states(into, from);
  Entry other = from;
  for (const auto& [writer, generation] : from.generations) {
    if (generation_of(into, writer) >= generation) continue;
    disown(into, writer);
    into.generations[writer] = generation;
  }
  for (const auto& [writer, generation] : into.generations)
    if (generation_of(from, writer) < generation) disown(other, writer);
  join_states(into, other);
}

bool mentions(const Entry& entry, std::string_view writer) noexcept {
  const auto is_the_writer = [&](const auto& named) { return named.first == writer; };
  const auto has_share = [&](const auto& record) {
    const std::vector<WriterShare>& shares = record.second.shares;
    return std::any_of(shares.begin(), shares.end(), [&](const auto& s) { return s.writer == writer; });
  };
  return entry.chosen_by == writer || std::any_of(entry.claims.begin(), entry.claims.end(), is_the_writer) ||
         std::any_of(entry.generations.begin(), entry.generations.end(), is_the_writer) ||
         std::any_of(entry.variants.begin(), entry.variants.end(), has_share);
}

void disown(Entry& entry, const std::string& writer) {
  for (auto& [variant, record] : entry.variants)
    erase_shares(record, [&](const WriterShare& share) { return share.writer == writer; });
  if (entry.chosen_by != writer && !entry.claims.contains(writer)) return;
  Claims claims = claims_of(entry);
  claims.erase(writer);
  set_claims(entry, std::move(claims));
}

void choose(Entry& entry, const std::string& writer, Claim claim) {
  const std::string& name = writer.empty() ? nobody : writer;
  Claims claims = claims_of(entry);
  claims.erase(name);
  for (const auto& [other, theirs] : claims) {
    if (std::pair(rank(theirs), std::string_view(other)) < std::pair(rank(claim), std::string_view(name)))
      continue;
    claim.time = std::min(theirs.time + 1, limits::time);
  }
  claims.insert_or_assign(name, std::move(claim));
  set_claims(entry, std::move(claims));
}

void clear_claims(Entry& entry) {
  set_claims(entry, {});
}

void forget_variant(Entry& entry, const std::string& variant) {
  entry.variants.erase(variant);
  Claims claims = claims_of(entry);
  if (std::erase_if(claims, [&](const auto& claim) { return claim.second.incumbent == variant; }) > 0)
    set_claims(entry, std::move(claims));
}

void rank_claims(Entry& entry) {
  set_claims(entry, claims_of(entry));
}

std::size_t writers_max() noexcept {
  return most_writers.load(std::memory_order_relaxed);
}

std::size_t cut(Entry& entry, std::size_t most, std::string_view always) {
  if (names_at_most(entry) <= most) return 0;
  std::size_t removed = 0;
  for (auto& [variant, record] : entry.variants) removed += cut_unnamed(record, most);
  std::set<std::string> names = named_writers(entry);
  if (const auto own = names.find(std::string(always)); own != names.end()) names.erase(own);
  for (; names.size() > most; ++removed) {
    disown(entry, *names.begin());
    entry.generations.erase(*names.begin());
    names.erase(names.begin());
  }
  return removed;
}

std::size_t cut(Table& table, std::size_t most, std::string_view always) {
  std::size_t removed = 0;
  for (auto& [name, operation] : table.operations)
    for (auto& [key, entry] : operation.entries) removed += cut(entry, most, always);
  return removed;
}

WritersMax::WritersMax(std::size_t most) noexcept {
  most_writers.store(most, std::memory_order_relaxed);
}

WritersMax::~WritersMax() {
  most_writers.store(limits::writers, std::memory_order_relaxed);
}

}  // namespace adaptive::table
