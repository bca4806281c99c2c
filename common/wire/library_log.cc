// SPDX-License-Identifier: Apache-2.0
#include "common/wire/library_log.h"

#include <atomic>
#include <chrono>
#include <mutex>

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>

#include "common/log.h"

namespace foreflow::wire {
namespace {

constexpr std::uint32_t kLinesPerSecond = 5;

// One more line in this second? Racing callers may pass a line too many; nothing depends on it.
bool allowed() {
  static std::atomic<std::int64_t> second{0};
  static std::atomic<std::uint32_t> lines{0};
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
  if (second.exchange(now, std::memory_order_relaxed) != now) lines.store(0, std::memory_order_relaxed);
  return lines.fetch_add(1, std::memory_order_relaxed) < kLinesPerSecond;
}

// TLS does not say whose fault a failed handshake is.
std::string_view hint(std::string_view message) {
  if (message.find("certificate verify failed") != message.npos)
    return "the peer's certificate has expired or is not signed by our CA";
  if (message.find("peer did not return a certificate") != message.npos)
    return "the peer sent no certificate, mutual TLS needs one";
  if (message.find("alert") != message.npos) return "the peer refused our certificate";
  if (message.find("Handshake failed") != message.npos) return "the peer does not speak TLS as expected";
  return "-";
}

void on_grpc_log(gpr_log_func_args* line) {
  if (allowed()) log::warning(line->message, {{"library", "grpc"}, {"hint", hint(line->message)}});
}

void on_protobuf_log(google::protobuf::LogLevel, const char*, int, const std::string& message) {
  if (allowed()) log::warning(message, {{"library", "protobuf"}});
}

}  // namespace

void route_library_logs() {
  static std::once_flag once;
  std::call_once(once, [] {
    gpr_set_log_function(on_grpc_log);
    google::protobuf::SetLogHandler(on_protobuf_log);
  });
}

}  // namespace foreflow::wire
