// Tests the error codes for errors of the operating system.
#include "files/system_error.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace adaptive::inline v1::table {
namespace {

TEST(SystemError, HasACodeThatAProgramCanActOn) {
  EXPECT_EQ(system_error("cannot be read", "t.json", ENOENT).code(), ErrorCode::not_found);
  EXPECT_EQ(system_error("cannot be read", "t.json", EACCES).code(), ErrorCode::denied);
  EXPECT_EQ(system_error("cannot be written", "t.json", EROFS).code(), ErrorCode::denied);
  EXPECT_EQ(system_error("cannot be written", "t.json", ENOSPC).code(), ErrorCode::full);
  EXPECT_EQ(system_error("cannot be written", "t.json", EDQUOT).code(), ErrorCode::full);
  EXPECT_EQ(system_error("cannot be read", "t.json", EIO).code(), ErrorCode::io);
}

}  // namespace
}  // namespace adaptive::table
