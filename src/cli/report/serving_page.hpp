// A table and audit files as one self-contained HTML page.
#pragma once

#include <string>

#include "cli/report/serving_data.hpp"

namespace adaptive::inline v1::cli {

std::string serving_page(const ServingReport& report);

}  // namespace adaptive::cli
