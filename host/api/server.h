// SPDX-License-Identifier: Apache-2.0
// Serves Operations over gRPC with mutual TLS, to certificates that name an operator.
// Place: host/api.
#pragma once
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "common/result.h"
#include "host/api/audit_operations.h"
#include "host/api/operations.h"
#include "host/api/policy_operations.h"

namespace foreflow::api {

struct ApiConfig {
  std::string listen = "127.0.0.1:7444";  // host:port (port 0 = any free) or unix:/path
  std::filesystem::path ca, certificate, key;
  std::vector<std::string> operators{"operator"};  // common names that are let in
  std::chrono::seconds certificate_poll{10};       // replaced files are taken up within this time; replace by rename
};

// Who answers; all outlive the server.
struct Answerers {
  Operations& manager;
  PolicyOperations& policy;
  AuditOperations& audit;
};

class ApiServer {
 public:
  // Errors name the file or the address.
  static Result<std::unique_ptr<ApiServer>> start(const ApiConfig& config, const Answerers& answerers);
  ~ApiServer();  // waits for running calls

  int port() const;  // 0 for a unix socket

 private:
  class Impl;
  explicit ApiServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace foreflow::api
