#include "program/callable.hpp"

#include <utility>

namespace adaptive::python {

Held::~Held() {
  if (object_ == nullptr || Py_IsInitialized() == 0) return;
  const nb::gil_scoped_acquire gil;
  if (gil.is_valid()) clear();
}

void Held::clear() noexcept {
  Py_XDECREF(std::exchange(object_, nullptr));
}

std::shared_ptr<Held> Callables::add(nb::object function) {
  std::erase_if(all_, [](const std::weak_ptr<Held>& one) { return one.expired(); });
  auto held = std::make_shared<Held>(std::move(function));
  all_.push_back(held);
  return held;
}

int Callables::traverse(visitproc visit, void* argument) const noexcept {
  for (const std::weak_ptr<Held>& one : all_) {
    const std::shared_ptr<Held> held = one.lock();
    if (held != nullptr && held->get().is_valid())
      if (const int answer = visit(held->get().ptr(), argument); answer != 0) return answer;
  }
  return 0;
}

void Callables::clear() noexcept {
  for (const std::weak_ptr<Held>& one : all_)
    if (const std::shared_ptr<Held> held = one.lock()) held->clear();
}

void report_unraisable(nb::python_error& error, nb::handle function) noexcept {
  error.restore();
  PyErr_WriteUnraisable(function.ptr());
}

}  // namespace adaptive::python
