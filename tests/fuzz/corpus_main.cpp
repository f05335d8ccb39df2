// Runs a check over the files of its corpus, without libFuzzer: what once was a finding must not come back.
//   fuzz_corpus NAME FOLDER...
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "tests/fuzz/fuzzers.hpp"

int main(int count, char** arguments) {
  std::vector<std::filesystem::path> files;
  for (int i = 2; i < count; ++i)
    for (const auto& entry : std::filesystem::recursive_directory_iterator(arguments[i]))
      if (entry.is_regular_file()) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const std::filesystem::path& path : files) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    // Stays on the screen if the input ends the program.
    std::printf("%s\n", path.c_str());
    std::fflush(stdout);
    if (!adaptive::fuzz::check(arguments[1], reinterpret_cast<const std::uint8_t*>(bytes.data()),
                               bytes.size()))
      return 2;  // no such check
  }
  return files.empty() ? 1 : 0;
}
