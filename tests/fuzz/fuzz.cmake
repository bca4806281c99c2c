# SPDX-License-Identifier: Apache-2.0
# One libFuzzer program for each tests/fuzz/*_fuzz.cc: `build/fuzz/bin/payload_fuzz -max_total_time=60 CORPUS_DIRECTORY`.
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
