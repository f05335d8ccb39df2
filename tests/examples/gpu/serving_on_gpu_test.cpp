// Runs the demo as its users do.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>

#include <adaptive/cuda/device.hpp>

namespace gpu_serving {
namespace {

struct Outcome {
  std::string output;
  int status = -1;
};

Outcome demo(const std::string& arguments) {
  const std::string command =
      "ADAPTIVE_MODELS='" ADAPTIVE_TEST_MODELS "' '" ADAPTIVE_GPU_SERVING_DEMO "' " + arguments + " 2>&1";
  Outcome run;
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return run;
  std::array<char, 4096> buffer;
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) run.output += buffer.data();
  run.status = pclose(pipe);
  return run;
}

TEST(GpuServingDemo, SaysThatThereIsNoGpu) {
  if (adaptive::cuda::device_count() > 0) GTEST_SKIP() << "there is one";
  const Outcome run = demo("--quick");
  EXPECT_EQ(run.status, 0);
  EXPECT_NE(run.output.find("has no GPU"), std::string::npos) << run.output;
}

TEST(GpuServingDemo, ExplainsItsOptions) {
  EXPECT_NE(demo("--help").output.find("--model NAME"), std::string::npos);
  const Outcome wrong = demo("--no-such-option");
  EXPECT_NE(wrong.status, 0);
  EXPECT_NE(wrong.output.find("--no-such-option"), std::string::npos);
}

TEST(GpuServingDemo, ServesBothModelsInAllModes) {
  if (adaptive::cuda::device_count() == 0) GTEST_SKIP() << "no GPU";
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("adaptive-gpu-demo-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  const Outcome run = demo("--quick --output '" + (folder / "adapted").string() + "'");
  EXPECT_EQ(run.status, 0) << run.output;
  for (const char* text :
       {"first choices", "adaptive, no table", "adaptive, own table", "best in hindsight", "qwen3"})
    EXPECT_NE(run.output.find(text), std::string::npos) << text << '\n' << run.output;
  EXPECT_TRUE(std::filesystem::exists(folder / "adapted-llama-3-8b.json"));
  EXPECT_TRUE(std::filesystem::exists(folder / "adapted-qwen3-30b-a3b.json"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace gpu_serving
