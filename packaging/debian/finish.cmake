# cpack runs this script after all components have been installed, each into a folder of its own, and before it makes
# packages of them: adds what Debian expects of each package.
cmake_minimum_required(VERSION 3.25)

set(version "${CPACK_PACKAGE_VERSION}")
# Dates of packages are those of the source, so that a rebuild gives the same.
if(DEFINED ENV{SOURCE_DATE_EPOCH})
  set(now "$ENV{SOURCE_DATE_EPOCH}")
else()
  string(TIMESTAMP now "%s" UTC)
endif()
execute_process(COMMAND date -u -R -d "@${now}" OUTPUT_VARIABLE date OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)

foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  set(tree "${CPACK_TEMPORARY_INSTALL_DIRECTORY}/${component}")
  set(control "${CPACK_ADAPTIVE_CONTROL}/${component}")
  string(TOUPPER "${component}" key)
  set(package "${CPACK_DEBIAN_${key}_PACKAGE_NAME}")
  file(MAKE_DIRECTORY "${control}")

  set(folder "${tree}/usr/share/doc/${package}")
  file(COPY "${CPACK_ADAPTIVE_SOURCE}/packaging/debian/copyright" DESTINATION "${folder}")
  file(WRITE "${folder}/changelog.Debian" "adaptive (${version}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium

  * Version ${version}. See changelog.gz.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
  file(COPY_FILE "${CPACK_ADAPTIVE_SOURCE}/CHANGELOG.md" "${folder}/changelog")
  file(GLOB compressed "${folder}/changelog*" "${tree}/usr/share/man/man1/*.1")
  execute_process(COMMAND gzip -9nf ${compressed} COMMAND_ERROR_IS_FATAL ANY)

  if(component MATCHES "^library")
    file(WRITE "${control}/triggers" "activate-noawait ldconfig\n")
    string(REGEX REPLACE "^lib(.+)${CPACK_ADAPTIVE_SOVERSION}$" "\\1" name "${package}")
    string(REPLACE "-" "_" name "lib${name}")
    file(WRITE "${control}/shlibs" "${name} ${CPACK_ADAPTIVE_SOVERSION} ${package} (>= ${version})\n")
    # The symbols that the library exports, and the version since which it does. scripts/abi compares releases.
    file(GLOB library "${tree}/usr/lib/*/lib*.so.${version}")
    execute_process(COMMAND dpkg-gensymbols -c0 "-p${package}" "-v${version}" "-P${tree}" "-e${library}" "-O${control}/symbols"
      WORKING_DIRECTORY "${CPACK_ADAPTIVE_SOURCE}/packaging" OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
  endif()
endforeach()
