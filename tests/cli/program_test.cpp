#include <fstream>

#include <nlohmann/json.hpp>

#include "tests/cli/measured_table.hpp"
#include "tests/cli/tool.hpp"

namespace adaptive::inline v1::cli {
namespace {

class Program : public ToolTest {};

TEST_F(Program, TellsItsSubcommands) {
  const Outcome help = tool({"--help"});
  EXPECT_EQ(help.code, 0);
  for (const char* name : {"apply", "devices", "diff", "export", "import", "lookup", "merge", "replay",
                           "report", "show", "tables", "tune", "validate"})
    EXPECT_NE(help.out.find(name), std::string::npos);
}

TEST_F(Program, TellsItsVersion) {
  EXPECT_TRUE(tool({"--version"}).out.starts_with("adaptive "));
}

// Fails like a redirection to a full disk.
TEST_F(Program, AResultThatCannotBeWrittenIsAnError) {
  std::ostringstream out, err;
  out.setstate(std::ios::badbit);
  EXPECT_EQ(run({"devices"}, out, err), exit_usage);
  EXPECT_NE(err.str().find("could not be written"), std::string::npos) << err.str();
}

// Paths are bytes; JSON is UTF-8.
TEST_F(Program, APathThatIsNotUtf8IsNoFault) {
  const std::string table = path("\xff.json");
  std::ofstream(table) << table::print(measured_table("a", {{"a", 1000}}));
  for (const std::vector<std::string>& command : {std::vector<std::string>{"validate", table},
                                                  {"diff", table, table},
                                                  {"apply", table, table},
                                                  {"merge", table, "-o", table},
                                                  {"show", table},
                                                  {"lookup", table, "--key", "m=8"}}) {
    std::vector<std::string> arguments = command;
    arguments.emplace_back("--json");
    const Outcome outcome = tool(arguments);
    EXPECT_EQ(outcome.code, 0) << command.front() << ": " << outcome.err;
    EXPECT_TRUE(nlohmann::json::accept(outcome.out)) << outcome.out;
  }
}

TEST_F(Program, RefusesWhatItDoesNotKnow) {
  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{}, {"no-such-command"}, {"replay", "--no-such-option"}, {"validate"}}) {
    const Outcome outcome = tool(wrong);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_FALSE(outcome.err.empty());
    EXPECT_TRUE(outcome.out.empty());
  }
}

}  // namespace
}  // namespace adaptive::cli
