// Tests that a launch does not allocate. Counts calls of malloc, because Eigen does not use operator new.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>

#include "kernels/family.hpp"

namespace {
std::atomic<long> allocations{0};
}

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

__attribute__((visibility("default"))) void* malloc(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}

__attribute__((visibility("default"))) void* aligned_alloc(std::size_t alignment, std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_memalign(alignment, size);
}

__attribute__((visibility("default"))) int posix_memalign(void** out, std::size_t alignment,
                                                          std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  *out = __libc_memalign(alignment, size);
  return *out == nullptr ? 12 : 0;
}
}

namespace adaptive::kernels {
namespace {

TEST(Allocation, IsCounted) {
  const long before = allocations.load();
  void* volatile plain = std::malloc(10);  // volatile, or the compiler may leave both out
  int* volatile object = new int(1);
  std::free(plain);
  delete object;
  EXPECT_GE(allocations.load() - before, 2);
}

TEST(Allocation, NoLaunchAllocates) {
  for (const Family* family : families()) {
    auto shapes = family->test_shapes();
    for (const Shape& shape : family->bench_shapes()) shapes.push_back(shape);
    for (const Shape& shape : shapes) {
      // The first values of every family are the sizes of its product. Larger ones are past every blocking
      // limit, and slow.
      if (shape[0] * shape[1] * shape[2] > 4'000'000) continue;
      const auto problem = family->make_problem(shape, 1);
      for (std::size_t v = 0; v < family->variants().size(); ++v) {
        if (!family->runs(v, shape) || family->variants()[v].launch_allocates) continue;
        problem->launch(v);
        const long before = allocations.load();
        problem->launch(v);
        EXPECT_EQ(allocations.load(), before)
            << family->variants()[v].name << ' ' << to_string(*family, shape);
      }
    }
  }
}

}  // namespace
}  // namespace adaptive::kernels
