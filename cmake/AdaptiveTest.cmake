# Tests with GoogleTest, and with RapidCheck if it is installed.
include(GoogleTest)
find_package(GTest REQUIRED)

if(NOT ADAPTIVE_TESTS MATCHES "^(ALL|OPTIMIZED)$")
  message(FATAL_ERROR "ADAPTIVE_TESTS is '${ADAPTIVE_TESTS}'; it must be ALL or OPTIMIZED")
endif()

# RapidCheck's package in Debian and Ubuntu has a CMake config; elsewhere headers and library are sufficient.
find_package(rapidcheck CONFIG QUIET)
if(NOT TARGET rapidcheck_gtest)
  find_path(ADAPTIVE_RAPIDCHECK_INCLUDE rapidcheck/gtest.h)
  find_library(ADAPTIVE_RAPIDCHECK_LIBRARY rapidcheck)
  mark_as_advanced(ADAPTIVE_RAPIDCHECK_INCLUDE ADAPTIVE_RAPIDCHECK_LIBRARY)
  if(ADAPTIVE_RAPIDCHECK_INCLUDE AND ADAPTIVE_RAPIDCHECK_LIBRARY)
    add_library(rapidcheck_gtest INTERFACE IMPORTED)
    target_include_directories(rapidcheck_gtest INTERFACE "${ADAPTIVE_RAPIDCHECK_INCLUDE}")
    target_link_libraries(rapidcheck_gtest INTERFACE "${ADAPTIVE_RAPIDCHECK_LIBRARY}")
  endif()
endif()
if(NOT TARGET rapidcheck_gtest)
  message(STATUS "adaptive: property tests left out: not found: rapidcheck")
endif()

# Only the code under test is optimized, not the tests, which halves the time to compile them.
# Tests call `select` and similar functions for their effects and ignore the result.
set(ADAPTIVE_TEST_OPTIONS "$<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CONFIG:Release>>:-O0>"
  "$<$<COMPILE_LANGUAGE:CXX>:-Wno-unused-result>")
# For tests that try many inputs: instrumented code takes many times as long.
if(ADAPTIVE_SANITIZE)
  list(APPEND ADAPTIVE_TEST_OPTIONS -DADAPTIVE_SANITIZED)
endif()

# The headers that nearly every test includes, compiled once: they take half of a test's compile time.
# Compiled for a program, as the tests are; libraries are compiled with other flags.
file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/precompiled.cpp" "int main() {}\n")
add_executable(adaptive_test_precompiled EXCLUDE_FROM_ALL "${CMAKE_CURRENT_BINARY_DIR}/precompiled.cpp")
adaptive_target_defaults(adaptive_test_precompiled)
target_compile_options(adaptive_test_precompiled PRIVATE "${ADAPTIVE_TEST_OPTIONS}")
target_link_libraries(adaptive_test_precompiled PRIVATE adaptive::internal GTest::gtest)
target_precompile_headers(adaptive_test_precompiled PRIVATE
  <gtest/gtest.h> <adaptive/adaptive.hpp> <algorithm> <chrono> <cmath> <cstdint> <filesystem> <fstream>
  <functional> <map> <memory> <optional> <random> <set> <sstream> <string> <thread> <vector>)

# adaptive_add_test(name SOURCES a.cpp... [LIBS target...] [LABELS label...] [TIMEOUT seconds]
#                   [THREADS none|pattern...] [PROPERTIES] [OPTIMIZED])
#
# Adds one program `name` with GoogleTest cases. Each case is a test of ctest, named name.Suite.Case. The
# program sees the internals of the library (adaptive::internal): "learning/...", "policies/...",
# "kernels/...". LABELS gpu means that the cases need a GPU; they skip themselves if there is none. LABELS gpu
# faults: they cause CUDA errors on purpose, so checkers do not run them. TIMEOUT is per case, 60 s by
# default, and four times as long under a sanitizer. THREADS names the cases in which several threads run, as
# --gtest_filter does. A build with the thread sanitizer, which finds nothing in the other cases, has only
# these, and for `none` leaves the test out. Without THREADS it has all cases. PROPERTIES links RapidCheck
# (rapidcheck.h, rapidcheck/gtest.h); without RapidCheck the test is left out. Such a case may take 15
# minutes, because `scripts/test --full` requests many more inputs. OPTIMIZED means that an optimized build
# finds faults that the sanitizers' build does not, or that the latter leaves out what they test: the cases count
# allocations, simulate more runs, compare results of floating-point arithmetic, fork while other threads run, or test
# the tool or an example. With ADAPTIVE_TESTS=OPTIMIZED only these tests, and those that need the CUDA Toolkit, are in
# the build; the others can be built by their names.
function(adaptive_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "PROPERTIES;OPTIMIZED" "TIMEOUT" "SOURCES;LIBS;LABELS;THREADS")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
    message(FATAL_ERROR "adaptive_add_test(${name}): SOURCES missing or unknown: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(arg_PROPERTIES AND NOT TARGET rapidcheck_gtest)
    return()
  endif()
  set(filter "")
  if(ADAPTIVE_SANITIZE MATCHES "thread" AND arg_THREADS)
    if(arg_THREADS STREQUAL "none")
      return()
    endif()
    list(JOIN arg_THREADS ":" filter)
    set(filter TEST_FILTER "${filter}")
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
    if(arg_PROPERTIES)
      set(arg_TIMEOUT 900)
    endif()
  endif()
  if(ADAPTIVE_SANITIZE)
    math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * 4")  # instrumented code takes longer
  endif()

  add_executable(${name} ${arg_SOURCES})
  if(ADAPTIVE_UNITY_PROGRAMS)
    set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 12)
  endif()
  adaptive_target_defaults(${name})
  target_compile_options(${name} PRIVATE "${ADAPTIVE_TEST_OPTIONS}")
  target_link_libraries(${name} PRIVATE adaptive::internal ${arg_LIBS} GTest::gtest GTest::gtest_main)
  target_precompile_headers(${name} REUSE_FROM adaptive_test_precompiled)
  if(arg_PROPERTIES)
    target_link_libraries(${name} PRIVATE rapidcheck_gtest)
  endif()

  if(ADAPTIVE_TESTS STREQUAL "OPTIMIZED" AND NOT arg_OPTIMIZED AND NOT arg_LABELS MATCHES "cuda|gpu")
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
    return()
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST TEST_PREFIX "${name}." TEST_LIST ${name}_cases
    DISCOVERY_TIMEOUT 60 NO_PRETTY_VALUES ${filter} PROPERTIES TIMEOUT ${arg_TIMEOUT})
  if(arg_LABELS)
    # gtest_discover_tests would lose all labels of a list but the first, so the labels are set after the
    # discovery.
    set(labels "${CMAKE_CURRENT_BINARY_DIR}/${name}_labels.cmake")
    file(CONFIGURE OUTPUT "${labels}" @ONLY CONTENT
      "foreach(case IN LISTS @name@_cases)\n  set_tests_properties(\"\${case}\" PROPERTIES LABELS \"@arg_LABELS@\")\nendforeach()\n")
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${labels}")
  endif()
  if("gpu" IN_LIST arg_LABELS AND NOT "faults" IN_LIST arg_LABELS)
    set_property(GLOBAL APPEND PROPERTY ADAPTIVE_GPU_TESTS "$<TARGET_FILE:${name}>")
  endif()
endfunction()
