# Packages: `cpack` in the build folder makes those of Debian. scripts/package configures a build for them, makes them and
# tries them in a clean root. Without shared libraries (BUILD_SHARED_LIBS) there are the tool, the tables, and a -dev package
# with archives.
set(ADAPTIVE_PACKAGE_MAINTAINER "Maintainers of adaptive <maintainers@adaptive.invalid>" CACHE STRING
  "Maintainer named in packages, with an address")
mark_as_advanced(ADAPTIVE_PACKAGE_MAINTAINER)

set(CPACK_PACKAGE_NAME adaptive)
set(CPACK_PACKAGE_VENDOR adaptive)
set(CPACK_PACKAGE_CONTACT "${ADAPTIVE_PACKAGE_MAINTAINER}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has its own
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
# What a Debian package has beside the files that `cmake --install` installs.
set(CPACK_PRE_BUILD_SCRIPTS "${PROJECT_SOURCE_DIR}/packaging/debian/finish.cmake")
set(CPACK_ADAPTIVE_SOURCE "${PROJECT_SOURCE_DIR}")
set(CPACK_ADAPTIVE_CONTROL "${PROJECT_BINARY_DIR}/debian")
set(CPACK_ADAPTIVE_SOVERSION "${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
# The project's own libraries, which are not installed while packages are made.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS "${PROJECT_BINARY_DIR};${PROJECT_BINARY_DIR}/src/store/redis;${PROJECT_BINARY_DIR}/src/watch/metrics")

set(picks "picks the fastest variant of a kernel at run time")
set(about "A program that has several interchangeable implementations of an operation
wraps each launch in two calls. The selector measures a small share of the
launches, runs the implementation that is fastest for the shape at hand, and
keeps learning while the program runs.")
set(exactly "(= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")

set(components "")
# adaptive_package(component NAME section SUMMARY text DEPENDS list...): one package. `text` is appended to the description.
function(adaptive_package component name section summary text)
  cmake_parse_arguments(PARSE_ARGV 5 arg "" "" "DEPENDS;RECOMMENDS;SUGGESTS;CONTROL")
  string(TOUPPER "${component}" key)
  list(JOIN arg_DEPENDS ", " depends)
  list(JOIN arg_RECOMMENDS ", " recommends)
  list(JOIN arg_SUGGESTS ", " suggests)
  foreach(variable
      "COMPONENT_${key}_DESCRIPTION=${summary}\n${about}\n\n${text}"
      "DEBIAN_${key}_PACKAGE_NAME=${name}" "DEBIAN_${key}_PACKAGE_SECTION=${section}"
      "DEBIAN_${key}_PACKAGE_DEPENDS=${depends}" "DEBIAN_${key}_PACKAGE_RECOMMENDS=${recommends}"
      "DEBIAN_${key}_PACKAGE_SUGGESTS=${suggests}" "DEBIAN_${key}_PACKAGE_CONTROL_EXTRA=${arg_CONTROL}")
    string(REGEX MATCH "^[A-Z0-9_]+" variable_name "${variable}")
    string(REGEX REPLACE "^[A-Z0-9_]+=" "" value "${variable}")
    set(CPACK_${variable_name} "${value}" PARENT_SCOPE)
  endforeach()
  set(components ${components} ${component} PARENT_SCOPE)
endfunction()

set(libraries "")
if(BUILD_SHARED_LIBS)
  foreach(library adaptive adaptive_redis adaptive_metrics)
    if(NOT TARGET ${library})
      continue()
    endif()
    string(REPLACE "adaptive" "library" component "${library}")
    string(REPLACE "_" "-" package "lib${library}")
    string(APPEND package "${CPACK_ADAPTIVE_SOVERSION}")
    set(needs "")
    set(text "This package contains the shared library.")
    if(library STREQUAL "adaptive")
      set(recommends "adaptive-tables ${exactly}")
    else()
      set(needs "libadaptive${CPACK_ADAPTIVE_SOVERSION} ${exactly}")
      set(recommends "")
      string(REGEX REPLACE "^adaptive_" "" part "${library}")
      set(text "This package contains the shared library of the part '${part}'.")
    endif()
    adaptive_package(${component} ${package} libs "${picks} (${library})" "${text}"
      DEPENDS "${needs}" RECOMMENDS "${recommends}"
      CONTROL "${CPACK_ADAPTIVE_CONTROL}/${component}/symbols" "${CPACK_ADAPTIVE_CONTROL}/${component}/shlibs"
        "${CPACK_ADAPTIVE_CONTROL}/${component}/triggers")
    list(APPEND libraries "${package} ${exactly}")
  endforeach()
endif()
adaptive_package(development libadaptive-dev libdevel "${picks} (development)"
  "This package contains the headers, the CMake package and the files for\npkg-config." DEPENDS ${libraries} SUGGESTS adaptive)
adaptive_package(tables adaptive-tables libs "tables of measured kernels and schemas for adaptive"
  "This package contains tables that were measured on particular devices, from\nwhich the selector starts, and the schemas of all file formats.")
set(CPACK_DEBIAN_TABLES_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_TABLES_PACKAGE_SHLIBDEPS OFF)
if(TARGET adaptive_tool)
  adaptive_package(tool adaptive utils "tunes kernels and handles the tables of what is fastest"
    "This package contains the command-line tool, its manual pages and its\ncompletions."
    DEPENDS "adaptive-tables ${exactly}")
endif()
if(ADAPTIVE_BUILD_PYTHON AND ADAPTIVE_PYTHON_INSTALL)
  adaptive_package(python python3-adaptive-selector python "${picks} (Python)"
    "This package contains the module adaptive_selector, for PyTorch, Triton and\nJAX programs."
    DEPENDS "${ADAPTIVE_PYTHON_DEPENDS}"
      "adaptive-tables ${exactly}"
    RECOMMENDS "adaptive ${exactly}" SUGGESTS python3-prometheus-client
    CONTROL "${PROJECT_SOURCE_DIR}/packaging/debian/python/postinst" "${PROJECT_SOURCE_DIR}/packaging/debian/python/prerm")
endif()
set(CPACK_COMPONENTS_ALL ${components})
include(CPack)
