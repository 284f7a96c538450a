# `cmake --install`: the program with its man page, shell completion and documentation; the library with its public
# headers for find_package(frgan).
include(CMakePackageConfigHelpers)
set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/frgan)

if(TARGET frgan_cli)
  install(TARGETS frgan_cli)
endif()
if(TARGET frgan_help)
  install(FILES ${CMAKE_BINARY_DIR}/help/frgan.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${CMAKE_BINARY_DIR}/help/frgan.bash RENAME frgan
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${CMAKE_BINARY_DIR}/help/_frgan DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
endif()
install(TARGETS frgan EXPORT frganTargets)
include(PublicHeaders)
foreach(header ${frgan_public_headers})
  cmake_path(GET header PARENT_PATH folder)
  install(FILES src/${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/${folder})
endforeach()
install(EXPORT frganTargets NAMESPACE frgan:: DESTINATION ${config_dir})

configure_package_config_file(cmake/frganConfig.cmake.in frganConfig.cmake INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(frganConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/frganConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/frganConfigVersion.cmake
              cmake/Dependencies.cmake cmake/WheelTorch.cmake DESTINATION ${config_dir})
# The pages that `frgan COMMAND --help` refers to, and what they link to.
install(FILES LICENSE README.md CHANGELOG.md CONTRIBUTING.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs examples DESTINATION ${CMAKE_INSTALL_DOCDIR})
file(GLOB_RECURSE results RELATIVE ${PROJECT_SOURCE_DIR} CONFIGURE_DEPENDS results/*.md results/*.svg results/*.png)
foreach(result ${results})
  cmake_path(GET result PARENT_PATH folder)
  install(FILES ${result} DESTINATION ${CMAKE_INSTALL_DOCDIR}/${folder})
endforeach()
