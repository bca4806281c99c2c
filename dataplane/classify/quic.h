// SPDX-License-Identifier: Apache-2.0
// QUIC Initial packets: their protection is keyed by what they show, so anyone on the path may read the ClientHello.
// RFC 9000, 17.2; RFC 9001, 5.2 and 5.4; RFC 9369 for version 2; the drafts and Google's versions with their own salts.
// Place: dataplane/classify. One worker owns a decoder; its OpenSSL contexts are reused, nothing is allocated per
// packet.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "common/result.h"
#include "dataplane/net/octets.h"

struct evp_cipher_ctx_st;

namespace foreflow::classify {

inline constexpr std::size_t kLongestConnectionId = 20;

// What protects the client's Initial packets; from the destination connection id of its first one.
struct QuicKeys {
  std::array<std::uint8_t, 16> key{};
  std::array<std::uint8_t, 12> iv{};
  std::array<std::uint8_t, 16> header{};
  bool is_set = false;
};

// The fixed part of a long header.
struct QuicLongHeader {
  std::uint32_t version = 0;
  bool is_initial = false;
  net::Octets destination_id;
  std::size_t number_at = 0;  // of the packet number; what is before is not encrypted
  std::size_t end = 0;        // of this packet in its datagram
};

// False when this is no long header of a version that is understood, or not whole.
bool read_quic_header(net::Octets datagram, QuicLongHeader& out) noexcept;

// The server name in a ClientHello of Google's QUIC, whose versions up to Q049 do not encrypt it; "" when there is
// none.
std::string_view google_quic_name(net::Octets datagram) noexcept;

class QuicDecoder {
 public:
  static Result<std::unique_ptr<QuicDecoder>> create();
  ~QuicDecoder();
  QuicDecoder(const QuicDecoder&) = delete;
  QuicDecoder& operator=(const QuicDecoder&) = delete;

  // Calls on_crypto(offset, bytes) for each CRYPTO frame of each Initial packet in the datagram that `keys` open; new
  // keys are taken from the datagram when they open nothing (the first packet, or a Retry). False when none opened.
  template <typename OnCrypto>
  bool read(net::Octets datagram, QuicKeys& keys, OnCrypto&& on_crypto) noexcept;

 private:
  static constexpr std::size_t kLargestDatagram = 2'048;
  static constexpr int kMostPackets = 4;   // in one datagram
  static constexpr int kMostFrames = 256;  // in one packet

  QuicDecoder();
  // The frames of the packet; empty when it does not open.
  net::Octets open(net::Octets datagram, const QuicLongHeader& header, const QuicKeys& keys) noexcept;
  net::Octets open_with_new_keys(net::Octets datagram, const QuicLongHeader& header, QuicKeys& keys) noexcept;

  struct FreeCipher {
    void operator()(evp_cipher_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_cipher_ctx_st, FreeCipher> aead_;
  std::unique_ptr<evp_cipher_ctx_st, FreeCipher> mask_;
  std::array<std::uint8_t, kLargestDatagram> plain_;
};

// One CRYPTO frame, or the end of what can be read.
struct QuicFrame {
  bool is_crypto = false;
  std::uint64_t offset = 0;
  net::Octets bytes;
};
// Takes a frame off `frames`; false when the next is none that an Initial packet may hold.
bool take_quic_frame(net::Octets& frames, QuicFrame& out) noexcept;

template <typename OnCrypto>
bool QuicDecoder::read(net::Octets datagram, QuicKeys& keys, OnCrypto&& on_crypto) noexcept {
  bool has_opened = false;
  for (int i = 0; i < kMostPackets && datagram.size() != 0; ++i) {
    QuicLongHeader header;
    if (!read_quic_header(datagram, header)) break;
    if (header.is_initial) {
      auto frames = keys.is_set ? open(datagram, header, keys) : net::Octets{};
      if (frames.size() == 0) frames = open_with_new_keys(datagram, header, keys);
      has_opened |= frames.size() != 0;
      QuicFrame frame;
      for (int n = 0; n < kMostFrames && frames.size() != 0 && take_quic_frame(frames, frame); ++n)
        if (frame.is_crypto) on_crypto(frame.offset, frame.bytes);
    }
    datagram = datagram.part(header.end);
  }
  return has_opened;
}

}  // namespace foreflow::classify
