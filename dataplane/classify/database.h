// SPDX-License-Identifier: Apache-2.0
// What a Classifier holds once its signatures are compiled.
// Place: dataplane/classify, private to classifier.cc and inspector.cc. Immutable after load.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/classify/classifier.h"
#include "dataplane/classify/networks.h"
#include "dataplane/classify/port_hints.h"
#include "dataplane/classify/regex.h"
#include "dataplane/classify/services.h"
#include "dataplane/classify/signature.h"

namespace foreflow::classify {

// What a match of one pattern means; its place in Database::rules is the pattern's id in both databases.
struct Rule {
  Validator validator = nullptr;
  ProtocolId protocol = 0;
  Category category = Category::kUnknown;
  std::uint8_t confidence = 0;
  bool twice = false;
  Speaker speaker = Speaker::kEither;
  std::vector<std::uint16_t> ports;
};

struct Classifier::Database {
  std::vector<Rule> rules;
  RegexDatabase tcp;
  RegexDatabase udp;
  // Protocols that an IP protocol number names.
  struct Numbered {
    ProtocolId protocol = 0;
    Category category = Category::kUnknown;
  };
  std::array<Numbered, 256> ip_protocols{};
  PortHints port_hints;
  ServiceTable services;
  NetworkTable networks;
  std::uint64_t version = 0;  // unlike any other of this process
};

}  // namespace foreflow::classify
