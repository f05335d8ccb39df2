// The common parts of the two kernels in tpu-inference's tuned data. There is one file for each device. Its
// rows are lists of block sizes (the older form) or objects; a file may contain both:
//
//   {"config": {…}, "stats": {"latency_avg_ns", "latency_std_ns", …}, "metadata": {"num_repeats", …}}
//
// If several rows have the same key, the last one counts. Lookup rule: the row with exactly the key;
// otherwise a default with the warning "Couldn't find tuned sizes for key …".
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "formats/format.hpp"

namespace adaptive::inline v1::table::formats {

/// Fills parameters and record of `row` from a list of values, or from an object. In a list, the values of
/// `names` from index `required` on may be missing. Returns false, with a notice, if the value is neither.
bool read_tpu_value(JsonValue value, const Path& path, const Checks& checks,
                    std::span<const std::string_view> names, std::size_t required, Row& row);

/// The edit that writes `row` at `place`. It writes a list if the old row was a list, the row has no
/// measurement, and a list can express the parameters; otherwise an object.
std::vector<Edit> tpu_edits(const Row& row, const Row* old, MemberPath place,
                            std::span<const std::string_view> names, std::size_t required);

/// "quantized_matmul/tpu_v6e.json" gives "tpu_v6e"; empty if the name is not that of a device.
std::string tpu_device(std::string_view file_name);
/// The reverse: the file name of a device.
std::string tpu_file_name(const std::string& device);

/// `Format::why_not_found`: the runtime knows devices by names such as "tpu_v6e".
std::string tpu_not_found(const Sheet& sheet);
Answer tpu_not_found(const std::string& key);

const Format& tpu_quantized_matmul();
const Format& tpu_ragged_paged_attention();

}  // namespace adaptive::table::formats
