#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace adaptive {

/// Of a test that is made for each policy: GoogleTest takes no dash.
inline std::string test_name(const ::testing::TestParamInfo<std::string_view>& info) {
  std::string result(info.param);
  std::replace(result.begin(), result.end(), '-', '_');
  return result;
}

}  // namespace adaptive
