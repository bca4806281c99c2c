// SPDX-License-Identifier: Apache-2.0
#include "host/audit/entry.h"

#include <fmt/format.h>

namespace foreflow::audit {
namespace {

constexpr double kOneCpu = 1e6;

std::string cpus(BytesPerSecond micros) {
  return micros == kUnlimited ? "unlimited" : fmt::format("{:.2f} CPUs", static_cast<double>(micros.value) / kOneCpu);
}

std::string memory(BytesPerSecond bytes) {
  return bytes == kUnlimited ? "unlimited" : format_bytes(Bytes{bytes.value});
}

}  // namespace

std::string_view to_string(Subject subject) {
  switch (subject) {
    case Subject::kCpu:
      return "CPU";
    case Subject::kMemory:
      return "memory";
    case Subject::kEgress:
      return "egress";
    case Subject::kIngress:
      return "ingress";
  }
  return "";
}

allocate::AmountText text_of(Subject subject) {
  switch (subject) {
    case Subject::kCpu:
      return cpus;
    case Subject::kMemory:
      return memory;
    case Subject::kEgress:
    case Subject::kIngress:
      break;
  }
  return format_rate;
}

}  // namespace foreflow::audit
