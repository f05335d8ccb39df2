// A tuning run as one self-contained HTML page, without scripts, fonts or pictures from elsewhere.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tuning/tuner.hpp"

namespace adaptive::inline v1::cli {

/// Names and values for the head of a page.
using Facts = std::vector<std::pair<std::string, std::string>>;

struct Report {
  std::string title = {};
  Facts facts = {};
  std::vector<tuning::TunedShape> shapes = {};
};

std::string report_page(const Report& report);

/// The beginning of a page, up to its heading, with the style that all pages share.
std::string page_head(const std::string& title);
std::string fact_list(const Facts& facts);

}  // namespace adaptive::cli
