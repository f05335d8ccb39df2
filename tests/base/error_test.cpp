// Tests the members of an error, and the names of enumerations.
#include <adaptive/error.hpp>

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <type_traits>

#include <adaptive/mode.hpp>

namespace adaptive {
namespace {

static_assert(!std::is_constructible_v<Error, const char*, const char*>, "every error has a code");

TEST(Error, CarriesACodeForProgramsAndATextForPeople) {
  const Error error(ErrorCode::locked, "is locked by another process", "a.json",
                    "wait until it has finished");
  EXPECT_EQ(error.code(), ErrorCode::locked);
  EXPECT_STREQ(error.what(), "a.json: is locked by another process; wait until it has finished");
  const Error copy = error;
  EXPECT_EQ(copy.code(), ErrorCode::locked);
}

TEST(Error, EveryCodeHasANameOfItsOwn) {
  std::set<std::string> names;
  for (int code = 0; code <= static_cast<int>(ErrorCode::failed); ++code)
    names.emplace(to_string(static_cast<ErrorCode>(code)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(ErrorCode::failed) + 1);
}

TEST(Mode, HasTheNameThatTheEnvironmentVariableTakes) {
  EXPECT_EQ(to_string(Mode::off), "off");
  EXPECT_EQ(to_string(Mode::seed), "seed");
  EXPECT_EQ(to_string(Mode::observe), "observe");
  EXPECT_EQ(to_string(Mode::online), "online");
  EXPECT_EQ(to_string(Mode::frozen), "frozen");
}

}  // namespace
}  // namespace adaptive
