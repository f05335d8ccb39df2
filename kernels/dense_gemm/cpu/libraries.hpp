#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "kernels/grouped_gemm/operands.hpp"

// Products by libraries. A library is loaded when it is first asked for, with RTLD_LOCAL: OpenBLAS and BLIS
// both define cblas_sgemm, and a program that does not use this family must not start their threads.

namespace adaptive::kernels::dense_gemm {

using Operands = grouped_gemm::Operands;  // those of a product with a single expert
using HostType = grouped_gemm::Type;

/// How a library is called.
enum class Form {
  product,  ///< its matrix product, with W as stored
  vector,   ///< its product of a matrix and a vector, for each row of x
  packed,   ///< its matrix product, with W in the library's own order, made with the problem
};

/// A product that is prepared for the operands of one problem. Only one thread at a time may use it.
class LibraryProduct {
 public:
  virtual ~LibraryProduct() = default;
  LibraryProduct(const LibraryProduct&) = delete;
  LibraryProduct& operator=(const LibraryProduct&) = delete;

  /// Computes the whole output.
  virtual void run() noexcept = 0;

 protected:
  LibraryProduct() = default;
};

/// A library that this build knows. Every member is thread-safe.
struct Library {
  const char* name;
  /// Empty if this machine does not have the library.
  const std::string& (*version)();
  /// Whether the library multiplies operands of this type in this form, on this processor.
  bool (*multiplies)(HostType type, Form form);
  /// Throws std::runtime_error if the library fails. `operands` point to memory that outlives the product.
  std::unique_ptr<LibraryProduct> (*prepare)(const Operands& operands, Form form, int threads);
};

// Each is defined only in a build with the library's headers.
const Library& openblas();
const Library& blis();
const Library& onednn();

/// The libraries with whose headers this build was made.
std::span<const Library> libraries();

/// Null if there is no library of this name.
const Library* find_library(const char* name);

}  // namespace adaptive::kernels::dense_gemm
