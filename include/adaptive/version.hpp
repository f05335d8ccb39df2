// The version of the library. It is written here and nowhere else: the build reads it from these lines.
#pragma once

#define ADAPTIVE_VERSION_MAJOR 0
#define ADAPTIVE_VERSION_MINOR 1
#define ADAPTIVE_VERSION_PATCH 0

#define ADAPTIVE_DETAIL_TEXT_(x) #x
#define ADAPTIVE_DETAIL_TEXT(x) ADAPTIVE_DETAIL_TEXT_(x)

namespace adaptive {

/// "major.minor.patch" of the headers that a program was compiled with.
inline constexpr const char* library_version =
    ADAPTIVE_DETAIL_TEXT(ADAPTIVE_VERSION_MAJOR) "." ADAPTIVE_DETAIL_TEXT(
        ADAPTIVE_VERSION_MINOR) "." ADAPTIVE_DETAIL_TEXT(ADAPTIVE_VERSION_PATCH);

}  // namespace adaptive

#undef ADAPTIVE_DETAIL_TEXT
#undef ADAPTIVE_DETAIL_TEXT_
