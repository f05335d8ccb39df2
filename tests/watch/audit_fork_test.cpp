// The audit of a process that forks.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include <adaptive/adaptive.hpp>
#include "tests/selector/scratch_folder.hpp"
#include "tests/selector/support.hpp"
#include "tests/watch/audit_lines.hpp"

namespace adaptive {
namespace {

using test::events_of;

TEST(AuditOfForks, EachProcessWritesItsOwnChangesOnce) {
  const test::ScratchFolder folder(test::memory_folder());
  SelectorOptions options = test::options();
  options.audit.file = folder / "audit.jsonl";
  std::optional<Selector> selector(options);
  Operation& op = selector->define(test::operation({"a", "b"}));
  test::learn(op, {1}, {2e6, 1e6});  // not written yet when the process forks
  const pid_t child = ::fork();
  if (child == 0) {
    test::learn(op, {4096}, {2e6, 1e6});  // too far from the other key to start from it
    selector.reset();                     // writes
    ::_exit(0);
  }
  int status = 1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  selector.reset();

  std::set<int> keys_of_child;
  std::set<int> keys_of_parent;
  for (const nlohmann::json& line : events_of(options.audit.file, "promotion"))
    EXPECT_TRUE((line.at("process") == child ? keys_of_child : keys_of_parent)
                    .insert(line.at("key").at("m").get<int>())
                    .second);
  EXPECT_EQ(keys_of_parent, std::set<int>{1});
  EXPECT_EQ(keys_of_child, std::set<int>{4096});
}

}  // namespace
}  // namespace adaptive
