// Metal Marlin's kernels of mixed bit width: a file for each device.
//
//   {"device_name", "device_family", "tile_size_mapping": {"2": 128, …}, "simdgroup_mapping": {…},
//    "lookup_table": {batch: {hidden: {bits: {"kernel_name", "tile_size_m", "tile_size_n", "simdgroups",
//    …}}}}, …}
//
// Bits are written "(2, 4)" in its document and "2,4" by its code; their order does not matter. No latency is
// stored. Its rule: the row itself; else that of the nearest batch; else of the nearest hidden size there,
// both with ties to the smaller and with exactly these bits; else tiles and groups of the least bit width.
#pragma once

#include "formats/format.hpp"

namespace adaptive::inline v1::table::formats {

const Format& metal_marlin();

}  // namespace adaptive::table::formats
