#include "table/search.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "sample_table.hpp"

namespace adaptive::inline v1::table {
namespace {

namespace fs = std::filesystem;

class Search : public ::testing::Test {
 protected:
  void put(const std::string& name) { write_text(folder_ / name, print(Table{})); }

  std::vector<std::string> found(const TableSearch& search) {
    notices_.clear();
    std::vector<std::string> names;
    for (const FoundTable& table : find(search, "NVIDIA H200", notices_))
      names.push_back(fs::relative(table.path, folder_.path()).string());
    return names;
  }
  std::vector<std::string> found(const std::string& version = "") {
    return found({{folder_.path()}, version});
  }

  bool noticed(LogLevel level, const std::string& where, const std::string& what) const {
    for (const Notice& notice : notices_)
      if (notice.level == level && notice.where.find(where) != std::string::npos &&
          notice.what.find(what) != std::string::npos)
        return true;
    return false;
  }

  using Names = std::vector<std::string>;
  TemporaryFolder folder_;
  std::vector<Notice> notices_;
};

TEST_F(Search, TakesTheVersionFirstAndLegacyLastWithinAFolder) {
  for (const char* name : {"nvidia_h200/legacy/old.json", "nvidia_h200/b.json", "nvidia_h200/a.json",
                           "nvidia_h200/3.5/v.json", "user.json", "nvidia_a100/other.json"})
    put(name);
  EXPECT_EQ(found("3.5"), (Names{"user.json", "nvidia_h200/3.5/v.json", "nvidia_h200/a.json",
                                 "nvidia_h200/b.json", "nvidia_h200/legacy/old.json"}));
  EXPECT_TRUE(notices_.empty());
}

TEST_F(Search, FindsOnlyWhatIsATable) {
  put("nvidia_h200/table.json");
  put("nvidia_h200/.hidden.json");
  put("nvidia_h200/notes.txt");
  put("nvidia_h200/folder.json/inner.json");
  EXPECT_EQ(found(), Names{"nvidia_h200/table.json"});
}

TEST_F(Search, TakesPlacesInTheirOrderAndEachFileOnce) {
  put("one/a.json");
  put("two/b.json");
  fs::create_symlink(folder_ / "one/a.json", folder_ / "two/link.json");
  EXPECT_EQ(found({{folder_ / "two/b.json", folder_ / "one", folder_ / "two"}, ""}),
            (Names{"two/b.json", "one/a.json"}));
}

TEST_F(Search, TheNewestOlderVersionStandsInForAMissingOne) {
  for (const char* version : {"3.4", "3.9", "3.10", "4.0", "legacy", "triton_3_11"})
    put("nvidia_h200/" + std::string(version) + "/t.json");
  EXPECT_EQ(found("3.10").front(), "nvidia_h200/3.10/t.json");
  EXPECT_EQ(found("3.10.0").front(), "nvidia_h200/3.10/t.json");
  EXPECT_TRUE(notices_.empty());
  EXPECT_EQ(found("3.12").front(), "nvidia_h200/3.10/t.json");
  EXPECT_TRUE(
      noticed(LogLevel::warning, "nvidia_h200/3.10", "no tables of version 3.12; those of version 3.10"));
  EXPECT_EQ(found("3.5").front(), "nvidia_h200/3.4/t.json");
  EXPECT_EQ(found("3.0").front(), "nvidia_h200/4.0/t.json");  // no version is older
  EXPECT_EQ(found("triton_4_0").front(), "nvidia_h200/triton_3_11/t.json");
  EXPECT_EQ(found("").front(), "nvidia_h200/4.0/t.json");
  EXPECT_TRUE(noticed(LogLevel::info, "nvidia_h200/4.0", "no version was given"));
}

TEST_F(Search, AVersionThatIsNoNumberMatchesItsName) {
  put("nvidia_h200/nightly/t.json");
  put("nvidia_h200/3.5/t.json");
  EXPECT_EQ(found("nightly").front(), "nvidia_h200/nightly/t.json");
  EXPECT_EQ(found("weekly").front(), "nvidia_h200/3.5/t.json");
}

TEST_F(Search, WhatIsMissingIsSaidAndIsNoError) {
  put("user.json");
  EXPECT_EQ(found({{folder_ / "absent", folder_.path(), folder_ / "absent.json"}, ""}), Names{"user.json"});
  EXPECT_TRUE(noticed(LogLevel::warning, "absent", "does not exist"));
  EXPECT_TRUE(noticed(LogLevel::warning, "absent.json", "does not exist"));
  EXPECT_TRUE(noticed(LogLevel::info, "nvidia_h200", "does not exist"));
}

TEST_F(Search, AFileThatCannotBeUsedIsLeftOutAndSaid) {
  put("good.json");
  write_text(folder_ / "bad.json", "{\n  \"schema\"\n}");
  EXPECT_EQ(found(), Names{"good.json"});
  EXPECT_TRUE(noticed(LogLevel::warning, "bad.json:3:1", "not valid JSON"));
}

TEST_F(Search, ALoopOfLinksIsAWarning) {
  fs::create_symlink(folder_ / "loop", folder_ / "loop");
  EXPECT_EQ(found({{folder_ / "loop"}, ""}), Names{});
  EXPECT_TRUE(noticed(LogLevel::warning, "loop", "cannot be examined"));
}

TEST_F(Search, DescriptionNamesEveryPlace) {
  put("file.json");
  const TableSearch search{{folder_ / "file.json", "/no/such"}, "3.5"};
  EXPECT_EQ(describe(search, "NVIDIA H200"),
            (folder_ / "file.json").string() +
                ", /no/such/*.json, /no/such/nvidia_h200/3.5/*.json, /no/such/nvidia_h200/*.json, "
                "/no/such/nvidia_h200/legacy/*.json");
  EXPECT_EQ(describe({}, "NVIDIA H200"), "no folders");
}

// Restores a variable of the environment at the end of the scope.
class Variable {
 public:
  explicit Variable(const char* name) : name_(name) {
    if (const char* value = std::getenv(name)) old_ = value;
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() {
    if (old_)
      ::setenv(name_, old_->c_str(), 1);
    else
      ::unsetenv(name_);
  }

 private:
  const char* name_;
  std::optional<std::string> old_;
};

TEST(StandardSearch, TheEnvironmentStandsFirst) {
  const Variable restore("ADAPTIVE_TABLES");
  const auto places = [&](const char* value) {
    ::setenv("ADAPTIVE_TABLES", value, 1);
    return TableSearch::standard("3.5").places;
  };
  EXPECT_EQ(places("/a:/b"), (std::vector<fs::path>{"/a", "/b"}));
  EXPECT_EQ(places("::/a::"), (std::vector<fs::path>{"/a"}));
  EXPECT_EQ(places(""), std::vector<fs::path>{});
  EXPECT_EQ(TableSearch::standard("3.5").version, "3.5");
}

TEST(StandardSearch, BeginsWithTheUsersOwnFolder) {
  const Variable restore_data("XDG_DATA_HOME"), restore_home("HOME");
  ::setenv("XDG_DATA_HOME", "/data", 1);
  ::setenv("HOME", "/home/somebody", 1);
  EXPECT_EQ(user_tables(), "/data/adaptive/tables");
  EXPECT_EQ(TableSearch::standard().defaults.front(), user_tables());
  ::setenv("XDG_DATA_HOME", "relative", 1);
  EXPECT_EQ(user_tables(), "/home/somebody/.local/share/adaptive/tables");
  ::unsetenv("XDG_DATA_HOME");
  EXPECT_EQ(user_tables(), "/home/somebody/.local/share/adaptive/tables");
  ::unsetenv("HOME");
  EXPECT_EQ(user_tables(), "");
}

}  // namespace
}  // namespace adaptive::table
