// SPDX-License-Identifier: Apache-2.0
// A hypervisor in memory whose connections can be refused or break.
// Place: tests/unit/host.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/guest/hypervisor.h"

namespace foreflow {

struct FakeHost {
  std::vector<guest::Domain> domains;
  std::optional<Error> refusal;  // of every call
  int connections = 0;
  std::function<void()> after_totals;  // what happens once they are read, before the call returns

  Result<std::unique_ptr<guest::Hypervisor>> open();
};

class FakeHypervisor final : public guest::Hypervisor {
 public:
  explicit FakeHypervisor(FakeHost& host) : host_(host) {}
  Result<guest::Node> node() override {
    if (host_.refusal) return tl::unexpected(*host_.refusal);
    return guest::Node{8, Bytes{16'000'000'000}};
  }
  Result<std::vector<guest::Domain>> domains() override {
    if (host_.refusal) return tl::unexpected(*host_.refusal);
    auto domains = host_.domains;
    if (host_.after_totals) host_.after_totals();
    return domains;
  }

 private:
  FakeHost& host_;
};

inline Result<std::unique_ptr<guest::Hypervisor>> FakeHost::open() {
  if (refusal) return tl::unexpected(*refusal);
  ++connections;
  return std::make_unique<FakeHypervisor>(*this);
}

}  // namespace foreflow
