// What `adaptive tune` does, for other commands that tune.
#pragma once

#include "cli/command.hpp"
#include "cli/tune/arguments.hpp"

namespace adaptive::inline v1::cli {

Exit tune(const TuneArguments& arguments, const Streams& streams);

}  // namespace adaptive::cli
