// SPDX-License-Identifier: Apache-2.0
#include "host/guest/libvirt/event_loop.h"

#include <stop_token>
#include <thread>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "host/guest/libvirt/last_error.h"

namespace foreflow::guest {
namespace {

constexpr int kWakeMillis = 200;  // so that the thread sees the end of the process

class EventLoop {
 public:
  EventLoop() {
    // Errors come back from the calls; libvirt would print them besides.
    virSetErrorFunc(nullptr, [](void*, virErrorPtr) {});
    if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0) {
      started_ = tl::unexpected(last_error("libvirt"));
      return;
    }
    virEventAddTimeout(
        kWakeMillis, [](int, void*) {}, nullptr, nullptr);
    thread_ = std::jthread([](const std::stop_token& stop) {
      while (!stop.stop_requested())
        if (virEventRunDefaultImpl() < 0) std::this_thread::yield();
    });
  }
  const Status& started() const { return started_; }

 private:
  Status started_;
  std::jthread thread_;
};

}  // namespace

Status ensure_event_loop() {
  static EventLoop loop;
  return loop.started();
}

}  // namespace foreflow::guest
