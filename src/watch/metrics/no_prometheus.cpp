// Takes the place of prometheus.cpp if prometheus-cpp is missing.
#include <memory>
#include <string>

#include <adaptive/error.hpp>
#include <adaptive/metrics.hpp>

namespace adaptive::inline v1::metrics {
namespace {

Error missing() {
  return Error(ErrorCode::unsupported, "this build of adaptive::metrics has no prometheus-cpp", "metrics",
               "install it (Debian: prometheus-cpp-dev) and build again, or use metrics::TextFile");
}

}  // namespace

struct Endpoint::Impl {};

bool has_prometheus() noexcept {
  return false;
}

Endpoint::Endpoint(const Selector& /*selector*/, const std::string& /*address*/, Options /*options*/) {
  throw missing();
}
Endpoint::~Endpoint() = default;

int Endpoint::port() const noexcept {
  return 0;
}

std::shared_ptr<prometheus::Collectable> collectable(const Selector& /*selector*/, Options /*options*/) {
  throw missing();
}

}  // namespace adaptive::metrics
