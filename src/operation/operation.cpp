// The public face: checks arguments, then asks the state.
#include <adaptive/operation.hpp>

#include <algorithm>
#include <utility>

#include <adaptive/error.hpp>
#include "base/text.hpp"
#include "operation/operation_state.hpp"

namespace adaptive::inline v1 {
namespace {

std::uint32_t require_variant(const core::OperationState& state, std::string_view name) {
  if (const auto index = state.find_variant(name)) return *index;
  std::string known;
  for (std::uint32_t i = 0; i < std::min(state.variants().size(), 24u); ++i)
    known += (i == 0 ? "" : ", ") + state.variants()[i].spec.name;
  throw Error(ErrorCode::not_found, "there is no variant \"" + std::string(name) + "\"", state.spec().name,
              "known: " + known);
}

const Dimension& require_dimension(const core::OperationState& state, std::string_view name,
                                   DimensionKind kind) {
  for (const Dimension& dimension : state.spec().dimensions)
    if (dimension.name == name && dimension.kind == kind) return dimension;
  std::string known;
  for (const Dimension& dimension : state.spec().dimensions)
    if (dimension.kind == kind) known += (known.empty() ? "" : ", ") + dimension.name;
  throw Error(ErrorCode::not_found, "there is no dimension \"" + std::string(name) + "\" of that kind",
              state.spec().name, "of that kind: " + (known.empty() ? "none" : known));
}

std::size_t require_label(const Dimension& dimension, std::string_view label) {
  const auto at = std::find(dimension.labels.begin(), dimension.labels.end(), label);
  if (at == dimension.labels.end())
    throw Error(ErrorCode::not_found, "there is no label \"" + std::string(label) + "\"", dimension.name,
                "known: " + core::joined(dimension.labels));
  return static_cast<std::size_t>(at - dimension.labels.begin());
}

}  // namespace

Operation::Operation(std::uint64_t seed) : ticks_(seed) {}
Operation::~Operation() = default;

Decision Operation::select_unknown(const Key& key) noexcept {
  return state_->select_unknown(key);
}
Decision Operation::consult(const detail::KeyHead& head) noexcept {
  return state_->consult(head);
}

void Operation::record(const Decision& decision, Latency latency) noexcept {
  state_->record(decision.head_, decision.variant_, decision.ticket_, latency.count());
}

void Operation::record(const Key& key, std::uint32_t variant, Latency latency) noexcept {
  if (!state_->fits(key)) return;
  const detail::KeyHead* head = state_->find_place(key, core::OperationState::Wait::never).head;
  state_->record(head, variant, 0, latency.count());
}

void Operation::fail(const Decision& decision) noexcept {
  state_->fail(decision.head_, decision.variant_, decision.ticket_);
}

Site Operation::site(const Key& key) {
  state_->check_key(key);
  return {*this, state_->find_place(key, core::OperationState::Wait::always).head, key};
}

Pin Operation::pin_of(const detail::KeyHead& head) noexcept {
  const std::atomic<std::uint32_t>& current = head.state->pinned;
  // It names a variant, as a plan does.
  const std::uint32_t seen = current.load(std::memory_order_acquire);
  return {&head, core::KeyState::variant_of_pin(seen), &current, seen};
}

Pin Site::pin() const noexcept {
  return head_ == nullptr ? operation_->pin(key_) : Operation::pin_of(*head_);
}

Pin Operation::pin(const Key& key) noexcept {
  if (!state_->fits(key)) return {};
  const core::OperationState::Place place = state_->find_place(key, core::OperationState::Wait::for_safety);
  if (place.head != nullptr) return pin_of(*place.head);
  return {nullptr, place.variant, &state_->generation(), place.generation};
}

std::optional<Decision> Operation::select_known(const Key& key) noexcept {
  return state_->select_known(key);
}

Explanation Operation::explain(const Key& key) const {
  state_->check_arity(key);
  return state_->explain(key);
}

Forced Operation::force(std::string_view variant) {
  return Forced(*state_, state_->push_forced(require_variant(*state_, variant)));
}

Forced::Forced(Forced&& other) noexcept : state_(std::exchange(other.state_, nullptr)), id_(other.id_) {}
Forced::~Forced() {
  if (state_ != nullptr) state_->pop_forced(id_);
}

void Operation::note_timing_cost(Latency cost) noexcept {
  state_->note_timing_cost(cost.count());
}

void Operation::enable(std::string_view variant, bool enabled) {
  const std::uint32_t index = require_variant(*state_, variant);
  if (index == 0 && !enabled)
    throw Error(ErrorCode::invalid_argument, "the default variant cannot be disabled", state_->spec().name,
                "force another one, or list another one first");
  state_->enable(index, enabled);
}

std::uint32_t Operation::add_variant(Variant variant) {
  return state_->add_variant(std::move(variant));
}
void Operation::reset() {
  state_->reset();
}
void Operation::relearn() {
  state_->reset(core::OperationState::LaunchesOut::take);
}
bool Operation::reset(const Key& key) {
  return state_->reset(key);
}

const std::string& Operation::name() const noexcept {
  return state_->spec().name;
}
const std::vector<Dimension>& Operation::dimensions() const noexcept {
  return state_->spec().dimensions;
}
std::size_t Operation::variant_count() const noexcept {
  return state_->variants().size();
}

Variant Operation::variant(std::uint32_t index) const {
  if (index >= state_->variants().size())
    throw Error(ErrorCode::not_found, "there is no variant " + std::to_string(index), state_->spec().name,
                "the operation has " + std::to_string(state_->variants().size()));
  return state_->variants()[index].spec;
}

std::optional<std::uint32_t> Operation::find_variant(std::string_view name) const {
  return state_->find_variant(name);
}

std::int64_t Operation::label(std::string_view dimension, std::string_view label) const {
  return static_cast<std::int64_t>(
      require_label(require_dimension(*state_, dimension, DimensionKind::label), label));
}

std::int64_t Operation::labels(std::string_view dimension,
                               std::initializer_list<std::string_view> labels) const {
  const Dimension& set = require_dimension(*state_, dimension, DimensionKind::label_set);
  std::int64_t mask = 0;
  for (const std::string_view label : labels) mask |= std::int64_t{1} << require_label(set, label);
  return mask;
}

Counters Operation::counters() const {
  return state_->counters();
}

Account Operation::account() const {
  return state_->account();
}

std::vector<Key> Operation::keys() const {
  return state_->keys();
}

const Fingerprint& Operation::device() const noexcept {
  return state_->device();
}

}  // namespace adaptive
