// The sentence that says why an incumbent was replaced.
#include <gtest/gtest.h>

#include <adaptive/audit.hpp>

namespace adaptive {
namespace {

Change change(EventKind kind) {
  return {.kind = kind,
          .from = "plain",
          .to = "tiled",
          .from_ns = 2.5e6,
          .to_ns = 900.0,
          .from_results = 12,
          .to_results = 8};
}

TEST(Change, SaysWhyAVariantWasPromoted) {
  EXPECT_EQ(change(EventKind::promotion).reason(),
            "tiled is surely faster: it takes 900 ns, plain 2.5 ms (8 and 12 results)");
}

TEST(Change, SaysWhyAnIncumbentWasDemoted) {
  Change demotion = change(EventKind::demotion);
  demotion.to_ns = 1234.56;
  demotion.from_ns = 3e9;
  EXPECT_EQ(demotion.reason(),
            "plain became slower than it was and takes 3 s; tiled takes 1.235 us (8 and 12 results)");
}

TEST(Change, SaysThatAVariantFailedOrWasDisabled) {
  EXPECT_EQ(change(EventKind::failure).reason(), "plain failed and was set aside");
  Change disabled = change(EventKind::demotion);
  disabled.is_disabled = true;
  EXPECT_EQ(disabled.reason(), "the program has disabled plain");
}

TEST(Change, ClaimsNothingWithoutResults) {
  Change unmeasured = change(EventKind::demotion);
  unmeasured.from_results = 0;
  EXPECT_EQ(unmeasured.reason(), "tiled took the place of plain");
}

}  // namespace
}  // namespace adaptive
