// SPDX-License-Identifier: Apache-2.0
// EAL's telemetry socket, asked as its own script asks it.
#include "dataplane/pipeline/box_commands.h"

#include <stdexcept>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rte_eal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/contract/pipeline/testbed.h"

namespace foreflow::pipeline {
namespace {

using testing::HasSubstr;
using testing::Not;

class Socket {
 public:
  Socket() : file_(socket(AF_UNIX, SOCK_SEQPACKET, 0)) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = ""};
    const auto path = std::string(rte_eal_get_runtime_dir()) + "/dpdk_telemetry.v2";
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    if (connect(file_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
      throw std::runtime_error("cannot connect to " + path);
    receive();  // the greeting
  }
  ~Socket() { close(file_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  std::string ask(const std::string& command) {
    if (send(file_, command.data(), command.size(), 0) < 0) throw std::runtime_error("send");
    return receive();
  }

 private:
  std::string receive() {
    std::string answer(16'384, '\0');
    const auto size = recv(file_, answer.data(), answer.size(), 0);
    if (size < 0) throw std::runtime_error("receive");
    answer.resize(static_cast<std::size_t>(size));
    return answer;
  }
  int file_;
};

class OnTheBox : public testing::Test {
 protected:
  OnTheBox() : bed_(2, {{"vm-a"}, {"vm-b"}, {"uplink", config::PortRole::kUplink}}) {
    wire::DesiredState desired;
    desired.vms = {{VmId{1}, "web", {{"vm-a", mac(1), Segment{0}}}}, {VmId{2}, "db", {{"vm-b", mac(2), Segment{0}}}}};
    bed_.apply(desired);
    bed_.report();
    for (int i = 0; i < 3; ++i) bed_.put("vm-a", 0, make_frame({.source = mac(1), .destination = mac(2), .size = 100}));
    bed_.put("vm-b", 0, make_frame({.source = mac(7), .destination = mac(1)}));
    bed_.put("vm-b", 0, make_frame({.source = mac(2), .destination = mac(9), .vlan = 5}));
    bed_.run();
    auto report = bed_.report();
    report.top_flows = {{VmId{1},
                         "10.0.0.1:1000",
                         "10.0.0.2:2000",
                         "udp",
                         "dns",
                         {},
                         "say \"hi\"",
                         90,
                         {300, 7},
                         4,
                         "name",
                         "-",
                         "t13d1516h2_8daaf6152771_e5627efa2ab1",
                         true}};
    commands_.show(make_box_view(bed_.engine(), bed_.configurator(), report));
  }
  Testbed bed_;
  BoxCommands commands_;
  Socket socket_;
};

TEST_F(OnTheBox, VmsAreListedFromAnIdOn) {
  EXPECT_EQ(socket_.ask("/foreflow/vms"), R"({"/foreflow/vms":{"1":"web","2":"db"}})");
  EXPECT_EQ(socket_.ask("/foreflow/vms,2"), R"({"/foreflow/vms":{"2":"db"}})");
}

TEST_F(OnTheBox, AVmShowsWhereItIsAndWhatItDid) {
  const auto shown = socket_.ask("/foreflow/vm,1");
  EXPECT_THAT(shown, HasSubstr(R"("name":"web")"));
  EXPECT_THAT(shown, HasSubstr(R"("attachments":{"0":{"port":"vm-a","mac":"52:54:00:00:00:01","segment":0}})"));
  EXPECT_THAT(shown, HasSubstr(R"("egress":{"offered_packets":3,"offered_bytes":300,"passed_packets":3)"));
  EXPECT_THAT(socket_.ask("/foreflow/vm,2"), HasSubstr(R"("drops":{"spoof":2})"));
}

TEST_F(OnTheBox, AnUnknownVmIsAnEmptyAnswer) {
  EXPECT_EQ(socket_.ask("/foreflow/vm,77"), R"({"/foreflow/vm":null})");
  EXPECT_EQ(socket_.ask("/foreflow/vm,web"), R"({"/foreflow/vm":null})");
}

TEST_F(OnTheBox, PortsShowTheLastInterval) {
  const auto shown = socket_.ask("/foreflow/ports");
  EXPECT_THAT(shown, HasSubstr(R"("name":"vm-a")"));
  EXPECT_THAT(shown, HasSubstr(R"("role":"uplink")"));
  EXPECT_THAT(shown, HasSubstr(R"("unattributed_packets":0)"));
}

TEST_F(OnTheBox, WorkersShareTheVms) {
  const auto shown = socket_.ask("/foreflow/workers");
  EXPECT_THAT(shown, HasSubstr(R"("0":{"vms":1)"));
  EXPECT_THAT(shown, HasSubstr(R"("1":{"vms":1)"));
}

TEST_F(OnTheBox, FlowsAreThoseOfAllOrOfOneVm) {
  EXPECT_THAT(
      socket_.ask("/foreflow/flows"),
      HasSubstr(R"("app":"say \"hi\"","category":"unknown","confidence":90,"source":"name","behaviour":"-",)"
                R"("fingerprint":"t13d1516h2_8daaf6152771_e5627efa2ab1","encrypted_hello":1,"egress_bytes":300)"));
  EXPECT_EQ(socket_.ask("/foreflow/flows,2"), R"({"/foreflow/flows":{}})");
}

TEST_F(OnTheBox, DropsHaveTheirCauses) {
  EXPECT_THAT(socket_.ask("/foreflow/drops"), HasSubstr(R"("spoof":)"));
  EXPECT_THAT(socket_.ask("/foreflow/drops"), Not(HasSubstr("policed")));
}

}  // namespace
}  // namespace foreflow::pipeline
