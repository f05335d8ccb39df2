// This machine among others.
#pragma once

#include <string>

namespace adaptive::core {

/// As gethostname() has it; empty where it fails.
std::string host_name();

}  // namespace adaptive::core
