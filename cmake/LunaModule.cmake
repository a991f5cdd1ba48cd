# luna_module(NAME table DEPENDS entry cache storage [LIBRARIES lz4]): one call per room.
# The folder, the target luna_<name>, the alias luna::<name> and the namespace luna::<name> carry
# the same name. Sources and headers of the folder itself are found; sub-folders are rooms of their
# own. Unit tests are found at the mirrored place below tests/unit and become the ctest
# "unit.<name>".

add_library(luna_flags INTERFACE)
target_compile_options(luna_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wno-sign-conversion -Werror
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety -Wno-gnu-statement-expression>
  $<$<CONFIG:Release>:$<IF:$<BOOL:$<TARGET_PROPERTY:LUNA_TEST>>,-O1,-O2> -g1>)
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
    # The release does without: it sees what a file forgot to include.
    if(LUNA_SANITIZE)
      if(NOT TARGET luna_precompiled)
        add_library(luna_precompiled STATIC ${LUNA_EMPTY_UNIT})
        luna_precompile(luna_precompiled)
      endif()
      luna_use_precompiled(${target} luna_precompiled)
    endif()
  endif()
  add_library(luna::${ROOM_NAME} ALIAS ${target})
  target_include_directories(${target} ${scope}
    ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  list(TRANSFORM ROOM_DEPENDS PREPEND luna_)
  target_link_libraries(${target} ${scope}
    ${ROOM_DEPENDS} ${ROOM_LIBRARIES} $<BUILD_INTERFACE:luna_flags>)
  set_property(GLOBAL APPEND PROPERTY LUNA_ROOMS ${ROOM_NAME})
  set_property(GLOBAL APPEND PROPERTY LUNA_HEADERS ${headers})
  # Service and cluster are no part of the library: an embedder needs neither their rooms nor what
  # they link.
  if(NOT CMAKE_CURRENT_SOURCE_DIR MATCHES "/src/(service/|cluster/|runtime/tls$)")
    set_property(GLOBAL APPEND PROPERTY LUNA_EMBEDDED_ROOMS ${ROOM_NAME})
    set_property(GLOBAL APPEND PROPERTY LUNA_LIBRARIES ${ROOM_LIBRARIES})
  endif()
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
  set(worlds luna_memory luna_posix)
  if(place MATCHES "^cluster/")
    list(APPEND worlds luna_simulation)  # several processes and their clocks
  endif()
  luna_test_executable(${target}_test SOURCES ${tests} LIBRARIES ${target} ${worlds})
  add_test(NAME unit.${name} COMMAND ${target}_test --gtest_brief=1)
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 600)
endfunction()

# luna_precompile(NAME [HEADER...]): a precompiled header of the standard library's headers and
# those, for targets of the same kind as NAME. luna_use_precompiled(TARGET NAME): its sources begin
# with it.
function(luna_precompile name)
  target_link_libraries(${name} PRIVATE luna_flags)
  target_compile_options(${name} PRIVATE ${LUNA_CACHEABLE})
  set_target_properties(${name} PROPERTIES LUNA_TEST ON)
  target_precompile_headers(${name} PRIVATE ${ARGN} <algorithm> <array> <atomic> <charconv>
    <cstdint> <deque> <functional> <limits> <map> <memory> <optional> <set> <span> <string>
    <string_view> <utility> <vector>)
endfunction()

function(luna_use_precompiled target name)
  target_compile_options(${target} PRIVATE ${LUNA_CACHEABLE})
  target_precompile_headers(${target} REUSE_FROM ${name})
endfunction()

set(LUNA_EMPTY_UNIT ${PROJECT_BINARY_DIR}/precompiled.cc)
file(CONFIGURE OUTPUT ${LUNA_EMPTY_UNIT} CONTENT "int main() {}\n")
# What ccache wants before it keeps an object that used a precompiled header.
set(LUNA_CACHEABLE $<IF:$<CXX_COMPILER_ID:Clang>,SHELL:-Xclang -fno-pch-timestamp,-fpch-preprocess>)

# luna_test_executable(TARGET SOURCES a_test.cc ... LIBRARIES luna_table ...): GoogleTest's main
# with these tests. What is tested is compiled as always; the tests themselves with -O1 and a shared
# precompiled header, because in them compiling takes longer than running.
function(luna_test_executable target)
  cmake_parse_arguments(TEST "" "" "SOURCES;LIBRARIES" ${ARGN})
  find_package(GTest REQUIRED)
  if(NOT TARGET luna_test_precompiled)
    add_executable(luna_test_precompiled ${LUNA_EMPTY_UNIT})
    target_link_libraries(luna_test_precompiled PRIVATE GTest::gtest)
    luna_precompile(luna_test_precompiled <gtest/gtest.h>)
  endif()
  add_executable(${target} ${TEST_SOURCES})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${target} PRIVATE ${TEST_LIBRARIES} GTest::gtest_main)
  # With -O1 g++ 12 sees overflows in std::string that are not there.
  target_compile_options(${target} PRIVATE
    "$<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds;-Wno-stringop-overflow;-Wno-restrict>")
  set_target_properties(${target} PROPERTIES LUNA_TEST ON)
  luna_use_precompiled(${target} luna_test_precompiled)
endfunction()
