#pragma once

#include "formats/format.hpp"

namespace adaptive::inline v1::table::formats {

/// The cache of TensorRT-LLM's autotuner, one file for each rank.
const Format& tensorrt_llm();

}  // namespace adaptive::table::formats
