// Megablox GMM of sgl-jax: a cache folder with a file for each shape.
//
//   tuning_cache/m1024_k4096_n11008_g8.json
//   {"optimal_tiling": [tm, tk, tn], "best_time_ms": 0.85, "timestamp": 1704067200.0}
//
// Its rule: the shape's own file, else one of the same k, n and g whose m differs by less than half of the
// larger, else (512, 1024, 1024); every tile is cut to its dimension. Which of several files upstream takes
// depends on the order in which its file system lists them; here the nearest, a tie going to the smaller m.
#pragma once

#include "formats/format.hpp"

namespace adaptive::inline v1::table::formats {

const Format& megablox();

}  // namespace adaptive::table::formats
