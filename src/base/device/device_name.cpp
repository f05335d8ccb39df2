// The name of a device's folder.
#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <adaptive/device.hpp>

#include "base/text.hpp"

namespace adaptive::inline v1 {
namespace {

using Parts = std::vector<std::string>;

// "Intel(R) Xeon(R) Processor @ 2.50GHz": removes the marks and the clock, which are not part of the name.
std::string without_marks(const std::string& name) {
  std::string text;
  for (const char c : name) text += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (const std::string_view mark : {"(r)", "(tm)", "(c)"})
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at))
      std::fill_n(text.begin() + static_cast<std::ptrdiff_t>(at), mark.size(), ' ');
  if (const std::size_t at = text.find('@');
      at != std::string::npos && text.find("hz", at) != std::string::npos)
    text.resize(at);
  return text;
}

Parts split(const std::string& text) {
  Parts parts(1);
  for (const char c : text) {
    if ((c >= 'a' && c <= 'z') || core::is_ascii_digit(c))
      parts.back() += c;
    else if (!parts.back().empty())
      parts.emplace_back();
  }
  if (parts.back().empty()) parts.pop_back();
  return parts;
}

// Words that distinguish no processor from another, as in "11th Gen Intel Core i7", "AMD Ryzen 9 7950X
// 16-Core Processor" and "AMD Ryzen 7 PRO 4750U with Radeon Graphics".
Parts without_fillers(const Parts& parts) {
  Parts kept;
  for (const std::string& part : parts) {
    if (part == "cpu" || part == "processor") continue;
    if (part == "core" && !kept.empty() &&
        std::all_of(kept.back().begin(), kept.back().end(), core::is_ascii_digit)) {
      kept.pop_back();
      continue;
    }
    if (part == "gen" && kept.size() == 1 && core::is_ascii_digit(kept.front().front())) {
      kept.clear();
      continue;
    }
    kept.push_back(part);
    constexpr std::array<std::string_view, 3> graphics = {"with", "radeon", "graphics"};
    if (kept.size() > graphics.size() && std::equal(graphics.rbegin(), graphics.rend(), kept.rbegin()))
      kept.resize(kept.size() - graphics.size());
  }
  return kept;
}

// Drivers and people may leave out the maker, or name a product line that a later driver does not name.
void add_maker(Parts& parts) {
  constexpr std::array<std::string_view, 35> nvidia = {
      "a2",   "a10",  "a10g",    "a16",    "a30",    "a40", "a100",  "a800", "b100",
      "b200", "b300", "gb200",   "gb300",  "gh200",  "h20", "h100",  "h200", "h800",
      "l4",   "l20",  "l20y",    "l40",    "l40s",   "p4",  "p40",   "p100", "t4",
      "t4g",  "v100", "geforce", "jetson", "quadro", "rtx", "tesla", "titan"};
  constexpr std::array<std::string_view, 3> amd = {"instinct", "radeon", "epyc"};
  const auto contains = [&](const auto& names) {
    return std::find(names.begin(), names.end(), parts.front()) != names.end();
  };
  if (parts.empty()) return;
  if (contains(nvidia))
    parts.insert(parts.begin(), "nvidia");
  else if (contains(amd))
    parts.insert(parts.begin(), "amd");
  // Newer drivers say "NVIDIA T4" for "Tesla T4". "Tesla" alone is another product.
  while (parts.size() > 2 && parts[0] == "nvidia" && parts[1] == "tesla") parts.erase(parts.begin() + 1);
}

}  // namespace

std::string normalised_device(const std::string& name) {
  Parts parts = without_fillers(split(without_marks(name)));
  add_maker(parts);
  // Some systems whose tables can be imported add the memory of the H200 to its name. Devices of another
  // speed keep names of their own: the NVL, which has less power, and a slice of a GPU.
  if (parts.size() > 2 && parts[0] == "nvidia" && parts[1] == "h200")
    parts.erase(std::remove_if(parts.begin() + 2, parts.end(),
                               [](const std::string& part) { return part == "141gb" || part == "hbm3e"; }),
                parts.end());

  constexpr std::size_t size_max = 128;  // of the name of a folder
  std::string result;
  for (const std::string& part : parts) {
    if (!result.empty()) result += '_';
    result += part;
  }
  result.resize(std::min(result.size(), size_max));
  while (result.ends_with('_')) result.pop_back();
  return result.empty() ? "unknown" : result;
}

}  // namespace adaptive
