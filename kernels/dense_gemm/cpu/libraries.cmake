# The libraries whose products are variants of dense_gemm on the host. Each is optional. A build needs only the
# headers: the library is loaded at run time, and without it its variants are not available.

# Adds SOURCE, which sees MACRO as two arguments: the name by which the loader finds the library, and its file.
function(adaptive_add_product_library macro source library includes)
  execute_process(COMMAND "${CMAKE_OBJDUMP}" -p "${library}" OUTPUT_VARIABLE headers ERROR_QUIET)
  if(headers MATCHES "SONAME +([^\n]+)")
    set(soname "${CMAKE_MATCH_1}")
  else()
    get_filename_component(soname "${library}" NAME)
  endif()
  target_sources(adaptive_kernels PRIVATE dense_gemm/cpu/${source})
  # The file is compiled alone: such headers define macros with short names, and two of them differ in cblas.h.
  set_source_files_properties(dense_gemm/cpu/${source} PROPERTIES
    SKIP_UNITY_BUILD_INCLUSION ON
    COMPILE_DEFINITIONS "${macro}=\"${soname}\",\"${library}\"")
  # A folder that the compiler searches anyway must keep its place in the order.
  if(NOT includes IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES)
    set_source_files_properties(dense_gemm/cpu/${source} PROPERTIES COMPILE_OPTIONS "-isystem;${includes}")
  endif()
  set_property(SOURCE dense_gemm/cpu/libraries.cpp APPEND PROPERTY COMPILE_DEFINITIONS ${macro})
endfunction()

set(lacking "")
# The thread sanitizer does not see how the threads of these libraries wait for each other, and the search for leaks
# (clang 14) crashes on the thread-local data of libraries that a program loads while it runs.
if(ADAPTIVE_SANITIZE)
  message(STATUS "adaptive: OpenBLAS, BLIS and oneDNN left out: sanitizers cannot judge them")
else()
  find_package(OpenBLAS CONFIG QUIET)
  if(OpenBLAS_FOUND)
    adaptive_add_product_library(ADAPTIVE_OPENBLAS openblas.cpp "${OpenBLAS_LIBRARIES}" "${OpenBLAS_INCLUDE_DIRS}")
  else()
    list(APPEND lacking OpenBLAS)
  endif()

  find_path(ADAPTIVE_BLIS_INCLUDE blis.h PATH_SUFFIXES blis)
  find_library(ADAPTIVE_BLIS_LIBRARY blis)
  mark_as_advanced(ADAPTIVE_BLIS_INCLUDE ADAPTIVE_BLIS_LIBRARY)
  if(ADAPTIVE_BLIS_INCLUDE AND ADAPTIVE_BLIS_LIBRARY)
    adaptive_add_product_library(ADAPTIVE_BLIS blis.cpp "${ADAPTIVE_BLIS_LIBRARY}" "${ADAPTIVE_BLIS_INCLUDE}")
  else()
    list(APPEND lacking BLIS)
  endif()

  # Not find_package(dnnl): Debian's configuration fails without the headers of OpenCL.
  find_path(ADAPTIVE_ONEDNN_INCLUDE dnnl.h)
  find_library(ADAPTIVE_ONEDNN_LIBRARY dnnl)
  mark_as_advanced(ADAPTIVE_ONEDNN_INCLUDE ADAPTIVE_ONEDNN_LIBRARY)
  set(major "")
  if(ADAPTIVE_ONEDNN_INCLUDE AND ADAPTIVE_ONEDNN_LIBRARY)
    file(STRINGS "${ADAPTIVE_ONEDNN_INCLUDE}/oneapi/dnnl/dnnl_version.h" major REGEX "define DNNL_VERSION_MAJOR 2")
  endif()
  if(major)  # version 3 has other functions
    adaptive_add_product_library(ADAPTIVE_ONEDNN onednn.cpp "${ADAPTIVE_ONEDNN_LIBRARY}" "${ADAPTIVE_ONEDNN_INCLUDE}")
  else()
    list(APPEND lacking "oneDNN 2")
  endif()
endif()
if(lacking)
  list(JOIN lacking ", " lacking)
  message(STATUS "adaptive: some variants of dense_gemm left out: not found: ${lacking}")
endif()
