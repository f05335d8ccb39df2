// Runs the tool in this process, in a folder of its own.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "cli/program.hpp"

namespace adaptive::inline v1::cli {

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

class ToolTest : public testing::Test {
 protected:
  ToolTest()
      : folder_(std::filesystem::temp_directory_path() / ("adaptive-cli-" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    // The tool reads and writes in this folder, and must not change files of the user who runs the tests.
    ::setenv("XDG_DATA_HOME", path("data").c_str(), 1);
    ::unsetenv("ADAPTIVE_TABLES");
  }
  ~ToolTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  static Outcome tool(const std::vector<std::string>& arguments) {
    std::ostringstream out, err;
    const int code = run(arguments, out, err);
    return {code, out.str(), err.str()};
  }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  static std::string read(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace adaptive::cli
