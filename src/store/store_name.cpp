#include "store/store_name.hpp"

#include <cstddef>
#include <cstdint>

#include "base/fnv1a.hpp"
#include "base/text.hpp"

namespace adaptive::inline v1::table {
namespace {

constexpr std::size_t name_max = 200;  // of the 255 bytes of a file name; endings need some of the rest

bool is_plain_in_a_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

}  // namespace

std::string store_name(std::string_view name) {
  if (name.empty()) return "%";
  std::string result;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (is_plain_in_a_name(c) && !(c == '.' && i == 0))
      result += c;
    else
      result += "%" + core::hexadecimal(static_cast<unsigned char>(c), 2);
  }
  if (result.size() <= name_max) return result;
  result.resize(name_max - 17);
  return result + "%" + core::hexadecimal(core::Fnv1a().add(name).value(), 16);
}

}  // namespace adaptive::table
