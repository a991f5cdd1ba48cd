# luna_module(NAME table DEPENDS entry cache storage [LIBRARIES lz4]): one call per room.
# The folder, the target luna_<name>, the alias luna::<name> and the namespace luna::<name> carry
# the same name. Sources and headers of the folder itself are found; sub-folders are rooms of their
# own. Unit tests are found at the mirrored place below tests/unit and become the ctest
# "unit.<name>".

add_library(luna_flags INTERFACE)
target_compile_options(luna_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wno-sign-conversion -Werror
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety -Wno-gnu-statement-expression>
  $<$<CONFIG:Release>:-O2 -g1>)
# x86-64-v2 is every server of the last fifteen years; better instructions are chosen at run time.
target_compile_options(luna_flags INTERFACE -march=x86-64-v2)
if(LUNA_SANITIZE)
  target_compile_options(luna_flags INTERFACE
    -fsanitize=${LUNA_SANITIZE} -fno-omit-frame-pointer -g1 -fno-sanitize-recover=all)
  target_link_options(luna_flags INTERFACE -fsanitize=${LUNA_SANITIZE})
endif()
if(LUNA_FUZZ)
  target_compile_options(luna_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
find_package(Threads REQUIRED)

function(luna_module)
  cmake_parse_arguments(ROOM "" "NAME" "DEPENDS;LIBRARIES" ${ARGN})
  set(target luna_${ROOM_NAME})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.h)
  if(NOT sources)
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  else()
    add_library(${target} STATIC ${sources})
    set(scope PUBLIC)
  endif()
  add_library(luna::${ROOM_NAME} ALIAS ${target})
  target_include_directories(${target} ${scope}
    ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  list(TRANSFORM ROOM_DEPENDS PREPEND luna_)
  target_link_libraries(${target} ${scope}
    ${ROOM_DEPENDS} ${ROOM_LIBRARIES} $<BUILD_INTERFACE:luna_flags>)
  set_property(GLOBAL APPEND PROPERTY LUNA_ROOMS ${ROOM_NAME})
  set_property(GLOBAL APPEND PROPERTY LUNA_HEADERS ${headers})
  set_property(GLOBAL APPEND PROPERTY LUNA_LIBRARIES ${ROOM_LIBRARIES})
  luna_unit_test(${ROOM_NAME} ${target})
endfunction()

# The mirrored unit tests of a room: every tests/unit/<floor>/<room>/*_test.cc in one executable.
function(luna_unit_test name target)
  if(NOT LUNA_BUILD_TESTS)
    return()
  endif()
  file(RELATIVE_PATH place ${PROJECT_SOURCE_DIR}/src ${CMAKE_CURRENT_SOURCE_DIR})
  file(GLOB tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/unit/${place}/*_test.cc)
  if(NOT tests)
    return()
  endif()
  find_package(GTest REQUIRED)
  add_executable(${target}_test ${tests})
  target_include_directories(${target}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${target}_test PRIVATE ${target} luna_memory luna_posix GTest::gtest_main)
  add_test(NAME unit.${name} COMMAND ${target}_test --gtest_brief=1)
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 600)
endfunction()
