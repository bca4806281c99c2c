// SPDX-License-Identifier: Apache-2.0
#include "host/app/guest_reader.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "common/log.h"
#include "host/guest/identity.h"
#include "host/store/guest_points.h"

namespace foreflow::app {
namespace {

constexpr std::uint64_t kLongestDelayNs = 60 * kNanosPerSecond;

}  // namespace

GuestReader::GuestReader(model::Hypervisor settings, Parts parts, Hooks hooks)
    : settings_(std::move(settings)), parts_(parts), hooks_(std::move(hooks)) {}

std::uint64_t GuestReader::step() {
  if (const auto done = read(); !done) return failed(done.error());
  if (failures_in_a_row_ != 0 || live_.reads == 1)
    log::info("hypervisor is read", {{"host", settings_.host}, {"uri", settings_.uri}, {"domains", live_.domains}});
  failures_in_a_row_ = 0;
  return settings_.period_ns;
}

Status GuestReader::connect() {
  auto opened = hooks_.open(settings_.uri);
  if (!opened) return tl::unexpected(opened.error());
  const auto node = (*opened)->node();
  if (!node) return tl::unexpected(node.error());
  connection_ = std::move(*opened);
  live_.cpus = node->cpus;
  live_.memory = node->memory;
  return {};
}

Status GuestReader::read() {
  if (!connection_)
    if (auto connected = connect(); !connected) return connected;
  // The totals are read first; what else a reading asks for may take long, at the first of a domain above all.
  const auto now = parts_.clock.now();
  const auto domains = connection_->domains();
  if (!domains) return tl::unexpected(domains.error());
  take(*domains, now);
  live_.connected = true;
  live_.error.clear();
  live_.last_read = now;
  ++live_.reads;
  live_.resets = sampler_.resets();
  parts_.view.on_hypervisor(settings_.host, live_);
  return {};
}

// A failure that lasts is one line of log.
std::uint64_t GuestReader::failed(const Error& error) {
  connection_.reset();
  if (live_.error != error.message)
    log::warning("hypervisor is not read", {{"host", settings_.host}, {"reason", error.message}});
  live_.connected = false;
  live_.error = error.message;
  ++live_.failures;
  parts_.view.on_hypervisor(settings_.host, live_);
  const auto doublings = std::min<std::uint64_t>(failures_in_a_row_++, 6);
  return std::min(kNanosPerSecond << doublings, kLongestDelayNs);
}

void GuestReader::take(const std::vector<guest::Domain>& domains, UnixNanos now) {
  const auto roster = parts_.rosters.current();
  const auto identified = guest::identify(roster->fleet(), settings_.host, domains);
  std::vector<store::Point> points;
  for (const auto& [domain, vm] : identified.pairs) {
    const auto sample = sampler_.observe(*domain, vm->id, now);
    if (!sample) continue;
    parts_.view.on_guest({domain->name, domain->uuid, *sample});
    hooks_.sampled(*sample);
    points.push_back(store::guest_point(*sample, {settings_.host, vm->dataplane, vm->name}));
  }
  hooks_.read({*roster, {live_.cpus, live_.memory}, now, domains, identified.pairs});
  sampler_.retain(domains);
  live_.domains = domains.size();
  live_.unknown = identified.unknown;
  live_.conflicts = identified.conflicts;
  keep(std::move(points));
}

// What the store does not take now it gets with the next reading.
void GuestReader::keep(std::vector<store::Point> points) {
  waiting_.insert(waiting_.end(), std::make_move_iterator(points.begin()), std::make_move_iterator(points.end()));
  if (waiting_.empty()) return;
  const auto stored = parts_.store.append(waiting_, std::nullopt);
  if (stored) {
    hooks_.stored(waiting_);
    waiting_.clear();
    return;
  }
  const bool hopeless = stored.error().code == ErrorCode::kMalformed;
  const auto lost = hopeless ? waiting_.size() : waiting_.size() - std::min(waiting_.size(), kMostWaiting);
  if (lost != 0)
    log::error("readings of a hypervisor are lost",
               {{"host", settings_.host}, {"points", lost}, {"reason", stored.error().message}});
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(lost));
  live_.lost_points += lost;
}

void GuestReader::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) wake.wait_for(lock, stop, std::chrono::nanoseconds(step()), [] { return false; });
  });
}

}  // namespace foreflow::app
