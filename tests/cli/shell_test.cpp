// Completions for shells, and manual pages: both are made from the parser's own commands, so that they cannot
// lag behind.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "tests/cli/tool.hpp"

namespace adaptive::inline v1::cli {
namespace {

// What a program prints, both streams; `status` is its exit status.
std::string printed_by(const std::string& command, int& status) {
  std::string text;
  std::FILE* const pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return "popen failed";
  std::array<char, 4096> buffer{};
  for (std::size_t size = 0; (size = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    text.append(buffer.data(), size);
  status = ::pclose(pipe);
  return text;
}

bool is_installed(const std::string& program) {
  int status = 1;
  printed_by("command -v " + program, status);
  return status == 0;
}

// The commands and long options as the help prints them.
std::vector<std::string> words_of_help(const std::string& help, bool options) {
  std::vector<std::string> words;
  std::istringstream lines(help);
  bool in_commands = false;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line[0] != ' ') in_commands = line.find("ommands") != std::string::npos;
    const std::size_t begin = line.find_first_not_of(' ');
    if (begin != 2) continue;
    if (options && line[2] == '-') {
      std::istringstream names(line.substr(2, line.find(' ', 2) - 2));
      for (std::string name; std::getline(names, name, ',');)
        if (name.starts_with("--")) words.push_back(name);
    }
    if (!options && in_commands && line[2] != '-') words.push_back(line.substr(2, line.find(' ', 2) - 2));
  }
  return words;
}

class ShellTest : public ToolTest {
 protected:
  // What bash offers where the last word is being completed.
  std::vector<std::string> offered_by_bash(const std::vector<std::string>& words) const {
    const std::string script = write("adaptive.bash", tool({"completion", "bash"}).out);
    std::string line;
    for (const std::string& word : words) line += " '" + word + "'";
    const std::string program = "source " + script + "; COMP_WORDS=(" + line +
                                "); COMP_CWORD=" + std::to_string(words.size() - 1) +
                                "; _adaptive; printf '%s\\n' \"${COMPREPLY[@]}\"";
    int status = 1;
    std::istringstream lines(printed_by("bash -c " + ("\"" + escaped(program) + "\""), status));
    EXPECT_EQ(status, 0);
    std::vector<std::string> offered;
    for (std::string word; std::getline(lines, word);)
      if (!word.empty()) offered.push_back(word);
    std::sort(offered.begin(), offered.end());
    return offered;
  }

 private:
  static std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
      if (c == '"' || c == '$' || c == '\\') out += '\\';
      out += c;
    }
    return out;
  }
};

using Words = std::vector<std::string>;

TEST_F(ShellTest, TheScriptsHaveEveryCommandAndOption) {
  const Words commands = words_of_help(tool({"--help"}).out, false);
  ASSERT_GT(commands.size(), 10u);
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const Outcome script = tool({"completion", shell});
    ASSERT_EQ(script.code, 0) << script.err;
    for (const std::string& command : commands) {
      EXPECT_NE(script.out.find(command), std::string::npos) << shell << ": " << command;
      for (const std::string& option : words_of_help(tool({command, "--help"}).out, true)) {
        const std::string name = shell == "fish" ? "-l " + option.substr(2) + " " : option;
        EXPECT_NE(script.out.find(name), std::string::npos) << shell << ": " << command << " " << option;
      }
    }
  }
}

TEST_F(ShellTest, BashOffersCommandsOptionsAndValues) {
  if (!is_installed("bash")) GTEST_SKIP() << "there is no bash";
  EXPECT_EQ(offered_by_bash({"adaptive", "lo"}), (Words{"lookup"}));
  EXPECT_EQ(offered_by_bash({"adaptive", "d"}), (Words{"devices", "diff"}));
  EXPECT_EQ(offered_by_bash({"adaptive", "lookup", "--l"}), (Words{"--like", "--limit"}));
  EXPECT_EQ(offered_by_bash({"adaptive", "tune", "gemm", "--tp-split-dim", ""}), (Words{"in", "out"}));
  EXPECT_EQ(offered_by_bash({"adaptive", "completion", ""}), (Words{"bash", "fish", "zsh"}));
  EXPECT_EQ(offered_by_bash({"adaptive", "show", "--json", "--o"}), (Words{"--op"}))
      << "a switch has no value";
  EXPECT_EQ(offered_by_bash({"adaptive", "show", "--op", ""}), Words{}) << "bash completes files";
  EXPECT_EQ(offered_by_bash({"adaptive", "show", "table"}), Words{});
  EXPECT_EQ(offered_by_bash({"adaptive", "--ver"}), (Words{"--version"}));
}

TEST_F(ShellTest, OtherShellsAcceptTheirScripts) {
  for (const auto& [shell, check] : {std::pair("zsh", "zsh -n "), std::pair("fish", "fish --no-execute ")}) {
    if (!is_installed(shell)) continue;
    int status = 1;
    const std::string text = printed_by(check + write("script", tool({"completion", shell}).out), status);
    EXPECT_EQ(status, 0) << text;
    EXPECT_EQ(text, "");
  }
}

TEST_F(ShellTest, FishOffersCommandsOptionsAndValues) {
  if (!is_installed("fish")) GTEST_SKIP() << "there is no fish";
  const std::string script = write("adaptive.fish", tool({"completion", "fish"}).out);
  const auto offered = [&](const std::string& line) {
    int status = 1;
    std::istringstream lines(
        printed_by("fish -c \"source " + script + "; complete -C '" + line + "'\"", status));
    EXPECT_EQ(status, 0);
    Words words;
    for (std::string word; std::getline(lines, word);) words.push_back(word.substr(0, word.find('\t')));
    return words;
  };
  EXPECT_EQ(offered("adaptive lo"), (Words{"lookup"}));
  EXPECT_EQ(offered("adaptive lookup --l"), (Words{"--like", "--limit"}));
  EXPECT_EQ(offered("adaptive completion "), (Words{"bash", "fish", "zsh"}));
  EXPECT_EQ(offered("adaptive tune gemm --tp-split-dim "), (Words{"in", "out"}));
}

TEST_F(ShellTest, AnUnknownShellOrCommandIsWrongUsage) {
  EXPECT_EQ(tool({"completion", "tcsh"}).code, 2);
  const Outcome unknown = tool({"man", "unknown"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.err.find("known: show, lookup"), std::string::npos) << unknown.err;
}

TEST_F(ShellTest, EachCommandHasAManualPageWithItsOptions) {
  Words commands = words_of_help(tool({"--help"}).out, false);
  const std::string program = tool({"man"}).out;
  for (const std::string& command : commands) {
    const Outcome page = tool({"man", command});
    ASSERT_EQ(page.code, 0) << page.err;
    std::string text;  // as it is read
    for (std::size_t i = 0; i < page.out.size(); ++i)
      if (page.out.compare(i, 2, "\\-") != 0) text += page.out[i];
    for (const std::string& option : words_of_help(tool({command, "--help"}).out, true))
      EXPECT_NE(text.find(option), std::string::npos) << command << " " << option;
    EXPECT_NE(page.out.find(".SH NAME\nadaptive\\-"), std::string::npos);
    std::string listed = "adaptive-" + command;
    for (std::size_t at = 0; (at = listed.find('-', at)) != std::string::npos; at += 2)
      listed.insert(at, "\\");
    EXPECT_NE(program.find(listed + "\\fR(1)"), std::string::npos) << listed;
  }
}

TEST_F(ShellTest, PagesAndScriptsAreWrittenToFiles) {
  ASSERT_EQ(tool({"man", "--all", path("manual/man1")}).code, 0);
  EXPECT_EQ(read(path("manual/man1/adaptive-lookup.1")), tool({"man", "lookup"}).out);
  EXPECT_EQ(read(path("manual/man1/adaptive.1")), tool({"man"}).out);
  EXPECT_EQ(tool({"completion", "zsh", "-o", path("_adaptive")}).out, "");
  EXPECT_EQ(read(path("_adaptive")), tool({"completion", "zsh"}).out);
  EXPECT_EQ(tool({"man", "lookup", "--all", path("manual")}).code, 2);
  EXPECT_EQ(tool({"man", "--all", write("file", "") + "/man1"}).code, 2);
}

TEST_F(ShellTest, RoffHasNothingToSayAboutThePages) {
  if (!is_installed("groff")) GTEST_SKIP() << "there is no groff";
  Words commands = words_of_help(tool({"--help"}).out, false);
  for (const std::string& command : commands) {
    int status = 1;
    const std::string page = write("page.1", tool({"man", command}).out);
    EXPECT_EQ(printed_by("groff -man -Tutf8 -Kutf8 -ww -z " + page, status), "") << command;
    EXPECT_EQ(status, 0) << command;
  }
}

}  // namespace
}  // namespace adaptive::cli
