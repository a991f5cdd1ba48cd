# libluna.a: the rooms of floors 0 to 3 in one archive, and what find_package(Luna) and pkg-config
# need to use it from an install tree. An embedder sees luna::luna and <luna/luna.h>, nothing else.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

if(LUNA_SANITIZE)
  return()  # a sanitized library is for the tests only
endif()
get_property(rooms GLOBAL PROPERTY LUNA_EMBEDDED_ROOMS)
list(REMOVE_ITEM rooms simulation sim_kernel sim_transport)
foreach(room ${rooms})
  get_target_property(type luna_${room} TYPE)
  if(type STREQUAL STATIC_LIBRARY)
    list(APPEND objects $<TARGET_OBJECTS:luna_${room}>)
  endif()
endforeach()

add_library(luna_all STATIC ${objects})
add_library(luna::luna ALIAS luna_all)
set_target_properties(luna_all PROPERTIES
  OUTPUT_NAME luna EXPORT_NAME luna LINKER_LANGUAGE CXX)
target_include_directories(luna_all PUBLIC
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(luna_all INTERFACE cxx_std_20)
get_property(libraries GLOBAL PROPERTY LUNA_LIBRARIES)
list(REMOVE_DUPLICATES libraries)
target_link_libraries(luna_all PUBLIC ${libraries})

install(TARGETS luna_all EXPORT LunaTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
install(DIRECTORY include/luna COMPONENT library
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(EXPORT LunaTargets NAMESPACE luna:: COMPONENT library
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Luna)
set(luna_system_libraries lz4 zstd)
if(LUNA_RADOS)
  list(APPEND luna_system_libraries rados)
endif()
list(JOIN luna_system_libraries " " luna_system_libraries)
configure_package_config_file(cmake/LunaConfig.cmake.in LunaConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Luna)
write_basic_package_version_file(LunaConfigVersion.cmake COMPATIBILITY SameMinorVersion)
set(private_libraries ${libraries})
list(TRANSFORM private_libraries REPLACE "Threads::Threads" "pthread")
list(TRANSFORM private_libraries REPLACE "^[a-z]+::" "")
list(TRANSFORM private_libraries PREPEND "-l")
list(JOIN private_libraries " " LUNA_PRIVATE_LIBRARIES)
file(RELATIVE_PATH LUNA_PREFIX_FROM_PC /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/luna.pc.in luna.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/LunaConfig.cmake ${PROJECT_BINARY_DIR}/LunaConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Luna COMPONENT library)
install(FILES ${PROJECT_BINARY_DIR}/luna.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT library)
