#include "table/merging/shares.hpp"

#include <algorithm>
#include <bit>
#include <iterator>
#include <random>
#include <tuple>
#include <utility>

#include "base/fnv1a.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"

namespace adaptive::inline v1::table {
namespace {

// Orders two states of one writer: the greater one is the later one. Two states with equal counts should be
// equal; the other members make the order total, so that every merge makes the same choice.
auto progress(const Statistics& s) {
  return std::tuple(s.count, s.failures, s.mean_ns, s.variance_ns2, s.location_ns, s.failed_at,
                    s.recent.count, s.recent.median_ns, s.recent.p95_ns, s.recent.p99_ns);
}

bool is_empty(const VariantRecord& record) {
  return record.shares.empty() && record.count == 0 && record.failures == 0;
}

std::uint64_t hash(const Statistics& s) {
  core::Fnv1a hash;
  hash.add(s.count)
      .add(std::bit_cast<std::uint64_t>(s.mean_ns))
      .add(std::bit_cast<std::uint64_t>(s.variance_ns2))
      .add(std::bit_cast<std::uint64_t>(s.location_ns))
      .add(s.failures);
  // Schema version 1 had no such time. Its records must keep the names that they have in merged tables.
  if (s.failed_at != 0) hash.add(static_cast<std::uint64_t>(s.failed_at));
  // The same holds for records without quantiles.
  if (s.recent.count != 0) {
    hash.add(s.recent.count);
    for (const double ns : {s.recent.median_ns, s.recent.p95_ns, s.recent.p99_ns})
      hash.add(std::bit_cast<std::uint64_t>(ns));
  }
  return hash.value();
}

void add_results(Statistics& to, const Statistics& from) {
  const std::uint64_t failures = std::min(to.failures + from.failures, limits::count);
  const std::int64_t failed_at = std::max(to.failed_at, from.failed_at);
  if (to.count == 0) {
    to = from;
  } else if (from.count != 0) {
    const auto a = static_cast<double>(to.count);
    const auto b = static_cast<double>(from.count);
    const double share = b / (a + b);
    const double delta = from.mean_ns - to.mean_ns;
    const double squares =
        to.variance_ns2 * (a - 1.0) + from.variance_ns2 * (b - 1.0) + delta * delta * a * share;
    to.mean_ns += delta * share;
    to.location_ns += (from.location_ns - to.location_ns) * share;
    to.variance_ns2 = squares / (a + b - 1.0);
    to.count = std::min(to.count + from.count, limits::count);
    if (from.recent.count != 0) to.recent = from.recent;
  }
  to.failures = failures;
  to.failed_at = failed_at;
}

}  // namespace

VariantRecord record_of(std::string writer, const Statistics& statistics) {
  VariantRecord record{statistics};
  record.shares.push_back({std::move(writer), statistics});
  return record;
}

VariantRecord record_of(std::vector<WriterShare> shares) {
  VariantRecord record{sum(shares), {}};
  // A single share without a writer is the record itself.
  if (shares.size() != 1 || is_named(shares.front().writer)) record.shares = std::move(shares);
  return record;
}

std::vector<WriterShare> shares_of(const VariantRecord& record) {
  if (!record.shares.empty() || is_empty(record)) return record.shares;
  return {{"#" + core::hexadecimal(hash(record), 16), static_cast<const Statistics&>(record)}};
}

Statistics sum(const std::vector<WriterShare>& shares) {
  Statistics total;
  for (const WriterShare& share : shares) add_results(total, share.statistics);
  return total;
}

void join(VariantRecord& into, const VariantRecord& from) {
  if (is_empty(from) || into == from) return;
  if (is_empty(into)) {
    into = from;
    return;
  }
  const std::vector<WriterShare> mine = shares_of(into), others = shares_of(from);
  std::vector<WriterShare> all;
  all.reserve(mine.size() + others.size());
  auto a = mine.begin(), b = others.begin();
  while (a != mine.end() || b != others.end()) {
    if (b == others.end() || (a != mine.end() && a->writer < b->writer)) {
      all.push_back(*a++);
    } else if (a == mine.end() || b->writer < a->writer) {
      all.push_back(*b++);
    } else {
      all.push_back(progress(a->statistics) < progress(b->statistics) ? *b : *a);
      ++a, ++b;
    }
  }
  into = record_of(std::move(all));
}

std::string new_writer(std::int64_t time) {
  std::random_device random;
  return core::hexadecimal(static_cast<std::uint64_t>(time), 8) + core::hexadecimal(random(), 7);
}

}  // namespace adaptive::table
