// SPDX-License-Identifier: Apache-2.0
// Names the application of a flow from its first payloads: Hyperscan finds candidates, validators confirm them.
// Place: dataplane/classify; workers of the dataplane and foreflow-classify.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "common/category.h"
#include "common/result.h"
#include "dataplane/classify/services.h"
#include "dataplane/net/parse.h"

namespace foreflow::classify {

// Dense ids, stable for the life of the process also across reloads: one process-wide list of names that only grows.
// 0 = unknown.
using ProtocolId = std::uint16_t;
using AppId = std::uint16_t;

// What a verdict rests on. kName: a host name in the payload; kCached: what was learned of the same end before;
// kNetwork: an address that belongs to one service.
enum class Source : std::uint8_t { kNone, kPayload, kName, kPort, kCached, kBehaviour, kNetwork };

std::string_view to_string(Source source) noexcept;  // "payload", "name", ...; "-" for none

// What kind of traffic it looks like, where nothing better is known (behaviour.h).
enum class Behaviour : std::uint8_t {
  kNone,
  kInteractive,
  kBulk,
  kStreaming,
  kRealTime,
  kRequestResponse,
  kBeacon,
  kScan  // a connection was asked for, and nothing was ever said
};

struct Verdict {
  ProtocolId protocol = 0;
  AppId app = 0;
  Category category = Category::kUnknown;
  std::uint8_t confidence = 0;  // percent
  Source source = Source::kNone;
  // Not 0: seen for the first time of a protocol that one payload cannot prove (RTP with a dynamic type). The caller
  // may keep it with the flow and hand it back with the next payload; `protocol` is 0 until then.
  ProtocolId suspected = 0;
  bool has_name = false;                   // the payload stated a host name, of a known service or not
  bool has_encrypted_hello = false;        // TLS: what the client asks for is encrypted (ECH), the name a front
  Behaviour behaviour = Behaviour::kNone;  // none where the payload said what it is
};

// Who sent a payload, where that is known: the client opened the connection.
enum class Sender : std::uint8_t { kUnknown, kClient, kServer };

struct FirstPayload {
  std::span<const std::uint8_t> bytes;
  std::uint8_t ip_protocol = 0;   // one other than TCP and UDP may name the protocol by itself
  std::uint16_t source_port = 0;  // hints only
  std::uint16_t destination_port = 0;
  ProtocolId suspected = 0;  // of the verdict on the flow's previous payload
  Sender sender = Sender::kUnknown;
  std::uint32_t whole_size = 0;  // of the payload on the wire, where `bytes` are less (a capture's snap length)
};

// The compiled signatures. Immutable; any number of workers.
class Classifier {
 public:
  // Reads every `*.toml` of `directory`: `services*.toml` and `networks*.toml` are tables of services by name and
  // by address, each other file holds signatures of one category. Errors name file, line and pattern.
  // `cache`: a directory for compiled patterns, used by later loads of the same signatures; empty: none.
  static Result<std::unique_ptr<const Classifier>> load(const std::filesystem::path& directory,
                                                        const std::filesystem::path& cache = {});
  ~Classifier();

  // Also of ids that an earlier or later load gave. Views stay valid. Not for the packet path.
  std::string_view protocol_name(ProtocolId id) const noexcept;  // "unknown" for 0
  std::string_view app_name(AppId id) const noexcept;            // "" for 0
  std::size_t protocol_count() const noexcept;                   // every id is below it
  std::size_t covered_protocols() const;                         // that these signatures can name

  // The service that a host name belongs to; its app is 0 when there is none.
  Service service_of(std::string_view host) const noexcept;
  // The service that publishes this address as its own; its app is 0 when none does.
  Service service_at(const net::IpAddress& address) const noexcept;
  // The protocol that has this port among its hints, with low confidence; 0 when none has, or several.
  Verdict by_port(std::uint8_t ip_protocol, std::uint16_t port) const noexcept;

 private:
  friend class Inspector;
  Classifier();
  struct Database;
  std::unique_ptr<Database> database_;
};

// One worker's scratch space, for the classifier that it was created for. No allocation after construction.
class Inspector {
 public:
  static Result<Inspector> create(const Classifier& classifier);
  Inspector(Inspector&&) noexcept;
  Inspector& operator=(Inspector&&) noexcept;
  ~Inspector();

  // Looks at one payload, in either direction. An unknown protocol (id 0) means: show me the next payload, if the
  // budget allows. With a classifier other than its own the verdict is always unknown.
  Verdict inspect(const Classifier& classifier, const FirstPayload& payload) noexcept;

 private:
  Inspector();
  struct Scratch;
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace foreflow::classify
