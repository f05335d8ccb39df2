#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

// wgmma.mma_async.m64nNk16 with sums in float32: sum[64 × columns] (+)= A[64 × 16] * B[columns × 16]^T. B is
// in shared memory. A is in shared memory (Multiply), or in registers (MultiplyRegisters) with 16 rows per
// warp in the layout of mma.m16n8k16. B[16 × columns] can also have `columns` side by side (MultiplyRows), as
// the values of attention have. Elements of one byte go 32 at a time (MultiplyLevels). The assembler requires
// every register by name; hence the lists.

namespace adaptive::kernels::hopper {

template <class T, int columns>
struct Multiply;
template <class T, int columns>
struct MultiplyRegisters;
template <class T, int columns>
struct MultiplyRows;
template <class Sum, int columns>
struct MultiplyLevels;

/// Describes rows of 64 elements of B for MultiplyRows, with the 128-byte swizzle; the next 64 columns of the
/// rows follow `slab_bytes` later. 16 rows have 2,048 bytes.
__device__ inline std::uint64_t describe_rows(std::uint32_t from, int slab_bytes) {
  constexpr std::uint64_t swizzle_128 = std::uint64_t{1} << 62;
  constexpr std::uint64_t eight_rows = 1024 >> 4;
  return swizzle_128 | eight_rows << 32 | static_cast<std::uint64_t>(slab_bytes >> 4) << 16 |
         (from & 0x3FFFF) >> 4;
}

#define ADAPTIVE_SUMS_8(at)                                                                  \
  "+f"(sum[at]), "+f"(sum[at + 1]), "+f"(sum[at + 2]), "+f"(sum[at + 3]), "+f"(sum[at + 4]), \
      "+f"(sum[at + 5]), "+f"(sum[at + 6]), "+f"(sum[at + 7])
#define ADAPTIVE_SUMS_16(at) ADAPTIVE_SUMS_8(at), ADAPTIVE_SUMS_8(at + 8)
#define ADAPTIVE_SUMS_24(at) ADAPTIVE_SUMS_16(at), ADAPTIVE_SUMS_8(at + 16)
#define ADAPTIVE_SUMS_32(at) ADAPTIVE_SUMS_16(at), ADAPTIVE_SUMS_16(at + 16)
#define ADAPTIVE_SUMS_40(at) ADAPTIVE_SUMS_32(at), ADAPTIVE_SUMS_8(at + 32)
#define ADAPTIVE_SUMS_64(at) ADAPTIVE_SUMS_32(at), ADAPTIVE_SUMS_32(at + 32)
#define ADAPTIVE_SUMS_96(at) ADAPTIVE_SUMS_64(at), ADAPTIVE_SUMS_32(at + 64)
#define ADAPTIVE_SUMS_128(at) ADAPTIVE_SUMS_64(at), ADAPTIVE_SUMS_64(at + 64)

#define ADAPTIVE_MULTIPLY(T, name, columns, registers, names, a, b, accumulate)                             \
  template <>                                                                                               \
  struct Multiply<T, columns> {                                                                             \
    __device__ static void run(float (&sum)[registers], std::uint64_t x, std::uint64_t y, int add) {        \
      asm volatile("{\n\t.reg .pred p;\n\tsetp.ne.b32 p, " accumulate                                       \
                   ", 0;\n\t"                                                                               \
                   "wgmma.mma_async.sync.aligned.m64n" #columns "k16.f32." name "." name " {" names "}, " a \
                   ", " b ", p, 1, 1, 0, 0;\n\t}"                                                           \
                   : ADAPTIVE_SUMS_##registers(0)                                                           \
                   : "l"(x), "l"(y), "r"(add));                                                             \
    }                                                                                                       \
  };

#define ADAPTIVE_NAMES_8 "%0, %1, %2, %3, %4, %5, %6, %7"
#define ADAPTIVE_NAMES_16 "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15"
#define ADAPTIVE_NAMES_24                                                  \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, " \
  "%16, %17, %18, %19, %20, %21, %22, %23"
#define ADAPTIVE_NAMES_32                                                  \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, " \
  "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define ADAPTIVE_NAMES_40                                                            \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "           \
  "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, " \
  "%32, %33, %34, %35, %36, %37, %38, %39"
#define ADAPTIVE_NAMES_64                                                            \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "           \
  "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, " \
  "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, " \
  "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define ADAPTIVE_NAMES_96                                                            \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "           \
  "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, " \
  "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, " \
  "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, " \
  "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, " \
  "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95"
#define ADAPTIVE_NAMES_128                                                                       \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "                       \
  "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "             \
  "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "             \
  "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "             \
  "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "             \
  "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "             \
  "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, " \
  "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"

ADAPTIVE_MULTIPLY(__nv_bfloat16, "bf16", 16, 8, ADAPTIVE_NAMES_8, "%8", "%9", "%10")
ADAPTIVE_MULTIPLY(__half, "f16", 16, 8, ADAPTIVE_NAMES_8, "%8", "%9", "%10")
ADAPTIVE_MULTIPLY(__nv_bfloat16, "bf16", 32, 16, ADAPTIVE_NAMES_16, "%16", "%17", "%18")
ADAPTIVE_MULTIPLY(__half, "f16", 32, 16, ADAPTIVE_NAMES_16, "%16", "%17", "%18")
ADAPTIVE_MULTIPLY(__half, "f16", 48, 24, ADAPTIVE_NAMES_24, "%24", "%25", "%26")
ADAPTIVE_MULTIPLY(__nv_bfloat16, "bf16", 64, 32, ADAPTIVE_NAMES_32, "%32", "%33", "%34")
ADAPTIVE_MULTIPLY(__half, "f16", 64, 32, ADAPTIVE_NAMES_32, "%32", "%33", "%34")
ADAPTIVE_MULTIPLY(__nv_bfloat16, "bf16", 80, 40, ADAPTIVE_NAMES_40, "%40", "%41", "%42")
ADAPTIVE_MULTIPLY(__nv_bfloat16, "bf16", 128, 64, ADAPTIVE_NAMES_64, "%64", "%65", "%66")
ADAPTIVE_MULTIPLY(__half, "f16", 128, 64, ADAPTIVE_NAMES_64, "%64", "%65", "%66")
ADAPTIVE_MULTIPLY(__nv_bfloat16, "bf16", 192, 96, ADAPTIVE_NAMES_96, "%96", "%97", "%98")
ADAPTIVE_MULTIPLY(__half, "f16", 192, 96, ADAPTIVE_NAMES_96, "%96", "%97", "%98")
ADAPTIVE_MULTIPLY(__nv_bfloat16, "bf16", 256, 128, ADAPTIVE_NAMES_128, "%128", "%129", "%130")
ADAPTIVE_MULTIPLY(__half, "f16", 256, 128, ADAPTIVE_NAMES_128, "%128", "%129", "%130")

#define ADAPTIVE_MULTIPLY_REGISTERS(T, name, columns, registers, names, a, b, accumulate)                   \
  template <>                                                                                               \
  struct MultiplyRegisters<T, columns> {                                                                    \
    __device__ static void run(float (&sum)[registers], const std::uint32_t* x, std::uint64_t y, int add) { \
      asm volatile("{\n\t.reg .pred p;\n\tsetp.ne.b32 p, " accumulate                                       \
                   ", 0;\n\t"                                                                               \
                   "wgmma.mma_async.sync.aligned.m64n" #columns "k16.f32." name "." name " {" names "}, " a \
                   ", " b ", p, 1, 1, 0;\n\t}"                                                              \
                   : ADAPTIVE_SUMS_##registers(0)                                                           \
                   : "r"(x[0]), "r"(x[1]), "r"(x[2]), "r"(x[3]), "l"(y), "r"(add));                         \
    }                                                                                                       \
  };

ADAPTIVE_MULTIPLY_REGISTERS(__nv_bfloat16, "bf16", 16, 8, ADAPTIVE_NAMES_8, "{%8, %9, %10, %11}", "%12",
                            "%13")
ADAPTIVE_MULTIPLY_REGISTERS(__half, "f16", 16, 8, ADAPTIVE_NAMES_8, "{%8, %9, %10, %11}", "%12", "%13")
ADAPTIVE_MULTIPLY_REGISTERS(__nv_bfloat16, "bf16", 32, 16, ADAPTIVE_NAMES_16, "{%16, %17, %18, %19}", "%20",
                            "%21")
ADAPTIVE_MULTIPLY_REGISTERS(__half, "f16", 32, 16, ADAPTIVE_NAMES_16, "{%16, %17, %18, %19}", "%20", "%21")
ADAPTIVE_MULTIPLY_REGISTERS(__nv_bfloat16, "bf16", 64, 32, ADAPTIVE_NAMES_32, "{%32, %33, %34, %35}", "%36",
                            "%37")
ADAPTIVE_MULTIPLY_REGISTERS(__half, "f16", 64, 32, ADAPTIVE_NAMES_32, "{%32, %33, %34, %35}", "%36", "%37")
ADAPTIVE_MULTIPLY_REGISTERS(__nv_bfloat16, "bf16", 128, 64, ADAPTIVE_NAMES_64, "{%64, %65, %66, %67}", "%68",
                            "%69")
ADAPTIVE_MULTIPLY_REGISTERS(__half, "f16", 128, 64, ADAPTIVE_NAMES_64, "{%64, %65, %66, %67}", "%68", "%69")
ADAPTIVE_MULTIPLY_REGISTERS(__nv_bfloat16, "bf16", 256, 128, ADAPTIVE_NAMES_128, "{%128, %129, %130, %131}",
                            "%132", "%133")
ADAPTIVE_MULTIPLY_REGISTERS(__half, "f16", 256, 128, ADAPTIVE_NAMES_128, "{%128, %129, %130, %131}", "%132",
                            "%133")

#define ADAPTIVE_MULTIPLY_ROWS(T, name, columns, registers, names, a, b)                                    \
  template <>                                                                                               \
  struct MultiplyRows<T, columns> {                                                                         \
    __device__ static void run(float (&sum)[registers], const std::uint32_t (&x)[4], std::uint64_t y) {     \
      asm volatile("wgmma.mma_async.sync.aligned.m64n" #columns "k16.f32." name "." name " {" names "}, " a \
                   ", " b ", 1, 1, 1, 1;"                                                                   \
                   : ADAPTIVE_SUMS_##registers(0)                                                           \
                   : "r"(x[0]), "r"(x[1]), "r"(x[2]), "r"(x[3]), "l"(y));                                   \
    }                                                                                                       \
  };

ADAPTIVE_MULTIPLY_ROWS(__nv_bfloat16, "bf16", 64, 32, ADAPTIVE_NAMES_32, "{%32, %33, %34, %35}", "%36")
ADAPTIVE_MULTIPLY_ROWS(__half, "f16", 64, 32, ADAPTIVE_NAMES_32, "{%32, %33, %34, %35}", "%36")
ADAPTIVE_MULTIPLY_ROWS(__nv_bfloat16, "bf16", 128, 64, ADAPTIVE_NAMES_64, "{%64, %65, %66, %67}", "%68")
ADAPTIVE_MULTIPLY_ROWS(__half, "f16", 128, 64, ADAPTIVE_NAMES_64, "{%64, %65, %66, %67}", "%68")
ADAPTIVE_MULTIPLY_ROWS(__nv_bfloat16, "bf16", 256, 128, ADAPTIVE_NAMES_128, "{%128, %129, %130, %131}",
                       "%132")
ADAPTIVE_MULTIPLY_ROWS(__half, "f16", 256, 128, ADAPTIVE_NAMES_128, "{%128, %129, %130, %131}", "%132")

#define ADAPTIVE_INTEGERS_8(at)                                                              \
  "+r"(sum[at]), "+r"(sum[at + 1]), "+r"(sum[at + 2]), "+r"(sum[at + 3]), "+r"(sum[at + 4]), \
      "+r"(sum[at + 5]), "+r"(sum[at + 6]), "+r"(sum[at + 7])
#define ADAPTIVE_INTEGERS_32(at)                                                      \
  ADAPTIVE_INTEGERS_8(at), ADAPTIVE_INTEGERS_8(at + 8), ADAPTIVE_INTEGERS_8(at + 16), \
      ADAPTIVE_INTEGERS_8(at + 24)
#define ADAPTIVE_SUMS_4(at) "+f"(sum[at]), "+f"(sum[at + 1]), "+f"(sum[at + 2]), "+f"(sum[at + 3])
#define ADAPTIVE_INTEGERS_4(at) "+r"(sum[at]), "+r"(sum[at + 1]), "+r"(sum[at + 2]), "+r"(sum[at + 3])
#define ADAPTIVE_INTEGERS_16(at) ADAPTIVE_INTEGERS_8(at), ADAPTIVE_INTEGERS_8(at + 8)
#define ADAPTIVE_NAMES_4 "%0, %1, %2, %3"
#define ADAPTIVE_INTEGERS_64(at) ADAPTIVE_INTEGERS_32(at), ADAPTIVE_INTEGERS_32(at + 32)
#define ADAPTIVE_INTEGERS_128(at) ADAPTIVE_INTEGERS_64(at), ADAPTIVE_INTEGERS_64(at + 64)

#define ADAPTIVE_MULTIPLY_LEVELS(Sum, types, signs, sums, columns, registers, names, a, b, accumulate) \
  template <>                                                                                          \
  struct MultiplyLevels<Sum, columns> {                                                                \
    __device__ static void run(Sum (&sum)[registers], std::uint64_t x, std::uint64_t y, int add) {     \
      asm volatile("{\n\t.reg .pred p;\n\tsetp.ne.b32 p, " accumulate                                  \
                   ", 0;\n\t"                                                                          \
                   "wgmma.mma_async.sync.aligned.m64n" #columns "k32." types " {" names "}, " a ", " b \
                   ", p" signs ";\n\t}"                                                                \
                   : sums##_##registers(0)                                                             \
                   : "l"(x), "l"(y), "r"(add));                                                        \
    }                                                                                                  \
  };
#define ADAPTIVE_MULTIPLY_E4M3(columns, registers, names, a, b, accumulate)                                  \
  ADAPTIVE_MULTIPLY_LEVELS(float, "f32.e4m3.e4m3", ", 1, 1", ADAPTIVE_SUMS, columns, registers, names, a, b, \
                           accumulate)
#define ADAPTIVE_MULTIPLY_S8(columns, registers, names, a, b, accumulate)                            \
  ADAPTIVE_MULTIPLY_LEVELS(int, "s32.s8.s8", "", ADAPTIVE_INTEGERS, columns, registers, names, a, b, \
                           accumulate)

ADAPTIVE_MULTIPLY_E4M3(8, 4, ADAPTIVE_NAMES_4, "%4", "%5", "%6")
ADAPTIVE_MULTIPLY_S8(8, 4, ADAPTIVE_NAMES_4, "%4", "%5", "%6")
ADAPTIVE_MULTIPLY_E4M3(16, 8, ADAPTIVE_NAMES_8, "%8", "%9", "%10")
ADAPTIVE_MULTIPLY_S8(16, 8, ADAPTIVE_NAMES_8, "%8", "%9", "%10")
ADAPTIVE_MULTIPLY_E4M3(32, 16, ADAPTIVE_NAMES_16, "%16", "%17", "%18")
ADAPTIVE_MULTIPLY_S8(32, 16, ADAPTIVE_NAMES_16, "%16", "%17", "%18")
ADAPTIVE_MULTIPLY_E4M3(64, 32, ADAPTIVE_NAMES_32, "%32", "%33", "%34")
ADAPTIVE_MULTIPLY_S8(64, 32, ADAPTIVE_NAMES_32, "%32", "%33", "%34")
ADAPTIVE_MULTIPLY_E4M3(128, 64, ADAPTIVE_NAMES_64, "%64", "%65", "%66")
ADAPTIVE_MULTIPLY_S8(128, 64, ADAPTIVE_NAMES_64, "%64", "%65", "%66")
ADAPTIVE_MULTIPLY_E4M3(256, 128, ADAPTIVE_NAMES_128, "%128", "%129", "%130")
ADAPTIVE_MULTIPLY_S8(256, 128, ADAPTIVE_NAMES_128, "%128", "%129", "%130")

#undef ADAPTIVE_MULTIPLY_E4M3
#undef ADAPTIVE_MULTIPLY_S8
#undef ADAPTIVE_MULTIPLY_LEVELS
#undef ADAPTIVE_SUMS_4
#undef ADAPTIVE_NAMES_4
#undef ADAPTIVE_INTEGERS_4
#undef ADAPTIVE_INTEGERS_8
#undef ADAPTIVE_INTEGERS_16
#undef ADAPTIVE_INTEGERS_32
#undef ADAPTIVE_INTEGERS_64
#undef ADAPTIVE_INTEGERS_128
#undef ADAPTIVE_MULTIPLY
#undef ADAPTIVE_MULTIPLY_REGISTERS
#undef ADAPTIVE_MULTIPLY_ROWS
#undef ADAPTIVE_NAMES_8
#undef ADAPTIVE_NAMES_16
#undef ADAPTIVE_NAMES_24
#undef ADAPTIVE_NAMES_32
#undef ADAPTIVE_NAMES_40
#undef ADAPTIVE_NAMES_64
#undef ADAPTIVE_NAMES_96
#undef ADAPTIVE_NAMES_128
#undef ADAPTIVE_SUMS_8
#undef ADAPTIVE_SUMS_16
#undef ADAPTIVE_SUMS_24
#undef ADAPTIVE_SUMS_32
#undef ADAPTIVE_SUMS_40
#undef ADAPTIVE_SUMS_64
#undef ADAPTIVE_SUMS_96
#undef ADAPTIVE_SUMS_128

}  // namespace adaptive::kernels::hopper
