// SPDX-License-Identifier: Apache-2.0
// The one error idiom: a function that can fail returns Result<T>, and its Error says what was wrong, where, and what
// would be right.
// Place: common; used everywhere outside the packet path (hot-path functions return counts or enums).
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace foreflow {

enum class ErrorCode : std::uint8_t {
  kInvalidArgument,  // a value from the caller (command line, request) is wrong
  kInvalidConfig,    // a configuration file is wrong; the message names file, line and key
  kMalformed,        // foreign bytes do not parse (capture, message, line-protocol answer)
  kNotFound,
  kAlreadyExists,
  kUnavailable,  // a peer, device or server does not answer; trying again may help
  kDenied,       // authentication or authorisation failed
  kUnsupported,  // the device or build cannot do it
  kExhausted,    // a table, ring or disk is full
  kIo,           // the operating system refused
  kInternal,
};

std::string_view to_string(ErrorCode code);

struct Error {
  ErrorCode code;
  std::string message;
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

}  // namespace foreflow
