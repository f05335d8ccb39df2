# Installs the library, its headers, the CMake package and the pkg-config file, in components: library, library_redis, …,
# development, tables, tool. Consumers need C++20 and
# threads, those of adaptive::cuda also the CUDA Toolkit; third-party packages are private and header-only.
include(CMakePackageConfigHelpers)

set(ADAPTIVE_PACKAGE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/adaptive")

# Each library has an export of its own, so that programs without adaptive::cuda do not need the toolkit, and
# programs without Redis do not need hiredis.
foreach(library adaptive adaptive_cuda adaptive_redis adaptive_metrics)
  if(TARGET ${library})
    string(REPLACE "_" "-" export "${library}-targets")
    string(REPLACE "adaptive" "library" component "${library}")
    install(TARGETS ${library} EXPORT ${export}
      RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT ${component}
      LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT ${component} NAMELINK_COMPONENT development
      ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT development)
    install(EXPORT ${export} NAMESPACE adaptive:: DESTINATION "${ADAPTIVE_PACKAGE_DIR}" COMPONENT development)
  endif()
endforeach()

# A header is installed if the library that it belongs to is built.
set(ADAPTIVE_HEADERS_LEFT_OUT "")
if(NOT TARGET adaptive_cuda)
  list(APPEND ADAPTIVE_HEADERS_LEFT_OUT PATTERN "cuda" EXCLUDE PATTERN "cuda.hpp" EXCLUDE)
endif()
if(NOT TARGET adaptive_redis)
  list(APPEND ADAPTIVE_HEADERS_LEFT_OUT PATTERN "redis" EXCLUDE PATTERN "redis.hpp" EXCLUDE)
endif()
if(NOT TARGET adaptive_metrics)
  list(APPEND ADAPTIVE_HEADERS_LEFT_OUT PATTERN "metrics.hpp" EXCLUDE)
endif()
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/adaptive" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT development
  FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h" ${ADAPTIVE_HEADERS_LEFT_OUT})

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/adaptive-config.cmake.in"
  "${PROJECT_BINARY_DIR}/adaptive-config.cmake" INSTALL_DESTINATION "${ADAPTIVE_PACKAGE_DIR}")
# Below 1.0 every minor version may change the interface.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/adaptive-config-version.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/adaptive-config.cmake" "${PROJECT_BINARY_DIR}/adaptive-config-version.cmake"
  DESTINATION "${ADAPTIVE_PACKAGE_DIR}" COMPONENT development)

# The measured tables, where TableSearch::standard looks for them.
install(DIRECTORY "${PROJECT_SOURCE_DIR}/configs/" DESTINATION "${CMAKE_INSTALL_DATADIR}/adaptive/configs" COMPONENT tables)

# pkg-config derives the prefix from the file's own place, so that an installed tree can be moved.
file(RELATIVE_PATH ADAPTIVE_PC_PREFIX
  "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
string(REGEX REPLACE "/$" "" ADAPTIVE_PC_PREFIX "${ADAPTIVE_PC_PREFIX}")
set(ADAPTIVE_PC_NEEDS "${CMAKE_THREAD_LIBS_INIT}")
if(NOT ADAPTIVE_PC_NEEDS)
  set(ADAPTIVE_PC_NEEDS "-pthread")
endif()
foreach(library IN LISTS CMAKE_DL_LIBS)
  string(APPEND ADAPTIVE_PC_NEEDS " -l${library}")
endforeach()
get_target_property(ADAPTIVE_TYPE adaptive TYPE)

# Installs NAME.pc. `needs` lists the libraries with which the library is linked. A program that links an
# archive needs them as well, with or without `pkg-config --static`.
function(adaptive_pkg_config name needs)
  set(ADAPTIVE_PC_LIBS "")
  set(ADAPTIVE_PC_LIBS_PRIVATE "")
  if(ADAPTIVE_TYPE STREQUAL "STATIC_LIBRARY")
    set(ADAPTIVE_PC_LIBS " ${needs}")
  else()
    set(ADAPTIVE_PC_LIBS_PRIVATE "${needs}")
  endif()
  configure_file("${CMAKE_CURRENT_FUNCTION_LIST_DIR}/${name}.pc.in" "${PROJECT_BINARY_DIR}/${name}.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${name}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT development)
endfunction()

adaptive_pkg_config(adaptive "${ADAPTIVE_PC_NEEDS}")
# For programs in C, which are not compiled as C++20, and whose compiler does not link the C++ library by itself.
set(ADAPTIVE_PC_CXX "${CMAKE_CXX_IMPLICIT_LINK_LIBRARIES}")
list(FILTER ADAPTIVE_PC_CXX INCLUDE REGEX "^(stdc\\+\\+|c\\+\\+|m)$")
list(REMOVE_DUPLICATES ADAPTIVE_PC_CXX)
list(TRANSFORM ADAPTIVE_PC_CXX PREPEND "-l")
list(JOIN ADAPTIVE_PC_CXX " " ADAPTIVE_PC_CXX)
adaptive_pkg_config(adaptive-c "${ADAPTIVE_PC_CXX} ${ADAPTIVE_PC_NEEDS}")
if(TARGET adaptive_cuda)
  list(GET CUDAToolkit_INCLUDE_DIRS 0 ADAPTIVE_PC_CUDA_INCLUDE)
  adaptive_pkg_config(adaptive-cuda "")
endif()
if(TARGET adaptive_redis)
  adaptive_pkg_config(adaptive-redis "-lhiredis")
endif()
if(TARGET adaptive_metrics)
  if(TARGET prometheus-cpp::pull)
    adaptive_pkg_config(adaptive-metrics "-lprometheus-cpp-pull -lprometheus-cpp-core")
  else()
    adaptive_pkg_config(adaptive-metrics "")
  endif()
endif()
