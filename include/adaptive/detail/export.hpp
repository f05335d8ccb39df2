// Which symbols leave the library. Everything is compiled with hidden visibility; what a user may call,
// subclass, throw or catch is marked ADAPTIVE_EXPORT.
//
// The mark is the same for the static and for the shared library: an exception type or a class with virtual
// functions must stay visible even when the archive ends up inside somebody's plugin, or catching it across
// that boundary would fail.
#pragma once

#if __cplusplus < 202002L
#error "adaptive needs C++20: compile with -std=c++20 or a later standard"
#endif

#if defined(__GNUC__)
#define ADAPTIVE_EXPORT __attribute__((visibility("default")))
#else
#define ADAPTIVE_EXPORT
#endif

// The launch path is inlined whatever the optimiser thinks of its size: called out of line, a key has to be
// written to memory and read back, which costs more than the look-up. A lambda that stays out of line
// anywhere, even where it is cold, takes the key's address and so forces it into memory everywhere.
#if defined(__GNUC__)
#define ADAPTIVE_HOT inline __attribute__((always_inline))
#define ADAPTIVE_HOT_LAMBDA __attribute__((always_inline))
#define ADAPTIVE_COLD __attribute__((noinline, cold))
#else
#define ADAPTIVE_HOT inline
#define ADAPTIVE_HOT_LAMBDA
#define ADAPTIVE_COLD
#endif
