# SPDX-License-Identifier: Apache-2.0
# One libFuzzer program for each tests/fuzz/*_fuzz.cc, and what writes their first corpus: `scripts/fuzz` runs them.
foreach(part foreflow_common foreflow_net foreflow_validate foreflow_classify foreflow_flow foreflow_offline)
  target_compile_options(${part} PRIVATE -fsanitize=fuzzer-no-link)
endforeach()
file(GLOB fuzz_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/*_fuzz.cc)
foreach(source ${fuzz_sources})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE foreflow_offline foreflow_classify foreflow_flow foreflow_net)
  target_include_directories(${name} PRIVATE ${CMAKE_BINARY_DIR}/generated)
  target_compile_options(${name} PRIVATE -fsanitize=fuzzer-no-link)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
endforeach()
add_executable(fuzz_seeds ${CMAKE_SOURCE_DIR}/tests/fuzz/seeds.cc ${CMAKE_SOURCE_DIR}/tests/unit/dataplane/payload_samples.cc
  ${CMAKE_SOURCE_DIR}/tests/unit/dataplane/quic_samples.cc)
target_include_directories(fuzz_seeds PRIVATE ${CMAKE_BINARY_DIR}/generated ${CMAKE_SOURCE_DIR}/tests)
target_link_libraries(fuzz_seeds PRIVATE foreflow_net foreflow_common OpenSSL::Crypto)
# libFuzzer's runtime, without its main.
target_link_options(fuzz_seeds PRIVATE -fsanitize=fuzzer-no-link)
