// vLLM: fused_moe and W8A8 block configurations, also in the version folders of its forks.
//
// Names: E={E},N={N},device_name={D}[,dtype={t}][,block_shape=[128,128]].json and
// N={N},K={K},device_name={D},dtype={t},block_shape=[128,128].json.
//
// Lookup rule: the first existing file in the user's folder, triton_X_Y_Z/ (forks), the folder itself, or
// legacy_configs/ (forks). In the file, the row with the nearest batch is taken at any distance; ties go to
// the first one. If there is no file, the running version uses a heuristic that is not stored in any file.
#pragma once

#include "formats/format.hpp"

namespace adaptive::inline v1::table::formats {

const Format& vllm();

}  // namespace adaptive::table::formats
