// SPDX-License-Identifier: Apache-2.0
// Who may ask the gRPC services, how long a name may be, and errors as gRPC says them.
// Place: host/api, for its services. Thread safety: immutable.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "common/result.h"

namespace foreflow::api {

// The common name in the caller's certificate.
std::string caller(const grpc::ServerContext& context);

class Gate {
 public:
  explicit Gate(std::vector<std::string> operators) : operators_(std::move(operators)) {}

  // Answers with what `call` returns, for an operator and a name that is not too long.
  grpc::Status serve(const grpc::ServerContext& context, const std::string& name,
                     const std::function<Status()>& call) const;

 private:
  Status authorise(const grpc::ServerContext& context) const;
  std::vector<std::string> operators_;
};

}  // namespace foreflow::api
