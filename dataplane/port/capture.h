// SPDX-License-Identifier: Apache-2.0
// Captures that net_pcap ports will replay, looked at before EAL opens them: the driver neither says what is wrong with
// a file nor when it has ended. Place: dataplane/port; reads files with libpcap.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/result.h"
#include "dataplane/config/config.h"

namespace foreflow::port {

// Packets of one file. Error: cannot be read, is not a capture, or its link type is not Ethernet. A file that is cut
// off in its last packet counts up to there, as the driver reads it.
Result<std::uint64_t> count_packets(const std::string& file);

// Packets by port name, for every port whose device reads files (`rx_pcap=`); one entry per file, as each is a receive
// queue of its own.
Result<std::map<std::string, std::vector<std::uint64_t>>> inspect_captures(const config::Config& config);

}  // namespace foreflow::port
