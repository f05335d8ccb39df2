// The CUDA runtime of this process, whichever it is.
//
// The C++ timer calls a handful of the runtime's functions and is linked with libcudart.so for them. A Python
// process brings its own runtime: the one of PyTorch's wheel, or of another framework, for CUDA 12 or 13. An
// extension that was linked with libcudart would load a second one beside it, whose current device and last
// error belong to nobody, and would not load at all where the runtime has another major version or is
// missing. So the extension has no CUDA library among its dependencies. It defines the functions that the
// timer calls by itself (process_runtime.cpp):
//
// - What belongs to the state of a thread, its current device, its last error, the binding of its context, is
// asked
//   of the runtime that the process has already loaded, found among its loaded libraries. None is ever
//   loaded. Where there is none, or where it is linked into another library statically, that state cannot be
//   seen, and the answers are those of a thread that has used no runtime yet.
// - Memory and streams, which only the measurement of the timer's own bias needs, come from the driver
//   (libcuda.so.1, found at run time). Its context is current then, and its streams are those of any runtime.
//
// All functions used have kept their meaning from CUDA 12 to 13.
#pragma once

namespace adaptive::python {

/// The file of the runtime that this process has loaded; empty while there is none.
const char* process_runtime() noexcept;

}  // namespace adaptive::python
