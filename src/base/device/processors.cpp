#include "base/device/processors.hpp"

#include <charconv>
#include <string>
#include <system_error>
#include <thread>

namespace adaptive::inline v1::core {
namespace {

// H100 and H200. A model that counts blocks finds such features to say less where the number is wrong.
constexpr double processors_usual = 132.0;

}  // namespace

double processors_of(const Fingerprint& device) noexcept {
  if (const auto told = device.libraries.find("multiprocessors"); told != device.libraries.end()) {
    unsigned count = 0;
    const std::string& text = told->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error == std::errc() && end == text.data() + text.size() && count > 0) return count;
  }
  if (!device.libraries.contains("instruction_sets")) return processors_usual;
  const unsigned threads = std::thread::hardware_concurrency();  // 0: unknown
  return threads > 0 ? threads : processors_usual;
}

}  // namespace adaptive::core
