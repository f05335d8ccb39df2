#include "cuda/nvtx/ranges.hpp"

#include <nvtx3/nvToolsExt.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace adaptive::inline v1::cuda {
namespace {

constexpr std::uint32_t argb_leader = 0xFF76B900;
constexpr std::uint32_t argb_exploring = 0xFFE69F00;
constexpr std::uint32_t argb_pinned = 0xFF56B4E9;

nvtxDomainHandle_t handle_of(void* domain) noexcept {
  return static_cast<nvtxDomainHandle_t>(domain);
}

}  // namespace

const NvtxRanges* NvtxRanges::find() noexcept {
  // The domain is the process': it is never destroyed, since a launch may outlive every timer that knows it.
  static void* const domain = nvtxDomainCreateA("adaptive");
  if (domain == nullptr) return nullptr;
  static const NvtxRanges ranges(domain);
  return &ranges;
}

std::uint64_t NvtxRanges::begin(const Operation& operation, std::uint32_t variant,
                                const char* why) const noexcept {
  try {
    const std::string text = operation.name() + " " + operation.variant(variant).name + " (" + why + ")";
    nvtxEventAttributes_t event{};
    event.version = NVTX_VERSION;
    event.size = NVTX_EVENT_ATTRIB_STRUCT_SIZE;
    event.colorType = NVTX_COLOR_ARGB;
    const std::string_view reason = why;
    event.color = reason == "exploring" ? argb_exploring : reason == "pinned" ? argb_pinned : argb_leader;
    event.messageType = NVTX_MESSAGE_TYPE_ASCII;
    event.message.ascii = text.c_str();
    return nvtxDomainRangeStartEx(handle_of(domain_), &event);
  } catch (...) {
    return 0;
  }
}

void NvtxRanges::end(std::uint64_t range) const noexcept {
  nvtxDomainRangeEnd(handle_of(domain_), range);
}

}  // namespace adaptive::cuda
