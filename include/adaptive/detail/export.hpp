// Marks the symbols that the library exports. Everything is compiled with hidden visibility; ADAPTIVE_EXPORT
// marks what a program may call, subclass, throw or catch.
//
// The mark is the same in the static and the shared library: an exception type or a class with virtual
// functions must stay visible even if the archive is linked into a plugin, since catching it across the
// boundary of the plugin would otherwise fail.
#pragma once

#if __cplusplus < 202002L
#error "adaptive needs C++20: compile with -std=c++20 or a later standard"
#endif

#if defined(__GNUC__)
#define ADAPTIVE_EXPORT __attribute__((visibility("default")))
#else
#define ADAPTIVE_EXPORT
#endif

// The launch path is always inlined, whatever the optimiser thinks of its size: a call out of line writes the
// key to memory and reads it back, which costs more than the look-up. A lambda that stays out of line
// anywhere, even in a cold branch, takes the address of the key and so forces the key into memory everywhere.
#if defined(__GNUC__)
#define ADAPTIVE_HOT inline __attribute__((always_inline))
#define ADAPTIVE_HOT_LAMBDA __attribute__((always_inline))
#define ADAPTIVE_COLD __attribute__((noinline, cold))
#else
#define ADAPTIVE_HOT inline
#define ADAPTIVE_HOT_LAMBDA
#define ADAPTIVE_COLD
#endif
