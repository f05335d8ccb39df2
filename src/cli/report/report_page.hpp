// A tuning run as one self-contained HTML page, without scripts, fonts or pictures from elsewhere.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tuning/tuner.hpp"

namespace adaptive::inline v1::cli {

struct Report {
  std::string title = {};
  std::vector<std::pair<std::string, std::string>> facts = {};  ///< names and values for the head of the page
  std::vector<tuning::TunedShape> shapes = {};
};

std::string report_page(const Report& report);

}  // namespace adaptive::cli
