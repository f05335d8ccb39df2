#include "table/foreign_reader.hpp"

#include <atomic>

namespace adaptive::inline v1::table {
namespace {

constexpr ForeignReader no_reader{
    [](const std::filesystem::path&) { return false; },
    [](const std::filesystem::path&) { return false; },
    [](const std::filesystem::path&, const std::string&, std::vector<Notice>&) {
      return std::optional<Table>();
    },
    [](JsonValue) { return std::string_view(); },
};

constinit std::atomic<const ForeignReader*> registered{&no_reader};

}  // namespace

void register_foreign_reader(const ForeignReader& reader) noexcept {
  registered.store(&reader, std::memory_order_release);
}

const ForeignReader& foreign_reader() noexcept {
  return *registered.load(std::memory_order_acquire);
}

}  // namespace adaptive::table
