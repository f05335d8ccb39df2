// The variant that an entry stands for. tests/prior/table_proof_test.cpp has what a proof takes.
#include "table/comparing/proof.hpp"

#include <gtest/gtest.h>

namespace adaptive::inline v1::table {
namespace {

VariantRecord record(double ns, std::uint64_t count = 100, std::uint64_t failures = 0) {
  return {Statistics{count, ns, 0.0004 * ns * ns, ns, failures}, {}};
}

Entry entry_of(const std::string& incumbent, const std::map<std::string, VariantRecord>& variants) {
  Entry entry;
  entry.incumbent = incumbent;
  entry.variants = variants;
  return entry;
}

TEST(LastingIncumbent, IsTheNamedOneWhileNothingIsProven) {
  EXPECT_EQ(lasting_incumbent(entry_of("a", {{"a", record(1000)}, {"b", record(990)}})), "a");
  EXPECT_EQ(lasting_incumbent(entry_of("a", {{"b", record(100)}})), "a") << "it was not measured";
  EXPECT_EQ(lasting_incumbent(entry_of("", {{"b", record(100)}})), "");
}

TEST(LastingIncumbent, IsTheOneThatIsProvenToBeFaster) {
  EXPECT_EQ(lasting_incumbent(entry_of("b", {{"a", record(500)}, {"b", record(1000)}, {"c", record(400)}})),
            "c");
  EXPECT_EQ(lasting_incumbent(entry_of("a", {{"a", record(1000)}, {"b", record(500, 100, 1)}})), "a")
      << "what has failed proves nothing";
}

}  // namespace
}  // namespace adaptive::table
