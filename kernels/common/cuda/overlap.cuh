#pragma once

// Programmatic dependent launch: a kernel that was launched with LaunchSize::overlaps may begin while the
// kernel before it in the stream still runs, so that its set-up and its reads of constant operands take no
// extra time.

namespace adaptive::kernels::cuda {

/// Waits until the kernels before this one have finished and their results are visible. Does nothing in a
/// launch that does not overlap. Each block of a kernel that overlaps must call it, even if the block has
/// nothing to do: the kernel after it relies on the end of all kernels before it.
__device__ inline void wait_for_previous() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

/// Lets the next kernel begin as soon as all blocks have called this and there is room. Call it only after
/// wait_for_previous(); the results of all kernels before this one are then finished when the next one
/// begins.
__device__ inline void let_next_begin() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

/// Reads a number that the kernel before has written. A plain read of a constant pointer might be moved
/// before the wait, and the first-level cache might have an old value.
__device__ inline int load_fresh(const int* from) {
  int value;
  asm volatile("ld.global.cg.s32 %0, [%1];" : "=r"(value) : "l"(from) : "memory");
  return value;
}

}  // namespace adaptive::kernels::cuda
