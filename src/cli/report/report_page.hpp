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

/// The beginning of a page, up to its heading, with the style that all pages share.
std::string page_head(const std::string& title);

}  // namespace adaptive::cli
