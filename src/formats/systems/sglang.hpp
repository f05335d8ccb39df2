// SGLang: fused_moe and quantised GEMM configurations.
//
// Names:
//   triton_3_5_1/E={E},N={N},device_name={D}[,dtype={t}][,block_shape=[128, 128]]...
//       ...[,per_channel_quant=True][_down].json
//   N={N},K={K},device_name={D},dtype={t},block_shape=[128, 128].json
//
// Lookup rule: the file in the folder of the running Triton version; otherwise, with a warning, in the other
// version folders, newest first. If there is no `_down` file, the file of the up projection is used. In the
// file, the row with the nearest batch is taken; ties go to the first one. The down projection uses the
// BLOCK_SIZE_M of the up projection, because both use the same sorted tokens.
#pragma once

#include "formats/format.hpp"

namespace adaptive::inline v1::table::formats {

const Format& sglang();

}  // namespace adaptive::table::formats
