#pragma once

// Which kernels can run on a device. That depends on the device and also on the code that was built for it: a
// GPU of compute capability 9.0 runs `compute_80` PTX, `sm_90` and `sm_90a` code, but only the last of these
// has Hopper's own instructions. Where a kernel lacks the code that it needs, it traps. Needs no CUDA.

namespace adaptive::kernels::cuda {

/// The instructions that a kernel needs.
enum class Instructions {
  ampere,   ///< mma.sync with 2-byte types and cp.async: from 8.0 on
  cluster,  ///< clusters of blocks that read each other's shared memory: from 9.0 on
  hopper,   ///< wgmma and setmaxnreg: 9.0 only, in code for architecture 90a
};

/// A device, and the code of this library that the driver runs on it.
struct LoadedCode {
  int major = 0, minor = 0;  ///< compute capability of the device; 0 if there is none
  /// Ten times the compute capability for which the code was compiled, as in `compute_80`. It may be lower
  /// than the device's. 0 if the library has no code for the device.
  int compiled_for = 0;
  bool built_for_90a = false;  ///< whether the library has code for architecture 90a
};

/// Whether kernels that need these instructions run. The driver prefers code for 90a to other code on 9.0,
/// and uses it nowhere else.
constexpr bool runs(Instructions needed, const LoadedCode& code) noexcept {
  switch (needed) {
    case Instructions::ampere:
      return code.major >= 8 && code.compiled_for >= 80;
    case Instructions::cluster:
      return code.major >= 9 && code.compiled_for >= 90;
    case Instructions::hopper:
      return code.major == 9 && code.minor == 0 && code.compiled_for == 90 && code.built_for_90a;
  }
  return false;
}

/// The current device and the code that runs on it; loads that code. All 0 if there is no device. Leaves the
/// caller's CUDA error as it was. Defined in the target adaptive::kernels_cuda.
LoadedCode loaded_code() noexcept;

}  // namespace adaptive::kernels::cuda
