#include "kernels/common/cuda/output.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "kernels/common/random.hpp"

namespace adaptive::kernels::cuda {
namespace {

constexpr std::size_t element_bytes = 2;

}  // namespace

std::vector<Expected> compared_places(std::int64_t elements, std::uint64_t seed) {
  std::vector<Expected> places(static_cast<std::size_t>(std::min(elements, compared_max)));
  Random random(seed ^ 0x5eed);
  for (std::size_t i = 0; i < places.size(); ++i) {
    places[i].at = elements - 1 - static_cast<std::int64_t>(i);
    if (elements > compared_max && i > 0) places[i].at = random.below(elements);
  }
  return places;
}

Output::Output(std::int64_t elements, Element type)
    : elements_(elements),
      type_(type),
      data_(static_cast<std::size_t>(elements) * element_bytes),
      difference_(1) {}

void Output::poison(Stream stream) noexcept {
  if (bytes() == 0) return;
  // All bits one is NaN in both types.
  static_cast<void>(cudaMemsetAsync(data(), 0xFF, bytes(), stream));
}

std::vector<std::byte> Output::copy(Stream stream) const {
  std::vector<std::byte> result(bytes());
  if (result.empty()) return result;
  check(cudaMemcpyAsync(result.data(), data(), bytes(), cudaMemcpyDeviceToHost, stream), "copy y");
  check(cudaStreamSynchronize(stream), "copy y");
  return result;
}

void Output::set_reference(const std::vector<Expected>& expected, Stream stream) {
  set_reference(expected, nullptr, nullptr, 0, stream);
}

void Output::set_reference(const std::vector<Expected>& places, const void* x, const void* w, std::int64_t k,
                           Stream stream) {
  if (places.empty()) return;
  DeviceBuffer<Expected> made(places.size());
  check(cudaMemcpyAsync(made.data(), places.data(), places.size() * sizeof(Expected), cudaMemcpyHostToDevice,
                        stream),
        "reference");
  if (x != nullptr)
    check(compute_expected(x, w, k, type_, made.data(), static_cast<std::int64_t>(places.size()), stream),
          "reference");
  check(cudaStreamSynchronize(stream), "reference");
  expected_ = std::move(made);
}

double Output::max_error(Stream stream) {
  if (elements_ == 0) return 0;
  Difference found;
  check(cudaMemsetAsync(difference_.data(), 0, sizeof found, stream), "compare");
  check(compare(data(), elements_, type_, expected_.data(), static_cast<std::int64_t>(expected_.size()),
                difference_.data(), stream),
        "compare");
  check(cudaMemcpyAsync(&found, difference_.data(), sizeof found, cudaMemcpyDeviceToHost, stream), "compare");
  check(cudaStreamSynchronize(stream), "compare");
  if (found.not_finite != 0) return std::numeric_limits<double>::infinity();
  return std::bit_cast<double>(static_cast<std::uint64_t>(found.worst_bits));
}

std::string describe(const Family& family, const Shape& shape, const ProblemOptions& options,
                     std::size_t copies) {
  std::string text = family.name();
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const Dimension& dimension = family.dimensions()[i];
    const bool label = dimension.kind == Dimension::Kind::label;
    text += " " + dimension.name + "=" +
            (label ? dimension.labels[static_cast<std::size_t>(shape[i])] : std::to_string(shape[i]));
  }
  return text + " seed=" + std::to_string(options.seed) + " copies=" + std::to_string(copies);
}

std::size_t copies_in_turn(std::size_t rotate_bytes, std::size_t read, std::size_t bytes_of_copy,
                           std::size_t bytes_max) {
  constexpr std::size_t least = 4;
  constexpr std::size_t most = 64;
  if (rotate_bytes == 0 || bytes_of_copy == 0) return 1;
  const std::size_t wanted = std::clamp(rotate_bytes / std::max<std::size_t>(read, 1) + 1, least, most);
  return std::clamp<std::size_t>(bytes_max / bytes_of_copy, 1, wanted);
}

}  // namespace adaptive::kernels::cuda
