# Rules of `cmake --install`: the program, and the library with headers for find_package(frgan).
include(CMakePackageConfigHelpers)
set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/frgan)

if(TARGET frgan_cli)
  install(TARGETS frgan_cli)
endif()
install(TARGETS frgan EXPORT frganTargets)
install(DIRECTORY src/frgan DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h)
install(EXPORT frganTargets NAMESPACE frgan:: DESTINATION ${config_dir})

configure_package_config_file(cmake/frganConfig.cmake.in frganConfig.cmake INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(frganConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/frganConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/frganConfigVersion.cmake
              cmake/Dependencies.cmake cmake/WheelTorch.cmake DESTINATION ${config_dir})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
