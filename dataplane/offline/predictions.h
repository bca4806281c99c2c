// SPDX-License-Identifier: Apache-2.0
// Writes flows as tab-separated rows: file, proto, ip_a, port_a, ip_b, port_b, protocol, category, app, confidence,
// source, packets_inspected.
// Place: dataplane/offline.
#pragma once
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "common/result.h"
#include "dataplane/offline/flow_book.h"

namespace foreflow::offline {

class Predictions {
 public:
  // "-": standard output. `is_verbose`: behaviour, fingerprint and ech follow as further columns.
  static Result<Predictions> create(const std::string& file, bool is_verbose = false);

  // `hello`: of the flow's client; null when none was seen.
  void add(std::string_view capture, const Flow& flow, const classify::HelloEvidence* hello,
           const classify::Classifier& classifier);
  // Error: something could not be written.
  Status finish();

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept;
  };

  Predictions(std::FILE* file, std::string name, bool is_verbose)
      : file_(file), name_(std::move(name)), is_verbose_(is_verbose) {}

  void write_rows();

  std::unique_ptr<std::FILE, Close> file_;
  fmt::memory_buffer rows_;  // not written yet
  std::string name_;
  bool is_verbose_;
};

}  // namespace foreflow::offline
