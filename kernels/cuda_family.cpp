#include "kernels/cuda_family.hpp"

namespace adaptive::kernels::cuda {

namespace {

constinit thread_local const PreparedFor* innermost = nullptr;

}  // namespace

PreparedFor::PreparedFor(Stream stream) noexcept : stream_(stream), outer_(innermost) {
  innermost = this;
}

PreparedFor::~PreparedFor() {
  innermost = outer_;
}

Stream PreparedFor::of(Stream stream) noexcept {
  return innermost != nullptr ? innermost->stream_ : stream;
}

Family::Family(std::string name, std::vector<Dimension> dimensions, std::vector<Variant> variants)
    : name_(std::move(name)), dimensions_(std::move(dimensions)) {
  for (Variant& variant : variants) find_or_add(std::move(variant));
}

Family::~Family() {
  for (auto& variant : variants_) delete variant.load(std::memory_order_relaxed);
}

std::optional<std::size_t> Family::find_variant(std::string_view name) const noexcept {
  const std::size_t count = variant_count();
  for (std::size_t i = 0; i < count; ++i)
    if (variant(i).name == name) return i;
  return std::nullopt;
}

std::optional<std::size_t> Family::find_or_add(Variant variant) const {
  const std::lock_guard lock(growing_);
  if (const auto known = find_variant(variant.name)) return known;
  const std::size_t at = count_.load(std::memory_order_relaxed);
  if (at == variants_max) return std::nullopt;
  variants_[at].store(new Variant(std::move(variant)), std::memory_order_relaxed);
  count_.store(at + 1, std::memory_order_release);
  return at;
}

}  // namespace adaptive::kernels::cuda
