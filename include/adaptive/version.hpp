// The version of the library. It is written here and nowhere else: the build reads it from these lines.
#pragma once

#define ADAPTIVE_VERSION_MAJOR 0
#define ADAPTIVE_VERSION_MINOR 1
#define ADAPTIVE_VERSION_PATCH 0

// The version of the ABI is the name of the inline namespace that holds everything of the library,
// `adaptive::v1`. It rises with every change after which code compiled against the old headers must not be
// linked with the new library. Two versions in one process, such as those of two plugins, then share no
// symbol, and code that was compiled against the wrong headers fails to link instead of failing at run time.
// Programs write `adaptive::Selector`; they never write the version. Forward declarations are in
// <adaptive/forward.hpp>.
#define ADAPTIVE_ABI_VERSION 1

#define ADAPTIVE_DETAIL_TEXT_(x) #x
#define ADAPTIVE_DETAIL_TEXT(x) ADAPTIVE_DETAIL_TEXT_(x)

namespace adaptive::inline v1 {

/// "major.minor.patch" of the headers that a program was compiled with.
inline constexpr const char* library_version =
    ADAPTIVE_DETAIL_TEXT(ADAPTIVE_VERSION_MAJOR) "." ADAPTIVE_DETAIL_TEXT(
        ADAPTIVE_VERSION_MINOR) "." ADAPTIVE_DETAIL_TEXT(ADAPTIVE_VERSION_PATCH);

}  // namespace adaptive

#undef ADAPTIVE_DETAIL_TEXT
#undef ADAPTIVE_DETAIL_TEXT_
