// The public face of an operation: checks arguments and calls its parts.
#include <adaptive/operation.hpp>

#include <algorithm>
#include <utility>

#include <adaptive/error.hpp>
#include "base/text.hpp"
#include "operation/control.hpp"
#include "operation/explain.hpp"
#include "operation/operation_parts.hpp"
#include "operation/snapshot.hpp"

namespace adaptive::inline v1 {
namespace {

std::uint32_t require_variant(const core::OperationParts& operation, std::string_view name) {
  if (const auto index = operation.variants.find(name)) return *index;
  std::string known;
  for (std::uint32_t i = 0; i < std::min(operation.context.variants.size(), 24u); ++i)
    known += (i == 0 ? "" : ", ") + operation.context.variants[i].spec.name;
  throw Error(ErrorCode::not_found, "there is no variant \"" + std::string(name) + "\"", operation.spec.name,
              "known: " + known);
}

const Dimension& require_dimension(const core::OperationParts& operation, std::string_view name,
                                   DimensionKind kind) {
  for (const Dimension& dimension : operation.spec.dimensions)
    if (dimension.name == name && dimension.kind == kind) return dimension;
  std::string known;
  for (const Dimension& dimension : operation.spec.dimensions)
    if (dimension.kind == kind) known += (known.empty() ? "" : ", ") + dimension.name;
  throw Error(ErrorCode::not_found, "there is no dimension \"" + std::string(name) + "\" of that kind",
              operation.spec.name, "of that kind: " + (known.empty() ? "none" : known));
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
  if (!parts_->admission.fits(key)) return {nullptr, 0};
  const core::PassingKeys::Answer passing = parts_->passing.decide(key);
  if (passing.is_passing) return {nullptr, passing.variant, passing.ticket};
  const core::Place place = parts_->admission.find_place(key, core::Wait::for_safety);
  if (place.head == nullptr) return {nullptr, place.variant};
  // The key's latest result from before it had a state.
  if (passing.earlier_ns > 0.0) place.head->learner->record(passing.variant, 0, passing.earlier_ns);
  return decide(*place.head);
}

std::optional<Decision> Operation::select_known(const Key& key) noexcept {
  if (!parts_->admission.fits(key)) return std::nullopt;
  const std::optional<core::Place> place = parts_->admission.find_known(key);
  if (!place) return std::nullopt;
  return place->head != nullptr ? decide(*place->head) : Decision(nullptr, place->variant);
}

Decision Operation::consult(const detail::KeyHead& head) noexcept {
  return head.learner->consult();
}

void Operation::record(const Decision& decision, Latency latency) noexcept {
  if (decision.head_ == nullptr) {
    if (decision.timed()) return parts_->passing.record(decision.ticket_, latency.count());
    return parts_->context.count_result_without_key(latency.count());
  }
  decision.head_->learner->record(decision.variant_, decision.ticket_, latency.count());
}

void Operation::record(const Key& key, std::uint32_t variant, Latency latency) noexcept {
  if (!parts_->admission.fits(key)) return;
  const detail::KeyHead* head = parts_->admission.find_place(key, core::Wait::never).head;
  record(Decision(head, variant), latency);
}

void Operation::fail(const Decision& decision) noexcept {
  if (decision.head_ == nullptr) return parts_->passing.fail(decision.variant_, decision.ticket_);
  decision.head_->learner->fail(decision.variant_, decision.ticket_);
}

Site Operation::site(const Key& key) {
  core::check_key(parts_->spec, key);
  return {*this, parts_->admission.find_place(key, core::Wait::always).head, key};
}

Pin Operation::pin_of(const detail::KeyHead& head) noexcept {
  const std::atomic<std::uint32_t>& current = head.learner->pinned();
  // Acquire order, as for a plan: the word may name a variant that another thread has just added.
  const std::uint32_t seen = current.load(std::memory_order_acquire);
  return {&head, core::KeyLearner::variant_of_pin(seen), &current, seen};
}

Pin Site::pin() const noexcept {
  return head_ == nullptr ? operation_->pin(key_) : Operation::pin_of(*head_);
}

Pin Operation::pin(const Key& key) noexcept {
  if (!parts_->admission.fits(key)) return {};
  const core::Place place = parts_->admission.find_place(key, core::Wait::for_safety);
  if (place.head != nullptr) return pin_of(*place.head);
  return {nullptr, place.variant, &parts_->admission.generation(), place.generation};
}

Explanation Operation::explain(const Key& key) const {
  core::check_arity(parts_->spec, key);
  return core::explain(*parts_, key);
}

Forced Operation::force(std::string_view variant) {
  return Forced(*parts_, core::force(*parts_, require_variant(*parts_, variant)));
}

Forced::Forced(Forced&& other) noexcept
    : operation_(std::exchange(other.operation_, nullptr)), number_(other.number_) {}
Forced::~Forced() {
  if (operation_ != nullptr) core::stop_forcing(*operation_, number_);
}

void Operation::note_timing_cost(Latency cost) noexcept {
  parts_->context.note_timing_cost(cost.count());
}

void Operation::enable(std::string_view variant, bool enabled) {
  const std::uint32_t index = require_variant(*parts_, variant);
  if (index == 0 && !enabled)
    throw Error(ErrorCode::invalid_argument, "the default variant cannot be disabled", parts_->spec.name,
                "force another one, or list another one first");
  core::enable(*parts_, index, enabled);
}

std::uint32_t Operation::add_variant(Variant variant) {
  return core::add_variant(*parts_, std::move(variant));
}
void Operation::reset() {
  core::reset(*parts_, core::LaunchesOut::drop);
}
void Operation::relearn() {
  core::reset(*parts_, core::LaunchesOut::take);
}
void Operation::relearn(const Decision& decision) {
  if (decision.head_ != nullptr)
    core::reset(*parts_, decision.head_->learner->key(), core::LaunchesOut::take);
}
bool Operation::reset(const Key& key) {
  return core::reset(*parts_, key, core::LaunchesOut::drop);
}

const std::string& Operation::name() const noexcept {
  return parts_->spec.name;
}
const std::vector<Dimension>& Operation::dimensions() const noexcept {
  return parts_->spec.dimensions;
}
std::size_t Operation::variant_count() const noexcept {
  return parts_->context.variants.size();
}

Variant Operation::variant(std::uint32_t index) const {
  if (index >= parts_->context.variants.size())
    throw Error(ErrorCode::not_found, "there is no variant " + std::to_string(index), parts_->spec.name,
                "the operation has " + std::to_string(parts_->context.variants.size()));
  return parts_->context.variants[index].spec;
}

std::optional<std::uint32_t> Operation::find_variant(std::string_view name) const {
  return parts_->variants.find(name);
}

std::int64_t Operation::label(std::string_view dimension, std::string_view label) const {
  return static_cast<std::int64_t>(
      require_label(require_dimension(*parts_, dimension, DimensionKind::label), label));
}

std::int64_t Operation::labels(std::string_view dimension,
                               std::initializer_list<std::string_view> labels) const {
  const Dimension& set = require_dimension(*parts_, dimension, DimensionKind::label_set);
  std::int64_t mask = 0;
  for (const std::string_view label : labels) mask |= std::int64_t{1} << require_label(set, label);
  return mask;
}

Counters Operation::counters() const {
  return core::count(*parts_);
}

Account Operation::account() const {
  return core::account(*parts_);
}

OperationStatus Operation::status() const {
  return core::status(*parts_);
}

std::vector<Key> Operation::keys() const {
  return core::keys(*parts_);
}

const Fingerprint& Operation::device() const noexcept {
  return parts_->context.selector.device;
}

Mode Operation::mode() const noexcept {
  return parts_->context.selector.mode.load(std::memory_order_relaxed);
}

}  // namespace adaptive
