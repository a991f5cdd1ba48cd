# Installs BUILD's library below PLACE, builds SOURCE against it with COMPILER, runs it twice.
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status
                  OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}: ${status}\n${output}")
  endif()
endfunction()

set(prefix ${PLACE}/prefix)
set(build ${PLACE}/${COMPILER})
file(REMOVE_RECURSE ${prefix} ${build})
run(${CMAKE_COMMAND} --build ${BUILD} --target luna_all --parallel 2)
run(${CMAKE_COMMAND} --install ${BUILD} --component library --prefix ${prefix})
run(${CMAKE_COMMAND} -S ${SOURCE} -B ${build} -G Ninja -DCMAKE_CXX_COMPILER=${COMPILER}
  -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH=${prefix})
run(${CMAKE_COMMAND} --build ${build})
run(${build}/luna_example ${build}/universe)
run(${build}/luna_example ${build}/universe)
message("the installed library works with ${COMPILER}")
