// Megablox GMM of sgl-jax: a cache folder with a file for each shape.
//
//   tuning_cache/m1024_k4096_n11008_g8.json
//   {"optimal_tiling": [tm, tk, tn], "best_time_ms": 0.85, "timestamp": 1704067200.0}
//
// Lookup rule: the shape's own file; otherwise a file with the same k, n and g whose m differs by less than
// half of the larger m; otherwise (512, 1024, 1024). Every tile is limited to the size of its dimension. If
// several files qualify, the original takes the first one in the order of its file system; here the nearest m
// is taken, and ties go to the smaller m.
#pragma once

#include "formats/format.hpp"

namespace adaptive::inline v1::table::formats {

const Format& megablox();

}  // namespace adaptive::table::formats
