#include "examples/gpu_serving/options.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

namespace gpu_serving {
namespace {

Options parse(std::initializer_list<const char*> arguments) {
  std::vector<const char*> argv = {"gpu_serving_demo"};
  argv.insert(argv.end(), arguments);
  return parse_options(static_cast<int>(argv.size()), argv.data());
}

TEST(GpuServingOptions, NameTwoModelsByDefault) {
  const Options options = parse({});
  EXPECT_EQ(options.models, (std::vector<std::string>{"llama-3-8b", "qwen3-30b-a3b"}));
  EXPECT_FALSE(options.json);
}

TEST(GpuServingOptions, AreRead) {
  const Options options = parse({"--model", "a.json", "--model", "b", "--seconds", "2.5", "--steps", "7",
                                 "--rate", "3", "--tables", "t", "--output", "o", "--seed", "9", "--json"});
  EXPECT_EQ(options.models, (std::vector<std::string>{"a.json", "b"}));
  EXPECT_EQ(options.seconds, 2.5);
  EXPECT_EQ(options.steps, 7u);
  EXPECT_EQ(options.requests_per_s, 3.0);
  EXPECT_EQ(options.tables, "t");
  EXPECT_EQ(options.output, "o");
  EXPECT_EQ(options.seed, 9u);
  EXPECT_TRUE(options.json);
}

TEST(GpuServingOptions, ThatAreWrongAreRefused) {
  for (const auto& wrong : std::vector<std::vector<const char*>>{{"--model"},
                                                                 {"--seconds", "0"},
                                                                 {"--seconds", "2x"},
                                                                 {"--steps", "-1"},
                                                                 {"--rate", "nan"},
                                                                 {"--fast"}}) {
    std::vector<const char*> argv = {"gpu_serving_demo"};
    argv.insert(argv.end(), wrong.begin(), wrong.end());
    EXPECT_THROW(parse_options(static_cast<int>(argv.size()), argv.data()), UsageError) << wrong.front();
  }
}

}  // namespace
}  // namespace gpu_serving
