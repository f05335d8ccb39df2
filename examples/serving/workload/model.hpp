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

// Determines the launches of a step of the model.
//
// Attention projections, a dense feed-forward layer and the vocabulary have quantised weights of mixed bit
// width. Attention has a paged cache of bfloat16. The other layers send each token to two of their experts.
// Work that no kernel family does (norms, sampling) is left out.

namespace serving {

namespace kernels = adaptive::kernels;

struct ModelOptions {
  std::int64_t hidden = 512;
  std::int64_t layers = 3;  ///< the first layer is dense, the others have experts
  std::int64_t experts = 8;
  std::int64_t experts_per_token = 2;
  std::int64_t vocabulary = 8192;
};

/// The sizes that are padded to the next power of two, as serving engines pad their batches, so that the same
/// few shapes repeat.
inline const std::vector<std::string> padded_dimensions = {"tokens", "filled", "sequences", "context"};

struct Launch {
  const kernels::Family* family = nullptr;
  kernels::Shape shape;  ///< padded
};

class Model {
 public:
  /// `seed` is for the routing to experts.
  Model(const ModelOptions& options, std::uint64_t seed);

  /// The launches of a step in order; valid until the next call.
  const std::vector<Launch>& launches(const Step& step);

  std::string description() const;

 private:
  using Values = std::initializer_list<std::pair<std::string_view, std::int64_t>>;

  void add(std::string_view family, Values values);
  void add_experts(std::int64_t tokens);
  void add_attention(const Step& step);
  void add_projection(std::int64_t tokens, std::int64_t out, std::int64_t in, std::int64_t bits);
  std::int64_t route(std::int64_t tokens);

  ModelOptions options_;
  adaptive::Random random_;
  std::vector<double> popularity_;  ///< cumulative popularity of the experts
  std::vector<Launch> launches_;
};

}  // namespace serving
