#include "table/looks_like.hpp"

#include "table/formats/format.hpp"

namespace adaptive::table {

std::string_view looks_like(JsonValue member) {
  for (const formats::Format* format : formats::all())
    if (format->recognises_member(member)) return format->what();
  return member.name() == "latency_us" ? "a trace" : std::string_view();
}

}  // namespace adaptive::table
