// A tuning run as one HTML page that needs nothing else: no script, no font, no picture from elsewhere.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tuning/tuner.hpp"

namespace adaptive::inline v1::cli {

struct Report {
  std::string title = {};
  std::vector<std::pair<std::string, std::string>> facts = {};  ///< name and value, for the head of the page
  std::vector<tuning::TunedShape> shapes = {};
};

std::string report_page(const Report& report);

}  // namespace adaptive::cli
