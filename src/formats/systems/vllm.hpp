// vLLM: fused_moe and W8A8 block configurations, also in the version folders of its forks.
//
// Names: E={E},N={N},device_name={D}[,dtype={t}][,block_shape=[128,128]].json and
// N={N},K={K},device_name={D},dtype={t},block_shape=[128,128].json.
//
// Its rule: the first file that exists, of the user's folder, triton_X_Y_Z/ (forks), the folder itself,
// legacy_configs/ (forks); in it the row whose batch differs least, a tie going to the first of the file, at
// any distance; else a heuristic of the running version, which no file holds.
#pragma once

#include "formats/format.hpp"

namespace adaptive::inline v1::table::formats {

const Format& vllm();

}  // namespace adaptive::table::formats
