// SPDX-License-Identifier: Apache-2.0
// How `foreflow` ends: codes that scripts may rely on.
// Place: host/cli.
#pragma once
#include <string>

#include <tl/expected.hpp>

#include "common/result.h"

namespace foreflow::cli {

enum class ExitCode : int {
  kDone = 0,
  kFailure = 1,
  kUsage = 2,        // the command line is wrong
  kNotFound = 3,     // no such VM, dataplane, ...
  kUnreachable = 4,  // the manager does not answer
  kDenied = 5,       // one of the two refuses the other's certificate
  kPartial = 6,      // some of several things failed
};

struct Failure {
  ExitCode code = ExitCode::kFailure;
  std::string message;
};

// What a command prints, or why it could not.
using Outcome = tl::expected<std::string, Failure>;

inline tl::unexpected<Failure> usage(std::string message) {
  return tl::unexpected(Failure{ExitCode::kUsage, std::move(message)});
}

// The manager refusing a well-formed request is a failure, not a wrong command line.
inline tl::unexpected<Failure> failure(const Error& error) {
  switch (error.code) {
    case ErrorCode::kNotFound:
      return tl::unexpected(Failure{ExitCode::kNotFound, error.message});
    case ErrorCode::kUnavailable:
      return tl::unexpected(Failure{ExitCode::kUnreachable, error.message});
    case ErrorCode::kDenied:
      return tl::unexpected(Failure{ExitCode::kDenied, error.message});
    default:
      return tl::unexpected(Failure{ExitCode::kFailure, error.message});
  }
}

}  // namespace foreflow::cli
