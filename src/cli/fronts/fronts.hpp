// Thin commands with the names and options of other systems' tuning scripts. Each option has its documented
// meaning or is refused with the reason; the work is that of `adaptive tune` and `adaptive apply`.
// docs/fronts.md has the tables of all options.
#pragma once

#include <string>
#include <vector>

#include "cli/command.hpp"

namespace adaptive::inline v1::cli {

/// `run_tuning.sh` of SGLang's grouped GEMM.
Command add_run_tuning(CLI::App& app);
/// `auto_tune_startup.py` of Megablox GMM.
Command add_auto_tune_startup(CLI::App& app);
/// `python -m metal_marlin.trellis.autotune_mixed_bpw`.
Command add_autotune_mixed_bpw(CLI::App& app);
/// `tpu-tune` of tpu-inference.
Command add_tpu_tune(CLI::App& app);
/// `benchmark_moe.py` of vLLM.
Command add_benchmark_moe(CLI::App& app);

/// The arguments of a program that may have been started by a link with the name of such a script, with or
/// without `.sh` or `.py`: the command then comes first.
std::vector<std::string> arguments_of(const std::string& program, std::vector<std::string> arguments);

/// The heading of these commands in the help.
inline constexpr const char* front_group = "Commands of other systems";

}  // namespace adaptive::cli
