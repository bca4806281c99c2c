// SPDX-License-Identifier: Apache-2.0
// Ids of the protocols and services that the engine itself has to tell apart, whatever the signature files say of them.
// Place: dataplane/classify.
#pragma once
#include "common/result.h"
#include "dataplane/classify/classifier.h"

namespace foreflow::classify {

struct KnownProtocols {
  ProtocolId tls, quic, dtls, dns, mdns, llmnr, http, ftp, ftp_data, ftps, sip, rtsp, rtp, smtp, smtps, imap, imaps,
      pop3, pops, stun, websocket, postgres, mysql, mssql;
  AppId tor;

  // Error: no ids are left.
  static Result<KnownProtocols> find();
};

}  // namespace foreflow::classify
