# Debian packages, by `cpack -G DEB` in the build folder: libchannels1, libchannels-dev, chanbench.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME chanbench)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_PACKAGE_CONTACT "chanbench <maintainers@chanbench.invalid>" CACHE STRING "who maintains the packages")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "channels for threads in C, their benchmarks and tests")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_COMPONENTS_ALL runtime development)
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "The shared library.
 Channels as Tokio defines them, for threads of a C program: mpsc, unbounded,
 oneshot, broadcast and watch, in three implementations behind one contract.")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME libchannels1)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
file(WRITE ${made}/triggers "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA ${made}/triggers)

set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "The headers and the static library.
 What a program is compiled and linked with: the headers, the static library,
 and the files for pkg-config and for CMake's find_package.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libchannels-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libchannels1 (= ${PROJECT_VERSION}-1), libc6-dev")

set(CPACK_COMPONENT_CHANBENCH_DESCRIPTION "The program chanbench.
 Compares implementations of channels: is each right, and what does it cost?
 Rules as tests, stress, exploration of interleavings, and benchmarks in which
 every number stands beside its verdict. Takes plug-ins.")
if(TARGET chanbench)
  list(APPEND CPACK_COMPONENTS_ALL chanbench)
  set(CPACK_DEBIAN_CHANBENCH_PACKAGE_NAME chanbench)
  set(CPACK_DEBIAN_CHANBENCH_PACKAGE_SECTION devel)
  # Exploring compiles and links.
  set(CPACK_DEBIAN_CHANBENCH_PACKAGE_SUGGESTS "gcc | clang, binutils")
endif()

# The licence and the changes, as a package has them.
find_program(CHANBENCH_GZIP gzip)
function(package_papers component package)
  set(text ${made}/${package}.changelog)
  file(WRITE ${text} "chanbench (${PROJECT_VERSION}-1) unstable; urgency=medium\n\n"
    "  * Version ${PROJECT_VERSION}, see its commits.\n\n"
    " -- ${CPACK_PACKAGE_CONTACT}  Thu, 01 Jan 2026 00:00:00 +0000\n")
  if(CHANBENCH_GZIP)
    execute_process(COMMAND ${CHANBENCH_GZIP} -9nf ${text} COMMAND_ERROR_IS_FATAL ANY)
    install(FILES ${text}.gz DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package}
      RENAME changelog.Debian.gz COMPONENT ${component})
  endif()
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package}
    RENAME copyright COMPONENT ${component})
endfunction()
package_papers(runtime libchannels1)
package_papers(development libchannels-dev)
if(TARGET chanbench)
  package_papers(chanbench chanbench)
  # The explorer names functions and lines by the symbols of what it explores.
  file(WRITE ${made}/overrides "chanbench: unstripped-binary-or-object *explore/ours*\n"
    "chanbench: hardening-no-pie *explore/ours*\n")
  install(FILES ${made}/overrides DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides
    RENAME chanbench COMPONENT chanbench)
endif()
include(CPack)
