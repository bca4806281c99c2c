// SPDX-License-Identifier: Apache-2.0
// Control connections that announce where their data will flow: FTP (RFC 959, RFC 2428), SIP and RTSP by SDP (RFC 8866)
// and RTSP's Transport header (RFC 7826, 18.54).
// Place: dataplane/classify.
#pragma once
#include <array>
#include <cstdint>

#include "dataplane/net/octets.h"
#include "dataplane/net/parse.h"

namespace foreflow::classify {

struct Channel {
  net::IpAddress address;
  bool has_address = false;  // otherwise the address of one of the two that talk
  std::uint16_t port = 0;
};

struct Channels {
  static constexpr std::size_t kMost = 8;
  std::array<Channel, kMost> all;
  std::size_t count = 0;
  void add(const Channel& channel) noexcept {
    if (channel.port != 0 && count < kMost) all[count++] = channel;
  }
};

// PORT, EPRT and the replies to PASV and EPSV.
Channels read_ftp_announcement(net::Octets payload) noexcept;
// Media lines of SDP, with the connection line that holds for them; Transport headers. RTCP is one port above.
Channels read_media_announcement(net::Octets payload) noexcept;

}  // namespace foreflow::classify
