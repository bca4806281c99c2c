# SPDX-License-Identifier: Apache-2.0
# The few build functions of this tree. Sources are globbed per folder: a new file needs no edit here.

add_library(foreflow_flags INTERFACE)
target_include_directories(foreflow_flags INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
target_compile_options(foreflow_flags INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wpedantic -Wno-missing-field-initializers)
if(FOREFLOW_WERROR)
  target_compile_options(foreflow_flags INTERFACE -Werror)
endif()
# Packets are read on the oldest CPU that DPDK itself supports; the build machine's own features stay out.
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  target_compile_options(foreflow_flags INTERFACE -march=corei7)
endif()
if(FOREFLOW_SANITIZE)
  add_compile_options(-fsanitize=${FOREFLOW_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${FOREFLOW_SANITIZE})
  if(FOREFLOW_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()
# 128-bit integers are used on purpose.
target_compile_options(foreflow_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-pedantic>)

# foreflow_library(NAME DEPS...): every .cc of the current folder except main.cc and *_main.cc.
function(foreflow_library name)
  foreflow_library_of(${name} ${CMAKE_CURRENT_SOURCE_DIR} ${ARGN})
endfunction()

# foreflow_part(NAME FOLDER DEPS...): the same for a subfolder of the current one.
function(foreflow_part name folder)
  foreflow_library_of(${name} ${CMAKE_CURRENT_SOURCE_DIR}/${folder} ${ARGN})
endfunction()

function(foreflow_library_of name directory)
  file(GLOB sources CONFIGURE_DEPENDS ${directory}/*.cc)
  list(FILTER sources EXCLUDE REGEX "[/_]main\\.cc$")
  if(sources)
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC foreflow_flags ${ARGN})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE foreflow_flags ${ARGN})
  endif()
endfunction()

# foreflow_tests(NAME FOLDER DEPS...): one GoogleTest program from all .cc below tests/FOLDER, one CTest entry per test.
# With `WHOLE` as the first of DEPS the program is one CTest entry (set-up is dear, for example EAL).
function(foreflow_tests name folder)
  cmake_parse_arguments(arg "WHOLE" "" "" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${folder}/*.cc)
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE foreflow_flags ${arg_UNPARSED_ARGUMENTS} GTest::gmock GTest::gtest)
  target_include_directories(${name} PRIVATE ${CMAKE_BINARY_DIR}/generated)
  string(REPLACE "/" "." label ${folder})
  set(environment "")
  if(FOREFLOW_SANITIZE MATCHES "thread")
    # Debian's gRPC and abseil are not instrumented and synchronise by futexes that ThreadSanitizer cannot see.
    set(environment ENVIRONMENT TSAN_OPTIONS=ignore_noninstrumented_modules=1)
  endif()
  if(arg_WHOLE)
    add_test(NAME ${label} COMMAND ${name})
    set_tests_properties(${label} PROPERTIES TIMEOUT 300 ${environment})
  else()
    gtest_discover_tests(${name} TEST_PREFIX "${label}." PROPERTIES TIMEOUT 120 ${environment} DISCOVERY_TIMEOUT 60)
  endif()
endfunction()
