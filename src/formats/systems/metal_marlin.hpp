// Metal Marlin's kernels of mixed bit width: a file for each device.
//
//   {"device_name", "device_family", "tile_size_mapping": {"2": 128, …}, "simdgroup_mapping": {…},
//    "lookup_table": {batch: {hidden: {bits: {"kernel_name", "tile_size_m", "tile_size_n", "simdgroups",
//    …}}}}, …}
//
// Bits are written as "(2, 4)" in the system's documentation and as "2,4" by its code; their order does not
// matter. Latencies are not stored. Lookup rule: the row of the key; otherwise the row of the nearest batch;
// otherwise, for this batch, the row of the nearest hidden size. Ties go to the smaller value, and the bits
// must be the same. If there is no such row, the tiles and groups of the smallest bit width are used.
#pragma once

#include "formats/format.hpp"

namespace adaptive::inline v1::table::formats {

const Format& metal_marlin();

}  // namespace adaptive::table::formats
