// A real browser, where there is one.
#pragma once

#include <array>
#include <cstdio>
#include <regex>
#include <string>

#include <nlohmann/json.hpp>

namespace adaptive::inline v1::cli {

/// What a command prints.
inline std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return text;
  std::array<char, 4096> buffer{};
  for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    text.append(buffer.data(), got);
  ::pclose(pipe);
  return text;
}

/// The program of a browser; empty if there is none.
inline std::string browser() {
  for (const char* name : {"chromium", "chromium-browser", "google-chrome"}) {
    std::string path = output_of(std::string("command -v ") + name + " 2>/dev/null");
    if (!path.empty()) return path.substr(0, path.find('\n'));
  }
  return "";
}

/// Evaluates `expression`, a JavaScript object, in the page at `path`. Null if the browser does not start.
/// `flags` are options of the browser.
inline nlohmann::json seen_by(const std::string& program, const std::string& html, const std::string& probe,
                              const std::string& expression, const std::string& flags = "") {
  std::string page = html;
  const std::size_t end = page.find("</body>");
  page.replace(end, 7,
               R"(<script>
    const all = selector => [...document.querySelectorAll(selector)];
    const drawn = selector => all(selector).filter(e => e.getBoundingClientRect().width > 0).length;
    const cut = all('svg text').filter(t => {
      const a = t.getBoundingClientRect(), b = t.ownerSVGElement.getBoundingClientRect();
      return a.width === 0 || a.left < b.left - 1 || a.right > b.right + 1 || a.top < b.top - 1 || a.bottom > b.bottom + 1;
    });
    document.title = JSON.stringify()" +
                   expression + ");\n</script></body>");
  std::FILE* const file = std::fopen(probe.c_str(), "w");
  if (file == nullptr) return nullptr;
  std::fwrite(page.data(), 1, page.size(), file);
  std::fclose(file);
  const std::string dom =
      output_of(program + " --headless --no-sandbox --disable-gpu --user-data-dir=" + probe + ".profile " +
                flags + " --dump-dom file://" + probe + " 2>/dev/null");
  std::smatch title;
  if (!std::regex_search(dom, title, std::regex("<title>([^<]*)</title>"))) return nullptr;
  return nlohmann::json::parse(title[1].str(), nullptr, false);
}

}  // namespace adaptive::cli
