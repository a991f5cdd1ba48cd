# What tests and luna-simulate share: models, checkers, script runner; and the workloads.
if(TARGET luna_test_support)
  return()
endif()
set(tests_root ${CMAKE_CURRENT_LIST_DIR}/..)
file(GLOB support_sources CONFIGURE_DEPENDS ${tests_root}/support/*.cc)
add_library(luna_test_support STATIC ${support_sources})
target_include_directories(luna_test_support PUBLIC ${tests_root})
target_link_libraries(luna_test_support PUBLIC luna_universe luna_simulation luna_memory luna_posix)

file(GLOB workload_sources CONFIGURE_DEPENDS
  ${tests_root}/model/*.cc ${tests_root}/crash/*.cc ${tests_root}/simulation/*.cc)
list(FILTER workload_sources EXCLUDE REGEX "_test\\.cc$")
add_library(luna_test_workloads STATIC ${workload_sources})
target_link_libraries(luna_test_workloads PUBLIC luna_test_support)

# Tablet groups on a simulated store.
file(GLOB group_sources CONFIGURE_DEPENDS ${tests_root}/group/*.cc)
list(FILTER group_sources EXCLUDE REGEX "_test\\.cc$")
add_library(luna_group_world STATIC ${group_sources})
target_link_libraries(luna_group_world PUBLIC
  luna_test_support luna_replica luna_universe luna_follower luna_sim_kernel)
