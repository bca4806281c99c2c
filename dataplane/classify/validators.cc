// SPDX-License-Identifier: Apache-2.0
#include "dataplane/classify/validators.h"

#include <algorithm>
#include <array>
#include <utility>

namespace foreflow::classify {
namespace {

constexpr auto kValidators = std::to_array<std::pair<std::string_view, Validator>>({
    {"amqp_frame", validate_amqp_frame},
    {"dns", validate_dns},
    {"dns_tcp", validate_dns_tcp},
    {"http1", validate_http1},
    {"http2_settings", validate_http2_settings},
    {"memcached_binary", validate_memcached_binary},
    {"mongodb", validate_mongodb},
    {"mqtt", validate_mqtt},
    {"mysql_command", validate_mysql_command},
    {"mysql_greeting", validate_mysql_greeting},
    {"mysql_login", validate_mysql_login},
    {"ntp", validate_ntp},
    {"postgres_messages", validate_postgres_messages},
    {"postgres_startup", validate_postgres_startup},
    {"quic_long", validate_quic_long},
    {"rdp", validate_rdp},
    {"resp", validate_resp},
    {"rtcp", validate_rtcp},
    {"rtp_dynamic", validate_rtp_dynamic},
    {"rtp_static", validate_rtp_static},
    {"rtsp_interleaved", validate_rtsp_interleaved},
    {"smb", validate_smb},
    {"stun", validate_stun},
    {"tds_prelogin", validate_tds_prelogin},
    {"tls_handshake", validate_tls_handshake},
    {"tls_records", validate_tls_records},
});

}  // namespace

Validator find_validator(std::string_view name) noexcept {
  const auto* found = std::find_if(kValidators.begin(), kValidators.end(),
                                   [name](const auto& validator) { return validator.first == name; });
  return found == kValidators.end() ? nullptr : found->second;
}

std::vector<std::string> validator_names() {
  std::vector<std::string> names;
  names.reserve(kValidators.size());
  for (const auto& [name, validator] : kValidators) names.emplace_back(name);
  return names;
}

}  // namespace foreflow::classify
