// Results come late, out of order, twice or never.
#include "learning/key/tickets.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <vector>

namespace adaptive::inline v1::core {
namespace {

using Outcome = Tickets::Outcome;

std::uint32_t issue(Tickets& tickets, std::uint32_t candidate) {
  std::uint32_t lost = Tickets::none;
  const std::uint32_t ticket = tickets.issue(candidate, 0, lost);
  EXPECT_EQ(lost, Tickets::none);
  return ticket;
}

TEST(Tickets, GiveTheCandidateBack) {
  Tickets tickets(512);
  const std::uint32_t ticket = issue(tickets, 7);
  EXPECT_NE(ticket, 0u);
  const Tickets::Result result = tickets.complete(ticket);
  EXPECT_EQ(result.outcome, Outcome::accepted);
  EXPECT_EQ(result.candidate, 7u);
}

TEST(Tickets, AreAcceptedInAnyOrder) {
  Tickets tickets(512);
  std::vector<std::uint32_t> out;
  for (std::uint32_t i = 0; i < 100; ++i) out.push_back(issue(tickets, i));
  for (std::uint32_t i = 100; i-- > 0;) {
    const Tickets::Result result = tickets.complete(out[i]);
    EXPECT_EQ(result.outcome, Outcome::accepted);
    EXPECT_EQ(result.candidate, i);
  }
}

TEST(Tickets, AreAcceptedOnce) {
  Tickets tickets(512);
  const std::uint32_t ticket = issue(tickets, 1);
  tickets.complete(ticket);
  EXPECT_EQ(tickets.complete(ticket).outcome, Outcome::duplicate);
  for (int i = 0; i < 1000; ++i) tickets.complete(issue(tickets, 1));
  EXPECT_EQ(tickets.complete(ticket).outcome, Outcome::duplicate) << "long after its slot was used again";
}

TEST(Tickets, WaitForAsManyAsTheLimit) {
  Tickets tickets(512);
  const std::uint32_t late = issue(tickets, 9);
  for (std::uint32_t i = 1; i < 512; ++i) issue(tickets, 3);
  EXPECT_EQ(tickets.complete(late).outcome, Outcome::accepted);
}

TEST(Tickets, GiveUpTheOldestBeyondTheLimit) {
  Tickets tickets(64);
  const std::uint32_t first = issue(tickets, 9);
  for (std::uint32_t i = 1; i < 64; ++i) issue(tickets, 3);
  std::uint32_t lost = Tickets::none;
  tickets.issue(4, 0, lost);
  EXPECT_EQ(lost, 9u);
  EXPECT_EQ(tickets.complete(first).outcome, Outcome::expired);
}

TEST(Tickets, WaitForExactlyAsManyLaterLaunchesAsTheyAreTold) {
  for (const std::uint32_t patience : {1u, 2u, 15u, 16u, 17u, 600u, 1000u}) {
    Tickets tickets(patience);
    const std::uint32_t first = issue(tickets, 9);
    std::uint32_t lost = Tickets::none;
    for (std::uint32_t later = 1; later < patience; ++later) {
      tickets.complete(tickets.issue(3, 0, lost));
      ASSERT_EQ(lost, Tickets::none) << later << " of " << patience;
    }
    tickets.issue(3, 0, lost);
    EXPECT_EQ(lost, 9u) << patience;
    EXPECT_EQ(tickets.complete(first).outcome, Outcome::expired) << patience;
  }
}

TEST(Tickets, TellADuplicateFromALostResultWhateverThePatience) {
  // Only one launch is ever out, and none is given up.
  Tickets tickets(1);
  const std::uint32_t first = issue(tickets, 1);
  tickets.complete(first);
  for (int i = 0; i < 10'000; ++i) tickets.complete(issue(tickets, 2));
  EXPECT_EQ(tickets.complete(first).outcome, Outcome::duplicate);
}

TEST(Tickets, KeepAllThatAreOut) {
  Tickets tickets(4096);
  std::vector<std::uint32_t> out;
  for (std::uint32_t i = 0; i < 4096; ++i) {
    out.push_back(issue(tickets, i));
    if (i % 3 == 0) {
      EXPECT_EQ(tickets.complete(out[i]).candidate, i);
    }
  }
  for (std::uint32_t i = 0; i < 4096; ++i) {
    const Tickets::Result result = tickets.complete(out[i]);
    EXPECT_EQ(result.outcome, i % 3 == 0 ? Outcome::duplicate : Outcome::accepted) << i;
    if (i % 3 != 0) {
      EXPECT_EQ(result.candidate, i);
    }
  }
}

TEST(Tickets, TellTheOneThatNeverCameFromTheOthers) {
  Tickets tickets(32);
  const std::uint32_t never = issue(tickets, 5);
  int lost_count = 0;
  for (int i = 0; i < 1000; ++i) {
    std::uint32_t lost = Tickets::none;
    const std::uint32_t ticket = tickets.issue(6, 0, lost);
    if (lost != Tickets::none) {
      EXPECT_EQ(lost, 5u);
      ++lost_count;
    }
    EXPECT_EQ(tickets.complete(ticket).outcome, Outcome::accepted);
  }
  EXPECT_EQ(lost_count, 1);
  EXPECT_EQ(tickets.complete(never).outcome, Outcome::expired);
}

TEST(Tickets, ForgetAllThatAreOut) {
  Tickets tickets(64);
  const std::uint32_t before = issue(tickets, 1);
  tickets.forget();
  const std::uint32_t after = issue(tickets, 2);
  EXPECT_EQ(tickets.complete(before).outcome, Outcome::expired);
  EXPECT_EQ(tickets.complete(after).candidate, 2u);
}

TEST(Tickets, CountFromTheRestartOfTheClock) {
  Tickets tickets(64);
  std::uint32_t lost = Tickets::none;
  const std::uint32_t before = tickets.issue(1, 5000, lost);
  tickets.restart_clock();
  const Tickets::Result result = tickets.complete(before);
  EXPECT_EQ(result.outcome, Outcome::accepted);
  EXPECT_EQ(result.issued_at, 0u);
}

TEST(Tickets, NumbersStartAgainWithoutZero) {
  Tickets tickets(64, 0xFFFF'FFF8u);
  std::set<std::uint32_t> seen;
  for (int round = 0; round < 4; ++round) {
    std::vector<std::uint32_t> out;
    for (std::uint32_t i = 0; i < 10; ++i) {
      out.push_back(issue(tickets, i));
      EXPECT_NE(out.back(), 0u);
      EXPECT_TRUE(seen.insert(out.back()).second);
    }
    for (std::uint32_t i = 10; i-- > 0;) {
      EXPECT_EQ(tickets.complete(out[i]).candidate, i);
      EXPECT_EQ(tickets.complete(out[i]).outcome, Outcome::duplicate);
    }
  }
  EXPECT_TRUE(seen.contains(1u)) << "else it did not start again";
}

TEST(Tickets, RefuseANumberThatWasNeverIssued) {
  Tickets tickets(64);
  issue(tickets, 1);
  EXPECT_NE(tickets.complete(2).outcome, Outcome::accepted);
  EXPECT_NE(tickets.complete(0x8000'0000u).outcome, Outcome::accepted);
}

}  // namespace
}  // namespace adaptive::core
