#include "kernels/dense_gemm/cpu/problem.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <thread>

#include "kernels/common/cpu/eigen_multiply.hpp"
#include "kernels/common/cpu/helper_thread.hpp"
#include "kernels/common/cpu/host_problem.hpp"
#include "kernels/common/cpu/processor.hpp"
#include "kernels/dense_gemm/cpu/libraries.hpp"
#include "kernels/grouped_gemm/cpu/kernels.hpp"
#include "kernels/grouped_gemm/cpu/workspace.hpp"
#include "kernels/grouped_gemm/problem.hpp"

namespace adaptive::kernels::dense_gemm {
namespace {

// A dense product is a grouped product with a single expert, to whom all rows belong. It has the operands,
// the reference and the kernels of that family.
using grouped_gemm::Split;

Shape with_one_expert(const Shape& shape) {
  return {shape[0], shape[1], shape[2], 1, 1, shape[3]};
}

class HostData : public grouped_gemm::Data {
 public:
  HostData(const Shape& shape, std::uint64_t seed)
      : Data(with_one_expert(shape), seed),
        description_("y[" + std::to_string(shape[0]) + ", " + std::to_string(shape[1]) + "] = x[" +
                     std::to_string(shape[0]) + ", " + std::to_string(shape[2]) + "] * W^T, " +
                     (operands().type == HostType::float32 ? "float32" : "bfloat16") + ", seed " +
                     std::to_string(seed)) {}

  const std::string& description() const noexcept { return description_; }

 private:
  std::string description_;
};

/// A second copy of the weights.
std::uint64_t packed_bytes(const Shape& shape) {
  const std::int64_t columns = (shape[2] + 15) / 16 * 16;
  const std::int64_t rows = (shape[1] + 15) / 16 * 16;
  return static_cast<std::uint64_t>(rows * columns *
                                    (static_cast<HostType>(shape[3]) == HostType::float32 ? 4 : 2));
}

std::uint64_t no_bytes(const Shape&) {
  return 0;
}

// --- own kernels
// ------------------------------------------------------------------------------------------------

struct OwnKernel {
  const char* name;
  const char* instructions;
  bool (*available)() noexcept;
  const char* weights;  ///< "stored", or "packed" in advance
  grouped_gemm::Method method;
  const char* numeric_class;
  std::int64_t rows_max;
};

constexpr std::int64_t any_rows = std::int64_t{1} << 62;

// Kernels of one row read the weights again for each row.
constexpr auto own_kernels = std::to_array<OwnKernel>({
    {"eigen_panel",
     "widest",
     any_processor,
     "stored",
     {grouped_gemm::eigen_experts, 0, Split::none, false},
     "eigen_panel",
     any_rows},
    {"portable_packed2",
     "any",
     any_processor,
     "packed",
     {grouped_gemm::packed2_portable, 2, Split::none, false},
     "depth_portable",
     any_rows},
#ifdef ADAPTIVE_KERNELS_X86
    {"avx2_rows1", "avx2", has_avx2, "stored", {grouped_gemm::rows1_avx2, 1, Split::none, true}, "lanes8", 8},
    {"avx2_packed6",
     "avx2",
     has_avx2,
     "packed",
     {grouped_gemm::packed6_avx2, 6, Split::none, false},
     "depth_fma",
     any_rows},
    {"avx512_rows1",
     "avx512",
     has_avx512,
     "stored",
     {grouped_gemm::rows1_avx512, 1, Split::none, true},
     "lanes16",
     8},
    {"avx512_rows1_threads2",
     "avx512",
     has_avx512,
     "stored",
     {grouped_gemm::rows1_avx512, 1, Split::columns, true},
     "lanes16",
     8},
    {"avx512_rows4",
     "avx512",
     has_avx512,
     "stored",
     {grouped_gemm::rows4_avx512, 4, Split::none, true},
     "lanes16",
     any_rows},
    {"avx512_rows4_threads2",
     "avx512",
     has_avx512,
     "stored",
     {grouped_gemm::rows4_avx512, 4, Split::columns, true},
     "lanes16",
     any_rows},
    {"avx512_packed12",
     "avx512",
     has_avx512,
     "packed",
     {grouped_gemm::packed12_avx512, 12, Split::none, false},
     "depth_fma",
     any_rows},
    {"avx512_packed12_threads2",
     "avx512",
     has_avx512,
     "packed",
     {grouped_gemm::packed12_avx512, 12, Split::columns, false},
     "depth_fma",
     any_rows},
#endif
});

Variant variant_of(const OwnKernel& kernel) {
  return {.name = kernel.name,
          .parameters = {{"library", "own"},
                         {"instructions", kernel.instructions},
                         {"weights", kernel.weights},
                         {"tile", std::int64_t{kernel.method.tile}},
                         {"threads", std::int64_t{kernel.method.split == Split::none ? 1 : 2}}},
          .numeric_class = kernel.numeric_class,
          .available = kernel.available,
          .supports = [rows_max = kernel.rows_max](const Shape& shape) { return shape[0] <= rows_max; },
          .memory = std::string_view(kernel.weights) == "packed" ? packed_bytes : no_bytes};
}

// --- libraries
// --------------------------------------------------------------------------------------------------

/// A product of a matrix and a vector for each row reads the weights again for each row.
constexpr std::int64_t vector_rows_max = 4;

struct LibraryForm {
  const char* library;
  const char* name;
  Form form;
};

constexpr std::array<LibraryForm, 5> forms = {{
    {"openblas", "openblas", Form::product},
    {"openblas", "openblas_vector", Form::vector},
    {"blis", "blis", Form::product},
    {"onednn", "onednn", Form::product},
    {"onednn", "onednn_packed", Form::packed},
}};

/// Variants have the same names on all machines; those with more threads than processors are not available.
constexpr std::array<int, 7> thread_counts = {1, 2, 4, 8, 16, 32, 64};

bool has_processors(int threads) {
  static const unsigned processors = std::thread::hardware_concurrency();  // 0: not known
  return threads == 1 || static_cast<unsigned>(threads) <= processors;
}

std::string with_threads(const std::string& name, int threads) {
  return threads == 1 ? name : name + "_threads" + std::to_string(threads);
}

/// One variant of a library.
struct LibraryVariant {
  const Library* library;
  LibraryForm form;
  int threads;
};

std::vector<LibraryVariant> library_variants() {
  std::vector<LibraryVariant> all;
  for (const LibraryForm& form : forms)
    if (const Library* library = find_library(form.library))
      for (const int threads : thread_counts) all.push_back({library, form, threads});
  return all;
}

Variant variant_of(const LibraryVariant& of) {
  const std::string name = with_threads(of.form.name, of.threads);
  return {.name = name,
          .parameters = {{"library", of.form.library},
                         {"weights", of.form.form == Form::packed ? "packed" : "stored"},
                         {"threads", std::int64_t{of.threads}}},
          // A library may divide the work in another way among another number of threads.
          .numeric_class = name,
          .available = [of] { return has_processors(of.threads) && !of.library->version().empty(); },
          .supports =
              [of](const Shape& shape) {
                return of.library->multiplies(static_cast<HostType>(shape[3]), of.form.form) &&
                       (of.form.form != Form::vector || shape[0] <= vector_rows_max);
              },
          .memory = of.form.form == Form::packed ? packed_bytes : no_bytes,
          .launch_allocates = true};
}

// --- Eigen
// ------------------------------------------------------------------------------------------------------

/// Eigen's own product, which allocates what it packs. Threads take columns of the output.
constexpr std::int64_t eigen_pieces = 8;

Variant eigen_variant(int threads) {
  const std::string name = with_threads("eigen", threads);
  return {.name = name,
          .parameters = {{"library", "eigen"}, {"weights", "stored"}, {"threads", std::int64_t{threads}}},
          .numeric_class = name,
          .available = any_processor,
          .supports = [](const Shape& shape) { return static_cast<HostType>(shape[3]) == HostType::float32; },
          .launch_allocates = true};
}

void multiply_by_eigen(const Operands& operands, std::int64_t begin, std::int64_t end) noexcept {
  static const EigenMultiply multiply = eigen_products().transposed;
  if (begin == end) return;
  multiply(static_cast<const float*>(operands.x), operands.k_stride,
           static_cast<const float*>(operands.w) + begin * operands.k_stride, operands.k_stride,
           operands.y + begin, operands.n, operands.tokens, operands.k, end - begin, false);
}

// ----------------------------------------------------------------------------------------------------------------

class DenseProblem final : public HostProblem<HostData> {
 public:
  DenseProblem(const Shape& shape, std::uint64_t seed, const std::vector<Variant>& variants)
      : HostProblem(shape, seed, variants), workspace_(operands()) {
    for (const LibraryVariant& of : library_variants()) {
      const std::size_t index = first_library + products_.size();
      products_.push_back(runs(index) ? of.library->prepare(operands(), of.form.form, of.threads) : nullptr);
    }
  }

  static constexpr std::size_t first_eigen = own_kernels.size();
  static constexpr std::size_t first_library = first_eigen + 2;

 private:
  void run(std::size_t variant) noexcept override {
    if (variant < first_eigen) return workspace_.run(operands(), own_kernels[variant].method);
    if (variant >= first_library) return products_[variant - first_library]->run();
    const Operands& all = operands();
    if (variant == first_eigen) return multiply_by_eigen(all, 0, all.n);
    auto piece = [&](std::size_t index, int) {
      const auto at = static_cast<std::int64_t>(index);
      multiply_by_eigen(all, all.n * at / eigen_pieces, all.n * (at + 1) / eigen_pieces);
    };
    run_on_two_threads(eigen_pieces, piece);
  }

  grouped_gemm::Workspace workspace_;
  std::vector<std::unique_ptr<LibraryProduct>> products_;
};

}  // namespace

std::vector<Variant> cpu_variants() {
  std::vector<Variant> variants;
  for (const OwnKernel& kernel : own_kernels) variants.push_back(variant_of(kernel));
  for (const int threads : {1, 2}) variants.push_back(eigen_variant(threads));
  for (const LibraryVariant& of : library_variants()) variants.push_back(variant_of(of));
  return variants;
}

std::unique_ptr<Problem> make_cpu_problem(const Shape& shape, std::uint64_t seed,
                                          const std::vector<Variant>& variants) {
  return std::make_unique<DenseProblem>(shape, seed, variants);
}

std::vector<std::pair<std::string, std::string>> cpu_libraries() {
  std::vector<std::pair<std::string, std::string>> found;
  for (const Library& library : libraries())
    if (!library.version().empty()) found.emplace_back(library.name, library.version());
  return found;
}

}  // namespace adaptive::kernels::dense_gemm
