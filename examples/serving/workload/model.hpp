#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <adaptive/random.hpp>

#include "examples/serving/workload/batching.hpp"
#include "kernels/family.hpp"

// Which launches a step of the model makes.
//
// Attention projections, a dense feed-forward layer and the vocabulary have quantised weights of mixed bit
// width; the other layers spread each token over two of their experts. What no kernel family does (attention
// itself, norms, sampling) is left out.

namespace serving {

namespace kernels = adaptive::kernels;

struct ModelOptions {
  std::int64_t hidden = 512;
  std::int64_t layers = 3;  ///< the first is dense, the others have experts
  std::int64_t experts = 8;
  std::int64_t experts_per_token = 2;
  std::int64_t vocabulary = 8192;
};

/// The sizes that are padded to the next power of two, as serving engines pad their batches: the same few
/// shapes come again and again.
inline const std::vector<std::string> padded_dimensions = {"tokens", "filled"};

struct Launch {
  const kernels::Family* family = nullptr;
  kernels::Shape shape;  ///< padded
};

class Model {
 public:
  /// `seed` is of the routing to experts.
  Model(const ModelOptions& options, std::uint64_t seed);

  /// The launches of a step in their order; valid until the next call.
  const std::vector<Launch>& launches(const Step& step);

  std::string description() const;

 private:
  using Values = std::initializer_list<std::pair<std::string_view, std::int64_t>>;

  void add(std::string_view family, Values values);
  void add_experts(std::int64_t tokens);
  void add_projection(std::int64_t tokens, std::int64_t out, std::int64_t in, std::int64_t bits);
  std::int64_t route(std::int64_t tokens);

  ModelOptions options_;
  adaptive::Random random_;
  std::vector<double> popularity_;  ///< of the experts, added up
  std::vector<Launch> launches_;
};

}  // namespace serving
