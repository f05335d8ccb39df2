#include <nlohmann/json.hpp>

#include "table/table.hpp"
#include "tests/cli/tool.hpp"

namespace adaptive::cli {
namespace {

class Validate : public ToolTest {
 protected:
  std::string valid_table() const {
    table::Table table;
    table.fingerprint.device = "cpu";
    return write("valid.json", table::print(table));
  }
};

TEST_F(Validate, AcceptsATable) {
  const Outcome outcome = tool({"validate", valid_table()});
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_NE(outcome.out.find("valid"), std::string::npos);
}

TEST_F(Validate, NamesFileAndPlaceOfEveryFault) {
  const std::string broken = write("broken.json", "{\n  \"schema\": 1,\n");
  const Outcome outcome = tool({"validate", broken, valid_table(), path("missing.json")});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.out.find(broken + ":"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("valid.json: valid"), std::string::npos);
  EXPECT_NE(outcome.out.find("missing.json"), std::string::npos);
}

TEST_F(Validate, AsJson) {
  const Outcome outcome = tool({"validate", "--json", valid_table(), write("empty.json", "")});
  EXPECT_EQ(outcome.code, 1);
  const auto json = nlohmann::json::parse(outcome.out);
  ASSERT_EQ(json.size(), 2U);
  EXPECT_TRUE(json[0]["valid"]);
  EXPECT_FALSE(json[1]["valid"]);
  EXPECT_FALSE(json[1]["faults"].empty());
}

}  // namespace
}  // namespace adaptive::cli
