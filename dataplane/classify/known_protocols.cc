// SPDX-License-Identifier: Apache-2.0
#include "dataplane/classify/known_protocols.h"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "dataplane/classify/names.h"

namespace foreflow::classify {

Result<KnownProtocols> KnownProtocols::find() {
  KnownProtocols known{};
  const std::pair<std::string_view, ProtocolId*> wanted[]{
      {"tls", &known.tls},           {"quic", &known.quic},   {"dtls", &known.dtls},
      {"dns", &known.dns},           {"mdns", &known.mdns},   {"llmnr", &known.llmnr},
      {"http", &known.http},         {"ftp", &known.ftp},     {"ftps", &known.ftps},
      {"ftp_data", &known.ftp_data}, {"sip", &known.sip},     {"rtsp", &known.rtsp},
      {"rtp", &known.rtp},           {"smtp", &known.smtp},   {"smtps", &known.smtps},
      {"imap", &known.imap},         {"imaps", &known.imaps}, {"pop3", &known.pop3},
      {"pops", &known.pops},         {"stun", &known.stun},   {"websocket", &known.websocket},
      {"postgres", &known.postgres}, {"mysql", &known.mysql}, {"mssql", &known.mssql}};
  for (const auto& [name, id] : wanted) {
    const auto given = protocol_names().id_of(name);
    if (!given) return fail(ErrorCode::kExhausted, fmt::format("no id is left for '{}'", name));
    *id = *given;
  }
  const auto tor = app_names().id_of("tor");
  if (!tor) return fail(ErrorCode::kExhausted, "no id is left for 'tor'");
  known.tor = *tor;
  return known;
}

}  // namespace foreflow::classify
