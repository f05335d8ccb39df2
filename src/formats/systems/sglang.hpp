// SGLang: fused_moe and quantised GEMM configurations.
//
// Names: triton_3_5_1/E={E},N={N},device_name={D}[,dtype={t}][,block_shape=[128,
// 128]][,per_channel_quant=True]
// [_down].json and N={N},K={K},device_name={D},dtype={t},block_shape=[128, 128].json.
//
// Its rule: the file in the folder of the running Triton, else in the other version folders, newest first,
// with a warning; a missing `_down` file is stood in for by the one of the up projection; in the file the row
// whose batch differs least, a tie going to the first. The BLOCK_SIZE_M of the down projection is that of the
// up projection, since one sort of the tokens serves both.
#pragma once

#include "formats/format.hpp"

namespace adaptive::inline v1::table::formats {

const Format& sglang();

}  // namespace adaptive::table::formats
