// SPDX-License-Identifier: Apache-2.0
// Validators: bounded arithmetic on a payload that a pattern has matched. They turn a candidate into a verdict.
// Place: dataplane/classify; named by `validate` in signature files. What binds every validator: validate/finding.h.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/classify/validate/finding.h"

namespace foreflow::classify {

// Null when there is none of this name; those of validate/families.h are found too.
Validator find_validator(std::string_view name) noexcept;
std::vector<std::string> validator_names();

// web.cc
Finding validate_http1(net::Octets payload) noexcept;
Finding validate_http2_settings(net::Octets payload) noexcept;
// An HTTP/1 message after which the connection is WebSocket's.
bool is_websocket_handshake(net::Octets payload) noexcept;
// quic.cc
Finding validate_quic_long(net::Octets payload) noexcept;
// tls.cc
Finding validate_tls_handshake(net::Octets payload) noexcept;
Finding validate_tls_records(net::Octets payload) noexcept;
// database_protocols.cc
Finding validate_mysql_greeting(net::Octets payload) noexcept;
Finding validate_mysql_login(net::Octets payload) noexcept;
Finding validate_mysql_command(net::Octets payload) noexcept;
Finding validate_postgres_startup(net::Octets payload) noexcept;
Finding validate_postgres_messages(net::Octets payload) noexcept;
Finding validate_mongodb(net::Octets payload) noexcept;
Finding validate_memcached_binary(net::Octets payload) noexcept;
Finding validate_tds_prelogin(net::Octets payload) noexcept;
// Words of PostgreSQL, MySQL or TDS behind which the connection may go on in TLS.
bool announces_tls(net::Octets payload) noexcept;
// resp.cc
Finding validate_resp(net::Octets payload) noexcept;
// dns.cc
Finding validate_dns(net::Octets payload) noexcept;
Finding validate_dns_tcp(net::Octets payload) noexcept;
Finding validate_llmnr(net::Octets payload) noexcept;
Finding validate_mdns(net::Octets payload) noexcept;
// infrastructure.cc
Finding validate_ntp(net::Octets payload) noexcept;
Finding validate_smb(net::Octets payload) noexcept;
Finding validate_rdp(net::Octets payload) noexcept;
Finding validate_mqtt(net::Octets payload) noexcept;
Finding validate_amqp_frame(net::Octets payload) noexcept;
// media.cc
Finding validate_rtp_static(net::Octets payload) noexcept;
Finding validate_rtp_dynamic(net::Octets payload) noexcept;
Finding validate_rtcp(net::Octets payload) noexcept;
Finding validate_rtsp_interleaved(net::Octets payload) noexcept;
Finding validate_stun(net::Octets payload) noexcept;

}  // namespace foreflow::classify
