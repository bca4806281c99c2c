// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/bypasser.h"

#include <algorithm>

#include "common/log.h"

namespace foreflow::pipeline {
namespace {

// What the VM sends of this flow.
offload::HeaderMatch headers_of(const flow::FlowKey& key) {
  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const bool four = std::equal(kMapped.begin(), kMapped.end(), key.local.bytes.begin());
  offload::HeaderMatch headers{.ip_version = static_cast<std::uint8_t>(four ? 4 : 6), .protocol = key.protocol};
  const auto skip = four ? kMapped.size() : 0;
  std::copy(key.local.bytes.begin() + static_cast<std::ptrdiff_t>(skip), key.local.bytes.end(), headers.source.begin());
  std::copy(key.remote.bytes.begin() + static_cast<std::ptrdiff_t>(skip), key.remote.bytes.end(),
            headers.destination.begin());
  headers.source_prefix = headers.destination_prefix = four ? 32 : 128;
  headers.source_port = key.local_port;
  headers.destination_port = key.remote_port;
  headers.within_connection = key.protocol == net::kTcp;
  return headers;
}

}  // namespace

void Bypasser::turn(offload::FlowOffload* device, std::uint64_t now_ns, const Permission& permitted) {
  for (std::size_t worker = 0; worker < desks_.size(); ++worker) {
    for (std::size_t count = 0; count < kMostPerTurn; ++count) {
      const auto request = desks_[worker]->requests.pop();
      if (!request) break;
      if (request->back || permitted(*request))
        answer(device, worker, *request, now_ns);
      else
        refuse(worker, *request, now_ns);
    }
  }
  // What was refused may be offered again.
  while (!refused_.empty() && refused_.front().again_ns <= now_ns) {
    const auto& [request, worker, again_ns] = refused_.front();
    unsent_[worker].push_back({.key = request.key, .vm = request.vm, .category = request.category, .ended = true});
    refused_.pop_front();
  }
  if (device != nullptr && now_ns - read_ns_ >= kReadEvery) {
    read_ns_ = now_ns;
    read(*device);
  }
  send_credits();
}

void Bypasser::answer(offload::FlowOffload* device, std::size_t worker, const BypassRequest& request,
                      std::uint64_t now_ns) {
  const auto known = carried_.find(request.key);
  if (request.back) {
    if (known != carried_.end() && device != nullptr && take_back(*device, known->second)) carried_.erase(known);
  } else if (known == carried_.end() && device != nullptr) {
    give(*device, worker, request, now_ns);
  }
}

void Bypasser::give(offload::FlowOffload& device, std::size_t worker, const BypassRequest& request,
                    std::uint64_t now_ns) {
  const auto handle = device.give({.vm_port = request.vm_port,
                                   .uplink_port = request.uplink_port,
                                   .vm_mac = request.vm_mac,
                                   .next_hop = request.next_hop,
                                   .headers = headers_of(request.key),
                                   .idle_seconds = request.idle_seconds});
  if (handle) {
    carried_.emplace(request.key, Carried{request, worker, *handle, {}});
    return;
  }
  log::debug("a flow stays in the pipeline", {{"vm", request.vm.value}, {"reason", handle.error().message}});
  refuse(worker, request, now_ns);
}

// The pipeline goes on with the flow and asks again later.
void Bypasser::refuse(std::size_t worker, const BypassRequest& request, std::uint64_t now_ns) {
  refused_.push_back({request, worker, now_ns + kTryAgainAfter});
}

void Bypasser::read(offload::FlowOffload& device) {
  for (auto flow = carried_.begin(); flow != carried_.end();) {
    const auto counts = device.read(flow->second.handle);
    const bool lost = !counts && counts.error().code == ErrorCode::kNotFound;
    if (lost || (counts && counts->idle)) {
      flow = take_back(device, flow->second) ? carried_.erase(flow) : std::next(flow);
      continue;
    }
    if (counts) book(flow->second, *counts, false);
    ++flow;
  }
  send_credits();
}

void Bypasser::retain(offload::FlowOffload& device, const Permission& permitted) {
  for (auto flow = carried_.begin(); flow != carried_.end();) {
    const bool goes = !permitted(flow->second.request) && take_back(device, flow->second);
    flow = goes ? carried_.erase(flow) : std::next(flow);
  }
  send_credits();
}

bool Bypasser::take_back(offload::FlowOffload& device, Carried& flow) {
  const auto counts = device.take_back(flow.handle);
  if (counts) {
    book(flow, *counts, true);
    return true;
  }
  if (counts.error().code == ErrorCode::kNotFound) {
    book(flow, flow.booked, true);  // what it carried since the last read, nobody knows
    return true;
  }
  log::warning("the device keeps a flow that is wanted back", {{"reason", counts.error().message}});
  return false;
}

void Bypasser::book(Carried& flow, const offload::FlowCounts& counts, bool ended) {
  BypassCredit credit{
      .key = flow.request.key, .vm = flow.request.vm, .category = flow.request.category, .ended = ended};
  for (std::size_t at = 0; at < kDirections; ++at) {
    credit.packets[at] = counts.tallies[at].packets - flow.booked.tallies[at].packets;
    credit.bytes[at] = counts.tallies[at].bytes - flow.booked.tallies[at].bytes;
  }
  flow.booked = counts;
  const bool something = credit.packets[0] != 0 || credit.packets[1] != 0;
  if (something || ended) unsent_[flow.worker].push_back(credit);
}

void Bypasser::send_credits() {
  for (std::size_t worker = 0; worker < desks_.size(); ++worker) {
    auto& waiting = unsent_[worker];
    while (!waiting.empty() && desks_[worker]->credits.push(waiting.front())) waiting.pop_front();
  }
}

}  // namespace foreflow::pipeline
