// SPDX-License-Identifier: Apache-2.0
#include "dataplane/telemetry/session.h"

#include <random>
#include <thread>

#include "common/log.h"
#include "common/wire/credentials.h"
#include "common/wire/library_log.h"
#include "dataplane/telemetry/exchange.h"
#include "dataplane/telemetry/manager_link.h"

namespace foreflow::telemetry {
namespace {

std::uint64_t new_boot_id() {
  std::random_device random;
  std::uint64_t id = 0;
  while (id == 0) id = (std::uint64_t{random()} << 32) | random();
  return id;
}

}  // namespace

class Session::Impl {
 public:
  Impl(SessionConfig config, wire::Hello hello, Spool spool, std::function<void()> start_thread)
      : exchange(std::move(spool), std::move(hello)),
        link(std::move(config), exchange),
        spool_thread([this, start_thread] {
          if (start_thread) start_thread();
          exchange.run_spool();
        }),
        link_thread([this, start_thread = std::move(start_thread)] {
          if (start_thread) start_thread();
          link.run();
        }) {}

  ~Impl() {
    exchange.stop();
    link.stop();
    spool_thread.join();
    link_thread.join();
  }

  Exchange exchange;
  ManagerLink link;
  std::thread spool_thread;
  std::thread link_thread;
};

Result<std::unique_ptr<Session>> Session::start(SessionConfig config, wire::Hello hello,
                                                std::function<void()> start_thread) {
  wire::route_library_logs();
  const auto credentials = wire::load_credentials({config.ca, config.certificate, config.key});
  if (!credentials) return tl::unexpected(credentials.error());
  auto spool = Spool::open(config.spool_directory, config.spool_size);
  if (!spool) return tl::unexpected(spool.error());
  if (spool->count() != 0 || spool->damaged() != 0)
    log::info("spool opened", {{"unacknowledged_reports", spool->count()}, {"unreadable_gaps", spool->damaged()}});
  if (hello.boot_id == 0) hello.boot_id = new_boot_id();
  return std::unique_ptr<Session>(new Session(
      std::make_unique<Impl>(std::move(config), std::move(hello), std::move(*spool), std::move(start_thread))));
}

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::~Session() = default;

void Session::update_hello(wire::Hello hello) { impl_->exchange.update_hello(std::move(hello)); }
void Session::publish(wire::Report report) { impl_->exchange.publish(std::move(report)); }
void Session::publish(wire::Applied applied) { impl_->exchange.publish(std::move(applied)); }
void Session::publish(wire::Event event) { impl_->exchange.publish(std::move(event)); }
std::optional<wire::DesiredState> Session::take_desired() { return impl_->exchange.take_desired(); }
bool Session::flush(std::chrono::milliseconds timeout) { return impl_->exchange.flush(timeout); }
bool Session::connected() const { return impl_->exchange.connected(); }
std::string Session::last_error() const { return impl_->exchange.last_error(); }
std::uint64_t Session::dropped_reports() const { return impl_->exchange.dropped_reports(); }
std::uint64_t Session::unacknowledged() const { return impl_->exchange.unacknowledged(); }

}  // namespace foreflow::telemetry
