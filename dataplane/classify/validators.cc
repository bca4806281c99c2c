// SPDX-License-Identifier: Apache-2.0
#include "dataplane/classify/validators.h"

#include <algorithm>
#include <array>
#include <utility>

#include "dataplane/classify/validate/families.h"

namespace foreflow::classify {
namespace {

constexpr auto kValidators = std::to_array<std::pair<std::string_view, Validator>>({
    {"amqp_frame", validate_amqp_frame},
    {"dns", validate_dns},
    {"dns_tcp", validate_dns_tcp},
    {"http1", validate_http1},
    {"http2_settings", validate_http2_settings},
    {"llmnr", validate_llmnr},
    {"mdns", validate_mdns},
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

constexpr auto kFamilies = std::to_array(
    {validate::ber, validate::building, validate::calls, validate::games, validate::http, validate::industrial,
     validate::management, validate::messaging, validate::monitoring, validate::peers, validate::remote,
     validate::routing, validate::storage, validate::stores, validate::tunnels, validate::vpn});

// Calls visit(name, validator) for every one.
template <typename Visit>
void each(Visit&& visit) {
  for (const auto& [name, validator] : kValidators) visit(name, validator);
  for (const auto& family : kFamilies)
    for (const auto& [name, validator] : family()) visit(name, validator);
}

}  // namespace

Validator find_validator(std::string_view name) noexcept {
  Validator found = nullptr;
  each([&](std::string_view known, Validator validator) {
    if (known == name) found = validator;
  });
  return found;
}

std::vector<std::string> validator_names() {
  std::vector<std::string> names;
  each([&names](std::string_view name, Validator) { names.emplace_back(name); });
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace foreflow::classify
