# Settings of all targets of the project: the language level, warnings, visibility, sanitizers.
function(adaptive_target_defaults target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES
    CXX_EXTENSIONS OFF
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON
    POSITION_INDEPENDENT_CODE ON)
  set(warnings -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # g++ 12 warns of "text" + std::string: its bugs 105651 and 105329
    list(APPEND warnings -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds)
  elseif(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # clang requires braces around the part of an aggregate that belongs to a base class
    list(APPEND warnings -Wno-missing-braces)
    if(CMAKE_UNITY_BUILD)
      # clang also reports names that are private to another file of the batch
      list(APPEND warnings -Wno-shadow)
    endif()
  endif()
  if(ADAPTIVE_WERROR)
    list(APPEND warnings -Werror)
  endif()
  target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:${warnings}>")
  if(ADAPTIVE_HAVE_CUDA)
    set_target_properties(${target} PROPERTIES
      CUDA_STANDARD 20 CUDA_STANDARD_REQUIRED ON CUDA_EXTENSIONS OFF CUDA_VISIBILITY_PRESET hidden)
    target_compile_options(${target} PRIVATE
      $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra>
      $<$<AND:$<COMPILE_LANGUAGE:CUDA>,$<BOOL:${ADAPTIVE_WERROR}>>:-Werror=all-warnings>)
  endif()
  if(ADAPTIVE_SANITIZE)
    target_compile_options(${target} PRIVATE
      $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${ADAPTIVE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all>
      # g++ reports code that sanitizers add, in <regex> of g++ 13, as a use of an uninitialised value.
      $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-maybe-uninitialized>)
    if(ADAPTIVE_SANITIZE MATCHES "undefined")
      # Omits checks that the address sanitizer does as well; they would take a sixth of the time to compile.
      target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-sanitize=null,object-size,vptr,pointer-overflow>)
    endif()
    target_link_options(${target} PUBLIC -fsanitize=${ADAPTIVE_SANITIZE})
  endif()
endfunction()

# The same for a benchmark or an example, a program of a file or two that uses the public headers. With
# ADAPTIVE_UNITY_PROGRAMS they are compiled once for all of these programs.
function(adaptive_program_defaults target)
  adaptive_target_defaults(${target})
  if(NOT ADAPTIVE_UNITY_PROGRAMS)
    return()
  endif()
  if(NOT TARGET adaptive_program_precompiled)
    set(file "${PROJECT_BINARY_DIR}/precompiled.cpp")
    file(WRITE "${file}" "int main() {}\n")
    add_executable(adaptive_program_precompiled EXCLUDE_FROM_ALL "${file}")
    adaptive_target_defaults(adaptive_program_precompiled)
    target_link_libraries(adaptive_program_precompiled PRIVATE adaptive::adaptive)
    target_precompile_headers(adaptive_program_precompiled PRIVATE <adaptive/adaptive.hpp>)
  endif()
  target_precompile_headers(${target} REUSE_FROM adaptive_program_precompiled)
endfunction()

# For libraries in which tests spend their time. scripts/test builds with clang, sanitizers and -O0, which takes the
# least time to compile; there such libraries are optimized nevertheless.
function(adaptive_optimize_sanitized target)
  if(ADAPTIVE_SANITIZE)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-O1>)
  endif()
endfunction()

# The same for a few sources of the library `adaptive`. `adaptive_join_optimized_sources` compiles them.
function(adaptive_optimize_sanitized_sources)
  if(ADAPTIVE_SANITIZE AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    list(TRANSFORM ARGN PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/" OUTPUT_VARIABLE sources)
    set_property(GLOBAL APPEND PROPERTY ADAPTIVE_OPTIMIZED_SOURCES ${sources})
  endif()
endfunction()

# Compiles them as one file, because each of them alone would instantiate the same templates of Eigen. Call it after all
# folders of the library are known.
function(adaptive_join_optimized_sources)
  get_property(sources GLOBAL PROPERTY ADAPTIVE_OPTIMIZED_SOURCES)
  if(NOT sources)
    return()
  endif()
  set_source_files_properties(${sources} PROPERTIES HEADER_FILE_ONLY ON)
  list(TRANSFORM sources REPLACE "(.+)" "#include \"\\1\"\n" OUTPUT_VARIABLE content)
  string(JOIN "" content ${content})
  set(file "${PROJECT_BINARY_DIR}/optimized_sources.cpp")
  file(CONFIGURE OUTPUT "${file}" CONTENT "${content}" @ONLY)
  set_source_files_properties("${file}" PROPERTIES COMPILE_OPTIONS -O1 SKIP_UNITY_BUILD_INCLUSION ON)
  target_sources(adaptive PRIVATE "${file}")
endfunction()

# adaptive_compile_in_batches(target [size]): with ADAPTIVE_BATCHES, compiles `size` sources of the library (12 by default)
# as one file, which takes a third of the time. Of sources for nvcc it compiles 4 as one file, which takes three quarters of
# the time. Call it after all sources and their properties are known. It does what UNITY_BUILD does, but the batches have the
# same path in every build folder, so that a compiler cache finds in one build what another build has compiled.
function(adaptive_compile_in_batches target)
  if(NOT ADAPTIVE_BATCHES)
    return()
  endif()
  set(size_cpp 12)
  set(size_cu 4)
  if(ARGC GREATER 1)
    set(size_cpp ${ARGV1})
  endif()
  get_target_property(sources ${target} SOURCES)
  get_target_property(folder ${target} SOURCE_DIR)
  set(compiled "")
  set(batch_cpp "")
  set(batch_cu "")
  foreach(source IN LISTS sources)
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY "${folder}" NORMALIZE)
    set(alone OFF)
    foreach(property COMPILE_OPTIONS COMPILE_DEFINITIONS SKIP_UNITY_BUILD_INCLUSION)
      get_source_file_property(value "${source}" TARGET_DIRECTORY ${target} ${property})
      if(value)
        set(alone ON)
      endif()
    endforeach()
    if(alone OR NOT source MATCHES "\\.(cpp|cu)$")
      list(APPEND compiled "${source}")
      continue()
    endif()
    set(kind ${CMAKE_MATCH_1})
    list(APPEND batch_${kind} "${source}")
    list(LENGTH batch_${kind} length)
    if(length EQUAL size_${kind})
      adaptive_write_batch(${target} ${kind} file "${batch_${kind}}")
      list(APPEND compiled "${file}")
      set(batch_${kind} "")
    endif()
  endforeach()
  foreach(kind cpp cu)
    if(batch_${kind})
      adaptive_write_batch(${target} ${kind} file "${batch_${kind}}")
      list(APPEND compiled "${file}")
    endif()
  endforeach()
  set_target_properties(${target} PROPERTIES SOURCES "${compiled}" UNITY_BUILD OFF)
  # As above, for names that are private to another file. g++ still reports what hides a local variable.
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:CXX>:-Wno-shadow> $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wshadow=local>)
endfunction()

# The name depends on the sources, because they are not the same in every build folder.
function(adaptive_write_batch target kind result sources)
  list(TRANSFORM sources REPLACE "(.+)" "#include \"\\1\"\n" OUTPUT_VARIABLE content)
  string(JOIN "" content ${content})
  string(SHA256 hash "${content}")
  string(SUBSTRING "${hash}" 0 12 hash)
  set(file "${ADAPTIVE_BATCHES}/${target}_${hash}.${kind}")
  file(CONFIGURE OUTPUT "${file}" CONTENT "${content}" @ONLY)
  set(${result} "${file}" PARENT_SCOPE)
endfunction()

# Adds the library adaptive_NAME beside adaptive itself; other projects use it as adaptive::NAME.
function(adaptive_part_defaults name)
  set(target adaptive_${name})
  add_library(adaptive::${name} ALIAS ${target})
  adaptive_target_defaults(${target})
  set_target_properties(${target} PROPERTIES
    EXPORT_NAME ${name}
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
    INSTALL_RPATH "$ORIGIN"  # a program that links this library alone finds the other one beside it
    DEFINE_SYMBOL "")
endfunction()

# Looks for the packages that an optional part of the build needs. If one is missing, the part is left out
# with a message, and its option is OFF for this configuration (the cache keeps the user's setting).
function(adaptive_find_optional option part)
  set(missing "")
  foreach(package IN LISTS ARGN)
    find_package(${package} QUIET GLOBAL)
    if(NOT ${package}_FOUND)
      list(APPEND missing ${package})
    endif()
  endforeach()
  if(missing)
    list(JOIN missing ", " missing)
    message(STATUS "adaptive: ${part} left out: not found: ${missing}")
    set(${option} OFF PARENT_SCOPE)
  endif()
endfunction()

# Adds a folder that has a CMakeLists.txt.
function(adaptive_add_folder folder)
  if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/CMakeLists.txt")
    add_subdirectory(${folder})
  else()
    message(STATUS "adaptive: ${folder}/ left out: it has no CMakeLists.txt")
  endif()
endfunction()

# For a program in C, after adaptive_target_defaults: C11 as the standard has it, with warnings.
function(adaptive_c_defaults target)
  set_target_properties(${target} PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF LINKER_LANGUAGE CXX)
  target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:C>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion;-Wstrict-prototypes>")
  if(ADAPTIVE_WERROR)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:C>:-Werror>)
  endif()
endfunction()
