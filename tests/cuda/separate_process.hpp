// Programs that a test starts because they lose or reset the context of their process.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace adaptive::inline v1::cuda::test {

/// Runs a program, which prints the checks that do not hold, and expects that all of them do.
inline void expect_that_checks_hold_in(const char* program) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    execl(program, program, static_cast<char*>(nullptr));
    _exit(127);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << status;
  EXPECT_EQ(WEXITSTATUS(status), 0) << "its output says which of its checks did not hold";
}

}  // namespace adaptive::cuda::test
