# Compares three lists: the functions that the library exports for C, those that the header declares, and those
# that symbols.txt promises. A new function needs a line there; a line must not go within an ABI version. Without
# LIBRARY, the header and the list alone.
cmake_minimum_required(VERSION 3.25)

if(LIBRARY)
  execute_process(COMMAND "${NM}" -D --defined-only --format=posix "${LIBRARY}"
    OUTPUT_VARIABLE lines COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "(^|\n)adaptive_[a-z_]+ T" exported "${lines}")
  list(TRANSFORM exported REPLACE "^\n?([a-z_]+) T$" "\\1")
endif()

file(READ "${HEADER}" text)
string(REGEX REPLACE "/\\*[^*]*\\*+([^/*][^*]*\\*+)*/" "" text "${text}")
string(REGEX MATCHALL "ADAPTIVE_C_EXPORT[^(;]*[ *\n](adaptive_[a-z_]+)\\(" declared "${text}")
list(TRANSFORM declared REPLACE "^.*[ *\n](adaptive_[a-z_]+)\\($" "\\1")

if(NOT LIBRARY)
  set(exported "${declared}")
endif()

file(STRINGS "${LIST}" promised REGEX "^adaptive_")
foreach(list exported declared promised)
  list(SORT ${list})
  list(LENGTH ${list} count)
  message(STATUS "${list}: ${count}")
endforeach()
if(NOT exported STREQUAL declared)
  message(FATAL_ERROR "the library does not export what the header declares:\n${exported}\n${declared}")
endif()
if(NOT exported STREQUAL promised)
  message(FATAL_ERROR "the library does not export what ${LIST} promises:\n${exported}\n${promised}")
endif()
