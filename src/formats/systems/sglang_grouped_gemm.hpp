// The grouped GEMM of a SGLang fork: a file for each hidden size, a row for each number of tokens per expert.
//
// Names: grouped_gemm_config_{hidden}_{dtype}[_block128x128].json as documented, and
// grouped_gemm_configs_{hidden}_{dtype}_b{experts}[_block128x128].json as its code writes. A row is null
// where every variant failed.
#pragma once

#include "formats/format.hpp"

namespace adaptive::inline v1::table::formats {

const Format& sglang_grouped_gemm();

}  // namespace adaptive::table::formats
