// The name of this machine.
#pragma once

#include <string>

namespace adaptive::inline v1::core {

/// The result of gethostname(); empty if that fails.
std::string host_name();

}  // namespace adaptive::core
