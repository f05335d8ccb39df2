#include "cuda/cupti/session.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <new>

#include "base/background_thread.hpp"
#include "cuda/cupti/library.hpp"
#include "cuda/free_list.hpp"

namespace adaptive::inline v1::cuda {
namespace {

// Buffers are small, because CUPTI delivers only full ones while the GPU is busy. One holds about 150
// kernels.
constexpr std::size_t buffer_bytes = 32 * 1024;
constexpr std::uint32_t buffers = 64;
constexpr std::size_t alignment = 64;

constexpr std::chrono::milliseconds flush_period{20};
// Time to wait for a record: a kernel may wait long in its stream, but a record may also never come.
constexpr std::int64_t patience_ns = 60'000'000'000;

// Calls that launch an unknown number of kernels.
constexpr std::array graph_launches = {CUPTI_DRIVER_TRACE_CBID_cuGraphLaunch,
                                       CUPTI_DRIVER_TRACE_CBID_cuGraphLaunch_ptsz};
constexpr std::array kernel_launches = {CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel,
                                        CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel_ptsz,
                                        CUPTI_DRIVER_TRACE_CBID_cuLaunchKernelEx,
                                        CUPTI_DRIVER_TRACE_CBID_cuLaunchKernelEx_ptsz,
                                        CUPTI_DRIVER_TRACE_CBID_cuLaunchCooperativeKernel,
                                        CUPTI_DRIVER_TRACE_CBID_cuLaunchCooperativeKernel_ptsz};

struct Buffers {
  FreeList free{buffers};
  std::byte* memory =
      static_cast<std::byte*>(::operator new (buffers* buffer_bytes, std::align_val_t{alignment}));
  Buffers() {
    for (std::uint32_t i = 0; i < buffers; ++i) free.push(i);
  }
};

// Created at first use and never destroyed: CUPTI keeps buffers and calls back until the process ends.
CuptiSession* session = nullptr;
Buffers* pool = nullptr;
const CuptiLibrary* cupti = nullptr;
constinit std::atomic<CuptiSession*> open_session{nullptr};
constinit std::mutex making;

bool is_graph_launch(CUpti_CallbackId id) noexcept {
  for (const auto one : graph_launches)
    if (id == static_cast<CUpti_CallbackId>(one)) return true;
  return false;
}

}  // namespace

// The functions that CUPTI calls.
struct CuptiCallbacks {
  static void CUPTIAPI requested(std::uint8_t** buffer, std::size_t* size, std::size_t* records) {
    const std::uint32_t number = pool->free.pop();
    *records = 0;  // no limit: as many records as fit
    if (number == FreeList::none) {
      *buffer = nullptr;  // CUPTI drops the records
      *size = 0;
      return;
    }
    *buffer = reinterpret_cast<std::uint8_t*>(pool->memory + number * buffer_bytes);
    *size = buffer_bytes;
  }

  static void CUPTIAPI completed(CUcontext, std::uint32_t, std::uint8_t* buffer, std::size_t,
                                 std::size_t bytes) {
    if (buffer == nullptr) return;
    {
      const std::lock_guard lock(session->launches.delivery);
      CUpti_Activity* record = nullptr;
      while (cupti->get_next_record(buffer, bytes, &record) == CUPTI_SUCCESS) {
        if (record->kind != CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL) continue;
        const auto* const kernel = reinterpret_cast<const CuptiKernel*>(record);
        if (kernel->end <= kernel->start) continue;  // the record has no times
        const std::uint64_t ns = kernel->end - kernel->start;
        if (kernel->graphNodeId != 0)
          session->graph_nodes.record(kernel->graphNodeId, kernel->correlationId, ns);
        else
          session->launches.record(kernel->correlationId, ns);
      }
    }
    const auto offset = reinterpret_cast<std::byte*>(buffer) - pool->memory;
    pool->free.push(static_cast<std::uint32_t>(static_cast<std::size_t>(offset) / buffer_bytes));
  }

  static void CUPTIAPI called(void*, CUpti_CallbackDomain domain, CUpti_CallbackId id, const void* data) {
    if (domain == CUPTI_CB_DOMAIN_RESOURCE) {
      if (id == CUPTI_CBID_RESOURCE_GRAPHNODE_CLONED) cloned(data);
      return;
    }
    if (domain != CUPTI_CB_DOMAIN_DRIVER_API) return;
    const auto* const call = static_cast<const CUpti_CallbackData*>(data);
    const bool enters = call->callbackSite == CUPTI_API_ENTER;
    if (is_graph_launch(id)) {
      if (!enters) return;
      session->launches.launched_untimable();
      session->graph_nodes.replayed(call->correlationId);
    } else if (enters) {
      session->launches.launched(call->correlationId);
    } else if (*static_cast<const CUresult*>(call->functionReturnValue) != CUDA_SUCCESS) {
      session->launches.not_launched(call->correlationId);
    }
  }

 private:
  static void cloned(const void* data) {
    const auto* const resource = static_cast<const CUpti_ResourceData*>(data);
    const auto* const graph = static_cast<const CUpti_GraphData*>(resource->resourceDescriptor);
    std::uint64_t original = 0;
    std::uint64_t copy = 0;
    if (cupti->get_graph_node_id(graph->originalNode, &original) == CUPTI_SUCCESS &&
        cupti->get_graph_node_id(graph->node, &copy) == CUPTI_SUCCESS)
      session->graph_nodes.cloned(original, copy);
  }
};

CuptiSession* CuptiSession::current() noexcept {
  return open_session.load(std::memory_order_acquire);
}

CuptiSession* CuptiSession::open(std::string& why) noexcept {
  try {
    const CuptiLibrary* const library = CuptiLibrary::find();
    if (library == nullptr) {
      why = "the library is not installed, or has another major version";
      return nullptr;
    }
    {
      const std::lock_guard lock(making);
      cupti = library;
      if (pool == nullptr) pool = new Buffers;
      if (session == nullptr) session = new CuptiSession;
    }
    const std::lock_guard lock(session->users_mutex_);
    if (session->users_ == 0 && !session->attach(why)) return nullptr;
    ++session->users_;
    return session;
  } catch (...) {
    return nullptr;  // out of memory, or no thread could be started
  }
}

void CuptiSession::close() noexcept {
  const std::lock_guard lock(users_mutex_);
  if (--users_ == 0) detach();
}

bool CuptiSession::attach(std::string& why) {
  if (graph_nodes.exhausted()) {
    why = "it has recorded too many kernels of graphs in this process";
    return false;
  }
  CUpti_SubscriberHandle subscriber = nullptr;
  const auto fine = [&](CUptiResult result, const char* what) {
    if (result == CUPTI_SUCCESS) return true;
    const char* text = nullptr;
    cupti->get_result_string(result, &text);
    why = std::string(what) + ": " + (text != nullptr ? text : std::to_string(int{result}));
    if (result == CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED)
      why += " (a profiler or another library of this process uses CUPTI)";
    return false;
  };
  if (!fine(cupti->subscribe(&subscriber, &CuptiCallbacks::called, nullptr), "subscribe")) return false;
  subscriber_ = subscriber;
  bool all = fine(cupti->register_callbacks(&CuptiCallbacks::requested, &CuptiCallbacks::completed),
                  "register callbacks") &&
             fine(cupti->enable(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL), "record kernels");
  // If this fails, launches still have latencies, but replayed graphs do not.
  cupti->enable_callback(1, subscriber, CUPTI_CB_DOMAIN_RESOURCE, CUPTI_CBID_RESOURCE_GRAPHNODE_CLONED);
  // Not every version of CUPTI reports every kind of kernel launch, but it must report at least one.
  std::size_t told = 0;
  for (const auto id : kernel_launches)
    if (cupti->enable_callback(1, subscriber, CUPTI_CB_DOMAIN_DRIVER_API,
                               static_cast<CUpti_CallbackId>(id)) == CUPTI_SUCCESS)
      ++told;
  for (const auto id : graph_launches)
    cupti->enable_callback(1, subscriber, CUPTI_CB_DOMAIN_DRIVER_API, static_cast<CUpti_CallbackId>(id));
  if (all && told == 0) {
    why = "it does not report kernel launches";
    all = false;
  }
  if (all) {
    stop_ = false;
    recording_ = true;
    try {
      flusher_ = core::background_thread([this] { flush_now_and_then(); });
    } catch (...) {
      why = "no thread could be started";
      all = false;
    }
  }
  if (!all) {
    detach();
    return false;
  }
  open_session.store(this, std::memory_order_release);
  return true;
}

void CuptiSession::detach() noexcept {
  open_session.store(nullptr, std::memory_order_release);
  if (flusher_.joinable()) {
    {
      const std::lock_guard lock(flusher_mutex_);
      stop_ = true;
    }
    stop_changed_.notify_all();
    flusher_.join();
  }
  cupti->disable(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL);
  cupti->flush_all(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED);
  cupti->unsubscribe(static_cast<CUpti_SubscriberHandle>(subscriber_));
  subscriber_ = nullptr;
}

void CuptiSession::flush_now_and_then() noexcept {
  std::unique_lock lock(flusher_mutex_);
  while (!stop_changed_.wait_for(lock, flush_period, [this] { return stop_; })) {
    if (recording_ && graph_nodes.exhausted()) {
      // Timers use events from now on. What is still out expires.
      cupti->disable(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL);
      recording_ = false;
    }
    if (launches.active() == 0 && graph_nodes.empty()) continue;
    lock.unlock();
    flush();
    launches.expire(patience_ns);
    lock.lock();
  }
}

void CuptiSession::flush() noexcept {
  cupti->flush_all(0);
}

std::uint64_t CuptiSession::graph_node_id(CUgraphNode_st* node) const noexcept {
  std::uint64_t id = 0;
  return cupti->get_graph_node_id(node, &id) == CUPTI_SUCCESS ? id : 0;
}

}  // namespace adaptive::cuda
