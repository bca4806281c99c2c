// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <iostream>

#include "host/cli/cli.h"

int main(int argc, char** argv) {
  const auto environment = [](const std::string& name) -> std::string {
    const char* value = std::getenv(name.c_str());
    return value ? value : "";
  };
  const auto code = foreflow::cli::run({argv + 1, argv + argc}, environment, std::cout, std::cerr);
  return static_cast<int>(code);
}
