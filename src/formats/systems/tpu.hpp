// What the two kernels of tpu-inference's tuned data share: a file for each device, whose rows are lists of
// block sizes (the older way) or objects
//
//   {"config": {…}, "stats": {"latency_avg_ns", "latency_std_ns", …}, "metadata": {"num_repeats", …}}
//
// in one file, in any mixture. Of equal keys the last counts. The rule of looking up is exact; else a default
// with the warning "Couldn't find tuned sizes for key …".
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "formats/format.hpp"

namespace adaptive::inline v1::table::formats {

/// Fills parameters and record of `row` from a list of `names`, of which those from `required` on may be
/// missing, or from an object. False, with a notice, where the value is neither.
bool read_tpu_value(JsonValue value, const Path& path, const Checks& checks,
                    std::span<const std::string_view> names, std::size_t required, Row& row);

/// How `row` is written at `place`: as a list where the old row was one, nothing was measured and a list can
/// say it, else an object.
std::vector<Edit> tpu_edits(const Row& row, const Row* old, MemberPath place,
                            std::span<const std::string_view> names, std::size_t required);

/// "tpu_v6e" of "quantized_matmul/tpu_v6e.json"; empty where the name is no device's.
std::string tpu_device(std::string_view file_name);
/// The same as the name of a file.
std::string tpu_file_name(const std::string& device);

Answer tpu_not_found(const std::string& key);

const Format& tpu_quantized_matmul();
const Format& tpu_ragged_paged_attention();

}  // namespace adaptive::table::formats
