#pragma once

#include <dlfcn.h>

#include <string>

namespace adaptive::kernels::dense_gemm {

/// A shared library that stays loaded until the process ends. Its symbols are visible to nobody else.
class SharedLibrary {
 public:
  /// Tries the name, which the system's loader resolves, and then the file that the build has found.
  SharedLibrary(const char* soname, const char* file) {
    handle_ = ::dlopen(soname, RTLD_NOW | RTLD_LOCAL);
    if (handle_ == nullptr) handle_ = ::dlopen(file, RTLD_NOW | RTLD_LOCAL);
  }

  /// Sets `function` to the symbol of the library, or of a library that it depends on. Returns whether there
  /// is such a symbol.
  template <class Function>
  bool find(const char* symbol, Function*& function) const {
    if (handle_ == nullptr) return false;
    function = reinterpret_cast<Function*>(::dlsym(handle_, symbol));
    return function != nullptr;
  }

 private:
  void* handle_ = nullptr;
};

}  // namespace adaptive::kernels::dense_gemm
