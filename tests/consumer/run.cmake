# Configures, builds and runs the user's program in one of the ways to consume the library:
#   cmake -DWAY=package|pkg-config|c_package|c_pkg-config|cuda_package|cuda_pkg-config|redis_package|redis_pkg-config|
#     metrics_package|metrics_pkg-config|subdirectory -DWORK=dir ... -P run.cmake
# CMakeLists.txt beside this file passes the other variables.
cmake_minimum_required(VERSION 3.25)

# The programs must not find tables that depend on who runs the tests.
set(ENV{XDG_DATA_HOME} "${WORK}/data")
unset(ENV{ADAPTIVE_TABLES})

function(run)
  list(JOIN ARGV " " command)
  message(STATUS "${command}")
  execute_process(COMMAND ${ARGV} WORKING_DIRECTORY "${WORK}" RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "failed (${status}): ${command}")
  endif()
endfunction()

file(MAKE_DIRECTORY "${WORK}")
# No compiler cache for a stranger's program: the cache may make `__FILE__` relative, by which the installed headers
# find the tables beside them.
set(configure ${CMAKE_COMMAND} -G "${GENERATOR}" -DCMAKE_BUILD_TYPE=${BUILD_TYPE} "-DCMAKE_CXX_COMPILER=${CXX}")
# The packages that the library uses privately: a consumer of the installed library must not need them.
set(strangers_machine "")
foreach(package nlohmann_json Eigen3 Boost CLI11 fmt GTest benchmark rapidcheck CUDAToolkit)
  list(APPEND strangers_machine -DCMAKE_DISABLE_FIND_PACKAGE_${package}=ON)
endforeach()

# A project that finds the installed library through its CMake package.
function(run_package project)
  file(REMOVE_RECURSE "${WORK}/build")
  run(${configure} -S "${SOURCE}/${project}" -B build "-DCMAKE_PREFIX_PATH=${PREFIX}" ${ARGN})
  run(${CMAKE_COMMAND} --build build)
  if(project STREQUAL "package")
    run("${WORK}/build/stranger" "${PREFIX}/${DATADIR}/adaptive/configs")
  else()
    run("${WORK}/build/stranger")
  endif()
endfunction()

# Compiles a program, or links an object file that was compiled so, as `${WORK}/stranger` with only the flags that
# pkg-config prints for `module`, installed at `prefix`. With optimization, because some programs run for a while.
function(build_with_pkg_config module prefix program)
  set(ENV{PKG_CONFIG_PATH} "${prefix}/${LIBDIR}/pkgconfig")
  execute_process(COMMAND ${PKG_CONFIG} --cflags --libs ${module}
    OUTPUT_VARIABLE flags OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(flags UNIX_COMMAND "${flags}")
  run(${CXX} -O1 "${program}" -o stranger ${flags} "-Wl,-rpath,${prefix}/${LIBDIR}" ${ARGN})
endfunction()

if(WAY STREQUAL "package")
  run_package(package ${strangers_machine})

elseif(WAY STREQUAL "pkg-config")
  # A moved prefix must work as well, including its tables.
  file(REMOVE_RECURSE "${WORK}/moved" "${WORK}/moved again")
  file(COPY "${PREFIX}/" DESTINATION "${WORK}/moved")
  run(${CXX} -std=c++20 "-I${WORK}/moved/include" -c "${SOURCE}/main.cpp" -o main.o)
  build_with_pkg_config(adaptive "${WORK}/moved" main.o)
  run("${WORK}/stranger" "${WORK}/moved/${DATADIR}/adaptive/configs")
  build_with_pkg_config(adaptive "${WORK}/moved" "${ROOT}/examples/01_first_program.cpp")
  run("${WORK}/stranger")

  # The parts that find themselves at run time may move after linking: the shared library and the installed
  # tool.
  build_with_pkg_config(adaptive "${WORK}/moved" main.o)
  file(RENAME "${WORK}/moved" "${WORK}/moved again")
  set(tables "${WORK}/moved again/${DATADIR}/adaptive/configs")
  if(EXISTS "${WORK}/moved again/${LIBDIR}/libadaptive.so")
    set(ENV{LD_LIBRARY_PATH} "${WORK}/moved again/${LIBDIR}")
    run("${WORK}/stranger" "${tables}")
  endif()
  if(EXISTS "${WORK}/moved again/${BINDIR}/adaptive")
    execute_process(COMMAND "${WORK}/moved again/${BINDIR}/adaptive" tables --json OUTPUT_VARIABLE said
      COMMAND_ERROR_IS_FATAL ANY)
    string(FIND "${said}" "\"${tables}\"" at)
    if(at EQUAL -1)
      message(FATAL_ERROR "the moved tool does not look into ${tables}: ${said}")
    endif()
  endif()

elseif(WAY STREQUAL "c_package")
  run_package(c ${strangers_machine} "-DCMAKE_C_COMPILER=${CC}" "-DPROGRAM=${ROOT}/examples/13_c_interface.c")

elseif(WAY STREQUAL "c_pkg-config")
  set(CXX "${CC}" -std=c11)
  build_with_pkg_config(adaptive-c "${PREFIX}" "${ROOT}/examples/13_c_interface.c")
  run("${WORK}/stranger")

elseif(WAY STREQUAL "cuda_package")
  run_package(cuda "-DCUDAToolkit_ROOT=${CUDA_ROOT}")

elseif(WAY STREQUAL "cuda_pkg-config")
  set(ENV{PKG_CONFIG_PATH} "${PREFIX}/${LIBDIR}/pkgconfig")
  execute_process(COMMAND ${PKG_CONFIG} --variable=cuda_libdir adaptive-cuda
    OUTPUT_VARIABLE cuda_libdir OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  build_with_pkg_config(adaptive-cuda "${PREFIX}" "${SOURCE}/cuda/main.cpp" "-Wl,-rpath,${cuda_libdir}")
  run("${WORK}/stranger")

elseif(WAY STREQUAL "redis_package")
  run_package(redis ${strangers_machine})

elseif(WAY STREQUAL "redis_pkg-config")
  build_with_pkg_config(adaptive-redis "${PREFIX}" "${SOURCE}/redis/main.cpp")
  run("${WORK}/stranger")

elseif(WAY STREQUAL "metrics_package")
  run_package(metrics ${strangers_machine})

elseif(WAY STREQUAL "metrics_pkg-config")
  build_with_pkg_config(adaptive-metrics "${PREFIX}" "${SOURCE}/metrics/main.cpp")
  run("${WORK}/stranger")

elseif(WAY STREQUAL "subdirectory")
  # A compiler cache has the files, or the batches, from the build that is tested, if the flags are the same.
  list(APPEND configure "-DCMAKE_CXX_FLAGS_RELEASE=${RELEASE_FLAGS}")
  if(BATCHES)
    list(APPEND configure "-DADAPTIVE_BATCHES=${BATCHES}")
  elseif(NOT LAUNCHER MATCHES "ccache")
    list(APPEND configure -DCMAKE_UNITY_BUILD=ON)
  endif()
  run(${configure} -S "${SOURCE}/subdirectory" -B build "-DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}"
      "-DADAPTIVE_SOURCE=${ROOT}" -DADAPTIVE_ENABLE_CUDA=OFF
      -DADAPTIVE_WERROR=${WERROR}
      -DBUILD_SHARED_LIBS=${SHARED} -DADAPTIVE_INSTALL=${SHARED}
      "-DCMAKE_INSTALL_PREFIX=${WORK}/prefix" "-DCMAKE_INSTALL_LIBDIR=${LIBDIR}")
  run(${CMAKE_COMMAND} --build build)
  run("${WORK}/build/stranger")
  if(SHARED)
    file(REMOVE_RECURSE "${WORK}/prefix")
    run(${CMAKE_COMMAND} --install build)
    if(NOT EXISTS "${WORK}/prefix/${LIBDIR}/libadaptive.so" AND NOT EXISTS "${WORK}/prefix/${LIBDIR}/libadaptive.dylib")
      message(FATAL_ERROR "no shared library was installed")
    endif()
  endif()

else()
  message(FATAL_ERROR "no way called '${WAY}'")
endif()
