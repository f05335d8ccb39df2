#include <cstdio>
#include <string>

#include <adaptive/audit.hpp>

namespace adaptive::inline v1 {
namespace {

std::string time_of(double ns) {
  const char* unit = "ns";
  double value = ns;
  if (ns >= 1e9) {
    unit = "s";
    value = ns / 1e9;
  } else if (ns >= 1e6) {
    unit = "ms";
    value = ns / 1e6;
  } else if (ns >= 1e3) {
    unit = "us";
    value = ns / 1e3;
  }
  char text[40];
  std::snprintf(text, sizeof text, "%.4g %s", value, unit);
  return text;
}

std::string counts_of(const Change& change) {
  return " (" + std::to_string(change.to_results) + " and " + std::to_string(change.from_results) +
         " results)";
}

}  // namespace

std::string Change::reason() const {
  if (kind == EventKind::failure) return from + " failed and was set aside";
  if (is_above_memory_limit) return from + " needs more memory than the limit";
  if (is_disabled) return "the program has disabled " + from;
  if (from_results == 0 || to_results == 0) return to + " took the place of " + from;
  if (kind == EventKind::demotion)
    return from + " became slower than it was and takes " + time_of(from_ns) + "; " + to + " takes " +
           time_of(to_ns) + counts_of(*this);
  return to + " is surely faster: it takes " + time_of(to_ns) + ", " + from + " " + time_of(from_ns) +
         counts_of(*this);
}

}  // namespace adaptive
