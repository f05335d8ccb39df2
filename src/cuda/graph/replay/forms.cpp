#include "cuda/graph/replay/forms.hpp"

namespace adaptive::inline v1::cuda {
namespace {

using Kind = ReplayDriver::Form::Kind;

}  // namespace

ReplayForms::ReplayForms(const Driver& driver, const GraphDriver& graphs,
                         const std::vector<TrackedLaunch>& launches, bool has_runtime)
    : driver_(driver),
      graphs_(graphs),
      launches_(launches),
      has_runtime_(has_runtime),
      numbers_(launches.size(), 1) {
  for (std::size_t i = 0; i < launches.size(); ++i) {
    Captured& own = captured_[{i, launches[i].captured}];
    own.form = {Kind::known, 0};
    if (launches[i].nodes) own.chain = *launches[i].nodes;
  }
}

const ReplayForms::Captured* ReplayForms::find(std::size_t launch, std::uint32_t variant,
                                               ReplayDriver::Form& form) {
  const auto at = captured_.find({launch, variant});
  if (at != captured_.end()) {
    form = at->second.form;
    return &at->second;
  }
  form = {};
  // Nothing else can take the place of nodes that are not known.
  if (!launches_[launch].nodes || launches_[launch].nodes->empty() || captured_.size() >= forms_max)
    return nullptr;
  Captured captured;
  form = capture(launch, variant, captured);
  // A failed variant is set aside by the selector, and may be captured again after `Operation::reset`.
  if (form.kind == Kind::later || form.kind == Kind::failed) return nullptr;
  captured.form = form;
  return &captured_.emplace(std::pair{launch, variant}, std::move(captured)).first->second;
}

ReplayDriver::Form ReplayForms::capture(std::size_t launch, std::uint32_t variant, Captured& captured) {
  const TrackedLaunch& tracked = launches_[launch];
  std::optional<RuntimeErrorGuard> guard;  // removes errors that a body leaves behind
  if (has_runtime_) guard.emplace();
  if (guard && !guard->clean()) return {Kind::later, 0};
  const RelaxedCapture relaxed(driver_);
  const CurrentContext current(driver_, tracked.context);
  if (!current) return {Kind::later, 0};
  ScratchCapture scratch(graphs_, tracked.context);
  if (!scratch.open()) return {Kind::later, 0};
  const CapturePoint before = CapturePoint::of(graphs_, scratch.stream());
  if (!before.known) return {Kind::later, 0};
  cudaError_t status = cudaErrorUnknown;
  try {
    status = tracked.body(variant, scratch.stream());
  } catch (...) {
    // As a body that reports an error.
  }
  if (status != cudaSuccess) return {Kind::failed, 0};
  std::optional<Nodes> chain = chain_between(graphs_, before, CapturePoint::of(graphs_, scratch.stream()));
  captured.owner = std::make_shared<const ScratchGraph>(scratch.end());
  if (!*captured.owner) return {Kind::unfit, 0};
  captured.graph = before.graph;
  if (!chain) return {Kind::known, numbers_[launch]++};
  if (chain->empty()) return {Kind::unfit, 0};
  captured.chain = std::move(*chain);
  return {Kind::known, number_of(launch, captured.chain)};
}

std::uint32_t ReplayForms::number_of(std::size_t launch, const Nodes& chain) {
  for (auto at = captured_.lower_bound({launch, 0}); at != captured_.end() && at->first.first == launch; ++at)
    if (at->second.form.kind == Kind::known && !at->second.chain.empty() &&
        interchangeable(graphs_, at->second.chain, chain))
      return at->second.form.number;
  return numbers_[launch]++;
}

}  // namespace adaptive::cuda
