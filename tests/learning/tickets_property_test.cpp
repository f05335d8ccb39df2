// Tickets against a model that remembers everything.
#include "learning/key/tickets.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <map>
#include <vector>

#include "tests/base/properties.hpp"

namespace adaptive::inline v1::core {
namespace {

const bool same_calls = test::same_inputs(100, 1);

RC_GTEST_PROP(Tickets, AgreeWithAModelThatRemembersAll, ()) {
  const auto limit = *rc::gen::element<std::uint32_t>(1, 2, 5, 16, 17, 32, 100, 128);
  Tickets tickets(limit);
  std::map<std::uint32_t, std::uint32_t> out;  // ticket → candidate
  std::vector<std::uint32_t> issued;
  const auto steps = *rc::gen::container<std::vector<int>>(400, rc::gen::inRange(0, 100));
  for (const int step : steps) {
    if (step < 60 || issued.empty()) {
      std::uint32_t lost = Tickets::none;
      const auto candidate = static_cast<std::uint32_t>(step);
      const std::uint32_t ticket = tickets.issue(candidate, 0, lost);
      RC_ASSERT(ticket != 0u);
      RC_ASSERT(!out.contains(ticket));
      if (lost != Tickets::none) {
        // The oldest of those that are out, and only because it had waited for as many as the limit.
        RC_ASSERT(!out.empty());
        RC_ASSERT(out.begin()->second == lost);
        RC_ASSERT(ticket - out.begin()->first == limit);
        out.erase(out.begin());
      }
      out.emplace(ticket, candidate);
      issued.push_back(ticket);
    } else {
      const std::uint32_t ticket = issued[static_cast<std::size_t>(step - 60) * 997 % issued.size()];
      const Tickets::Result result = tickets.complete(ticket);
      const auto known = out.find(ticket);
      RC_ASSERT((result.outcome == Tickets::Outcome::accepted) == (known != out.end()));
      if (known == out.end()) continue;
      RC_ASSERT(result.candidate == known->second);
      out.erase(known);
    }
  }
}

}  // namespace
}  // namespace adaptive::core
