#include "cuda/graph/graph_builder.hpp"

#include <utility>

#include "base/background_thread.hpp"

namespace adaptive::inline v1::cuda {
namespace {

void destroy(const GraphBuilder::Task& task) {
  const RelaxedCapture relaxed(task.driver);
  const CurrentContext current(task.driver, task.context);
  if (!current) return;
  if (task.exec != nullptr) task.copies.exec_destroy(task.exec);
  if (task.graph != nullptr) task.destroy_graph(task.graph);
  for (CUevent event : task.events) task.driver.event_destroy(event);
}

void build(GraphBuilder::Task& task) {
  const RelaxedCapture relaxed(task.driver);
  const CurrentContext current(task.driver, task.context);
  if (!current || task.copies.instantiate(&task.exec, task.graph, task.flags) != CUDA_SUCCESS) {
    task.exec = nullptr;
    return;
  }
  if (task.upload != nullptr) task.copies.upload(task.exec, task.upload);
}

}  // namespace

std::shared_ptr<GraphBuilder> GraphBuilder::get() {
  static std::mutex mutex;
  static std::weak_ptr<GraphBuilder> present;
  const std::lock_guard lock(mutex);
  std::shared_ptr<GraphBuilder> builder = present.lock();
  if (builder == nullptr) present = builder = std::make_shared<GraphBuilder>();
  return builder;
}

GraphBuilder::GraphBuilder() : thread_(core::background_thread([this] { run(); })) {}

GraphBuilder::~GraphBuilder() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void GraphBuilder::submit(std::shared_ptr<Task> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  changed_.notify_all();
}

void GraphBuilder::wait(const Task& task) noexcept {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return task.done.load(std::memory_order_acquire); });
}

void GraphBuilder::run() noexcept {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return ends_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    const std::shared_ptr<Task> task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    if (task->destroy_graph != nullptr)
      destroy(*task);
    else
      build(*task);
    lock.lock();
    task->done.store(true, std::memory_order_release);
    changed_.notify_all();
  }
}

}  // namespace adaptive::cuda
