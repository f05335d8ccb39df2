#include "formats/text/measured.hpp"

#include <map>
#include <string>

#include "formats/text/values.hpp"

namespace adaptive::inline v1::table::formats {

Row row_of(const std::vector<Measured>& measured) {
  std::map<std::string, const Measured*> last;
  for (const Measured& one : measured) last[print_json(one.parameters, {})] = &one;
  const auto counts = [&](const Measured& one) { return last.at(print_json(one.parameters, {})) == &one; };
  const Measured* best = nullptr;
  for (const Measured& one : measured)
    if (one.record.count > 0 && counts(one) &&
        (best == nullptr || one.record.location_ns < best->record.location_ns))
      best = &one;
  if (best == nullptr)
    for (const Measured& one : measured)
      if (best == nullptr && one.record.failures == 0 && counts(one)) best = &one;
  Row row;
  for (const Measured& one : measured)
    if (&one != best && counts(one)) row.others.push_back(one);
  if (best == nullptr) return row;
  row.parameters = best->parameters;
  row.record = best->record;
  return row;
}

}  // namespace adaptive::table::formats
