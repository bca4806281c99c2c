// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/hypervisor/libvirt_hosts.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/guest/hypervisor.h"
#include "support/source_paths.h"
#include "tests/support/temporary_directory.h"

namespace foreflow::test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

std::string domain_xml(const std::string& type, const std::string& devices) {
  return fmt::format(
      "<domain type='{}'><name>guest-web</name><uuid>{}</uuid><memory>131072</memory><vcpu current='1'>2</vcpu>"
      "<os><type arch='x86_64'>hvm</type></os><devices>{}</devices></domain>",
      type, kDomain, devices);
}

class TestDriver final : public LibvirtHost {
 public:
  TestDriver() {
    std::ofstream(file()) << "<node><cpu><mhz>2000</mhz><model>i686</model><active>8</active><nodes>1</nodes>"
                             "<sockets>1</sockets><cores>8</cores><threads>1</threads></cpu><memory>8388608</memory>"
                          << domain_xml("test",
                                        "<interface type='bridge'><mac address='52:54:00:00:00:01'/>"
                                        "<source bridge='br0'/></interface><memballoon model='virtio'/>")
                          << "</node>";
  }
  std::string uri() const override { return "test://" + file().string(); }

 private:
  fs::path file() const { return folder_ / "node.xml"; }
  TemporaryDirectory folder_;
};

pid_t spawn(const std::vector<std::string>& command, const fs::path& output) {
  const auto child = ::fork();
  if (child != 0) return child;
  if (std::freopen(output.c_str(), "w", stdout) == nullptr || ::dup2(STDOUT_FILENO, STDERR_FILENO) < 0) ::_exit(126);
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));  // NOLINT: exec's signature
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

class Qemu final : public LibvirtHost {
 public:
  Qemu() : child_(spawn({FOREFLOW_SOURCE_DIR "/tests/support/private_libvirtd", path()}, folder_ / "output")) {}
  ~Qemu() override {
    virsh({"destroy", kDomain});  // takes its cgroup away, which would outlive the process
    ::kill(child_, SIGKILL);      // and with it all that it started; unshare heeds nothing less
    ::waitpid(child_, nullptr, 0);
  }
  std::string uri() const override { return "qemu:///system?socket=" + path() + "/run/libvirt-sock"; }

  Status start_domain() const {
    for (int i = 0; i < 1'200 && !guest::open_hypervisor(uri()); ++i) std::this_thread::sleep_for(50ms);
    const auto xml = folder_ / "domain.xml";
    std::ofstream(xml) << domain_xml("qemu",
                                     "<emulator>/usr/bin/qemu-system-x86_64</emulator>"
                                     "<memballoon model='virtio'><stats period='2'/></memballoon>");
    if (virsh({"create", xml.string()}) == 0) return {};
    std::ifstream virsh(folder_ / "virsh");
    std::ifstream daemon(folder_ / "output");
    return fail(ErrorCode::kUnavailable, std::string(std::istreambuf_iterator<char>(virsh), {}) +
                                             std::string(std::istreambuf_iterator<char>(daemon), {}));
  }

 private:
  int virsh(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"virsh", "-c", uri()});
    int status = -1;
    ::waitpid(spawn(arguments, folder_ / "virsh"), &status, 0);
    return status;
  }
  std::string path() const { return folder_.path().string(); }
  TemporaryDirectory folder_;
  pid_t child_;
};

bool can_be_run(const std::string& program) {
  const auto* path = std::getenv("PATH");
  std::string folders = path == nullptr ? "" : path;
  for (std::size_t at = 0; at < folders.size();) {
    const auto end = std::min(folders.find(':', at), folders.size());
    if (::access((fs::path(folders.substr(at, end - at)) / program).c_str(), X_OK) == 0) return true;
    at = end + 1;
  }
  return false;
}

Status can_run_qemu() {
  for (const auto* program : {"libvirtd", "virsh", "qemu-system-x86_64", "unshare"})
    if (!can_be_run(program))
      return fail(ErrorCode::kUnsupported,
                  fmt::format("no {} here; scripts/install-deps installs what this needs", program));
  if (::geteuid() != 0) return fail(ErrorCode::kUnsupported, "a libvirtd of one's own needs root");
  return {};
}

}  // namespace

std::string name_of(HostKind kind) { return kind == HostKind::kTestDriver ? "TestDriver" : "Qemu"; }

Result<std::unique_ptr<LibvirtHost>> start_host(HostKind kind) {
  if (const auto probe = guest::open_hypervisor("test:///default");
      !probe && probe.error().code == ErrorCode::kUnsupported)
    return tl::unexpected(probe.error());
  if (kind == HostKind::kTestDriver) return std::make_unique<TestDriver>();
  if (auto can = can_run_qemu(); !can) return tl::unexpected(can.error());
  auto host = std::make_unique<Qemu>();
  if (auto started = host->start_domain(); !started) return tl::unexpected(started.error());
  return host;
}

}  // namespace foreflow::test
