# What is installed, and how it is found again: pkg-config, find_package, man pages, completion of
# the shell, packages, and a way to take it all out.
include(CMakePackageConfigHelpers)

set(channels_cmake ${CMAKE_INSTALL_LIBDIR}/cmake/channels)
set(here ${PROJECT_SOURCE_DIR}/scripts/cmake)
set(made ${PROJECT_BINARY_DIR}/install)

# --- the library
set(libraries channels)
if(TARGET channels_shared)
  get_target_property(excluded channels_shared EXCLUDE_FROM_ALL)
  if(NOT excluded)
    list(APPEND libraries channels_shared)
  endif()
endif()
install(TARGETS ${libraries} EXPORT channels
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT development
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
install(DIRECTORY ${PROJECT_BINARY_DIR}/include/chanbench DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  COMPONENT development FILES_MATCHING PATTERN "*.h")
install(EXPORT channels NAMESPACE channels:: DESTINATION ${channels_cmake} COMPONENT development)
configure_package_config_file(${here}/channels-config.cmake.in ${made}/channels-config.cmake
  INSTALL_DESTINATION ${channels_cmake})
write_basic_package_version_file(${made}/channels-config-version.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${made}/channels-config.cmake ${made}/channels-config-version.cmake
  DESTINATION ${channels_cmake} COMPONENT development)

# In the file itself the paths are relative to where it lies: an installed tree can be moved.
file(RELATIVE_PATH prefix_from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${here}/channels.pc.in ${made}/channels.pc @ONLY)
install(FILES ${made}/channels.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)

add_custom_target(uninstall COMMAND ${CMAKE_COMMAND} -DMANIFEST=${PROJECT_BINARY_DIR}/install_manifest.txt
  -P ${here}/uninstall.cmake VERBATIM)

# --- the pages: made from what the program and the header say, so that they cannot drift
find_program(CHANBENCH_AWK awk)
find_program(CHANBENCH_GZIP gzip)
set(pages)
if(CHANBENCH_AWK AND CHANBENCH_GZIP)
  add_custom_command(OUTPUT ${made}/channels.3 VERBATIM DEPENDS ${PROJECT_SOURCE_DIR}/scripts/pages
    ${PROJECT_SOURCE_DIR}/impls/channel.h
    COMMAND ${PROJECT_SOURCE_DIR}/scripts/pages header ${PROJECT_SOURCE_DIR}/impls/channel.h ${made}/channels.3
    COMMAND ${CHANBENCH_GZIP} -9nkf ${made}/channels.3)
  list(APPEND pages ${made}/channels.3)
  install(FILES ${made}/channels.3.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man3 COMPONENT development)
  if(TARGET chanbench AND (NOT CMAKE_CROSSCOMPILING OR CMAKE_CROSSCOMPILING_EMULATOR))
    add_custom_command(OUTPUT ${made}/chanbench.1 ${made}/chanbench.bash VERBATIM
      DEPENDS ${PROJECT_SOURCE_DIR}/scripts/pages chanbench
      COMMAND ${PROJECT_SOURCE_DIR}/scripts/pages program $<TARGET_FILE:chanbench> ${made}/chanbench.1
      COMMAND ${PROJECT_SOURCE_DIR}/scripts/pages completion $<TARGET_FILE:chanbench> ${made}/chanbench.bash
      COMMAND ${CHANBENCH_GZIP} -9nkf ${made}/chanbench.1)
    list(APPEND pages ${made}/chanbench.1 ${made}/chanbench.bash)
    install(FILES ${made}/chanbench.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT chanbench)
    install(FILES ${made}/chanbench.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
      RENAME chanbench COMPONENT chanbench)
  endif()
  add_custom_target(pages ALL DEPENDS ${pages})
endif()

# --- Debian packages: cpack -G DEB in the build folder
include(${here}/packages.cmake)
