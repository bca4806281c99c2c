// SPDX-License-Identifier: Apache-2.0
// What a Classifier holds once its signatures are compiled.
// Place: dataplane/classify, private to Classifier and Inspector. Immutable after load.
#pragma once
#include <array>
#include <bitset>
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

// From this confidence on a match at a fixed place ends the search, unless a port speaks for a protocol among the rest:
// what is looked for anywhere, or goes on without bounds, says no better.
inline constexpr std::uint8_t kEndsSearch = 95;

struct Classifier::Database {
  // What is looked for in one transport's payloads, in two steps: most payloads need the first alone.
  struct Patterns {
    RegexDatabase starts;  // that are sure, at a fixed place and of bounded length
    RegexDatabase rest;
    std::bitset<65'536> hinted;  // ports that protocols among the rest name
  };

  std::vector<Rule> rules;
  Patterns tcp;
  Patterns udp;
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
