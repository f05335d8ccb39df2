// The grouped GEMM of a fork of SGLang: one file for each hidden size, one row for each number of tokens per
// expert.
//
// Names: grouped_gemm_config_{hidden}_{dtype}[_block128x128].json in the documentation, and
// grouped_gemm_configs_{hidden}_{dtype}_b{experts}[_block128x128].json in the code. A row is null if every
// variant failed.
#pragma once

#include "formats/format.hpp"

namespace adaptive::inline v1::table::formats {

const Format& sglang_grouped_gemm();

}  // namespace adaptive::table::formats
