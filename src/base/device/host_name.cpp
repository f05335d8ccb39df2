#include "base/device/host_name.hpp"

#include <unistd.h>

#include <array>

namespace adaptive::inline v1::core {

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace adaptive::core
