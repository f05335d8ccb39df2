// The C interface: options of a selector.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include <adaptive/audit.hpp>
#include <adaptive/learning.hpp>
#include <adaptive/log.hpp>
#include <adaptive/policy.hpp>
#include <adaptive/socket.hpp>
#include <adaptive/tables.hpp>
#include "c/handles.hpp"

namespace adaptive::inline v1::c {
namespace {

template <class Number>
Number whole(double value, std::string_view member) {
  constexpr double max = 9007199254740992.0;  // 2^53: above, a `double` skips whole numbers
  const double bound = std::min(static_cast<double>(std::numeric_limits<Number>::max()), max);
  if (!(value >= 0.0 && value <= bound) || value != std::floor(value))
    throw Error(ErrorCode::invalid_argument, std::string(member) + " is not a whole number in range",
                "adaptive_options_set_learning");
  return static_cast<Number>(value);
}

bool truth(double value, std::string_view member) {
  return whole<std::uint8_t>(value, member) != 0;
}

void set(LearningOptions& learning, std::string_view member, double value) {
  if (member == "objective") {
    const auto number = whole<std::uint8_t>(value, member);
    if (number > static_cast<std::uint8_t>(Objective::robust))
      throw Error(ErrorCode::invalid_argument, "objective is 0, 1 or 2", "adaptive_options_set_learning");
    learning.objective = static_cast<Objective>(number);
  } else if (member == "indifference") {
    learning.indifference = value;
  } else if (member == "error") {
    learning.error = value;
  } else if (member == "samples_min") {
    learning.samples_min = whole<std::uint32_t>(value, member);
  } else if (member == "exploration_budget") {
    learning.exploration_budget = value;
  } else if (member == "revalidation_budget") {
    learning.revalidation_budget = value;
  } else if (member == "timing_cost") {
    learning.timing_cost = Latency(value);
  } else if (member == "timing_budget") {
    learning.timing_budget = value;
  } else if (member == "prediction") {
    learning.prediction = truth(value, member);
  } else if (member == "parameter_model") {
    learning.parameter_model = truth(value, member);
  } else if (member == "candidates_max") {
    learning.candidates_max = whole<std::size_t>(value, member);
  } else if (member == "memory_limit") {
    learning.memory_limit = whole<std::uint64_t>(value, member);
  } else if (member == "result_patience") {
    learning.result_patience = whole<std::uint32_t>(value, member);
  } else {
    throw Error(ErrorCode::not_found, "LearningOptions has no member \"" + std::string(member) + "\"",
                "adaptive_options_set_learning", "<adaptive/learning.hpp> lists them");
  }
}

std::string text_of(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

}  // namespace

// Modes and levels have the same numbers on both sides.
static_assert(static_cast<int>(Mode::off) == ADAPTIVE_MODE_OFF &&
              static_cast<int>(Mode::seed) == ADAPTIVE_MODE_SEED &&
              static_cast<int>(Mode::observe) == ADAPTIVE_MODE_OBSERVE &&
              static_cast<int>(Mode::online) == ADAPTIVE_MODE_ONLINE &&
              static_cast<int>(Mode::frozen) == ADAPTIVE_MODE_FROZEN);
static_assert(static_cast<int>(LogLevel::debug) == ADAPTIVE_LOG_DEBUG &&
              static_cast<int>(LogLevel::info) == ADAPTIVE_LOG_INFO &&
              static_cast<int>(LogLevel::warning) == ADAPTIVE_LOG_WARNING &&
              static_cast<int>(LogLevel::error) == ADAPTIVE_LOG_ERROR);

}  // namespace adaptive::c

using adaptive::c::guarded;
using adaptive::c::require;

adaptive_status adaptive_options_create(adaptive_options** options) noexcept {
  return guarded([&] {
    require("adaptive_options_create", options);
    *options = std::make_unique<adaptive_options>().release();
  });
}

void adaptive_options_destroy(adaptive_options* options) noexcept {
  delete options;
}

adaptive_status adaptive_options_set_device(adaptive_options* options, const char* name, const char* driver,
                                            const char* toolkit) noexcept {
  return guarded([&] {
    require("adaptive_options_set_device", options);
    options->options.device = {.device = adaptive::c::text_of(name),
                               .driver = adaptive::c::text_of(driver),
                               .toolkit = adaptive::c::text_of(toolkit)};
  });
}

adaptive_status adaptive_options_add_library(adaptive_options* options, const char* name,
                                             const char* version) noexcept {
  return guarded([&] {
    require("adaptive_options_add_library", options, name, version);
    options->options.device.libraries[name] = version;
  });
}

adaptive_status adaptive_options_use_standard_tables(adaptive_options* options,
                                                     const char* version) noexcept {
  return guarded([&] {
    require("adaptive_options_use_standard_tables", options);
    options->version = adaptive::c::text_of(version);
    options->standard_tables = true;
  });
}

adaptive_status adaptive_options_add_tables(adaptive_options* options, const char* path) noexcept {
  return guarded([&] {
    require("adaptive_options_add_tables", options, path);
    options->options.tables.places.emplace_back(path);
  });
}

adaptive_status adaptive_options_set_mode(adaptive_options* options, adaptive_mode mode) noexcept {
  return guarded([&] {
    require("adaptive_options_set_mode", options);
    options->options.mode = adaptive::c::mode_of(mode, "adaptive_options_set_mode");
  });
}

adaptive_status adaptive_options_set_policy(adaptive_options* options, const char* policy) noexcept {
  return guarded([&] {
    require("adaptive_options_set_policy", options, policy);
    options->options.policy = adaptive::make_policy(policy);
  });
}

adaptive_status adaptive_options_set_seed(adaptive_options* options, std::uint64_t seed) noexcept {
  return guarded([&] {
    require("adaptive_options_set_seed", options);
    options->options.seed = seed;
  });
}

adaptive_status adaptive_options_set_rank_consistent(adaptive_options* options, bool enabled) noexcept {
  return guarded([&] {
    require("adaptive_options_set_rank_consistent", options);
    options->options.rank_consistent = enabled;
  });
}

adaptive_status adaptive_options_set_background(adaptive_options* options, bool enabled) noexcept {
  return guarded([&] {
    require("adaptive_options_set_background", options);
    options->options.background = enabled;
  });
}

adaptive_status adaptive_options_set_use_environment(adaptive_options* options, bool enabled) noexcept {
  return guarded([&] {
    require("adaptive_options_set_use_environment", options);
    options->options.use_environment = enabled;
  });
}

adaptive_status adaptive_options_set_learning(adaptive_options* options, const char* member,
                                              double value) noexcept {
  return guarded([&] {
    require("adaptive_options_set_learning", options, member);
    adaptive::c::set(options->options.learning, member, value);
  });
}

adaptive_status adaptive_options_set_log(adaptive_options* options, adaptive_log_function log,
                                         void* data) noexcept {
  return guarded([&] {
    require("adaptive_options_set_log", options);
    options->options.log = adaptive::c::log_callback(log, data);
  });
}

adaptive_status adaptive_options_set_audit(adaptive_options* options, const char* file,
                                           std::uint64_t bytes_max, std::uint32_t files_max) noexcept {
  return guarded([&] {
    require("adaptive_options_set_audit", options, file);
    adaptive::AuditOptions audit;
    audit.file = file;
    if (bytes_max > 0) audit.bytes_max = bytes_max;
    audit.files_max = files_max;
    options->options.audit = audit;
  });
}

adaptive_status adaptive_options_set_socket(adaptive_options* options, const char* folder,
                                            const char* name) noexcept {
  return guarded([&] {
    require("adaptive_options_set_socket", options);
    options->options.socket = {
        .listen = true, .folder = adaptive::c::text_of(folder), .name = adaptive::c::text_of(name)};
  });
}
