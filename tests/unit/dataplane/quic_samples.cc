// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/dataplane/quic_samples.h"

#include <algorithm>
#include <array>
#include <memory>

#include <openssl/evp.h>

namespace foreflow::testing {
namespace {

// RFC 9001, appendix A.1, client.
constexpr std::array<std::uint8_t, 16> kKey{0x1f, 0x36, 0x96, 0x13, 0xdd, 0x76, 0xd5, 0x46,
                                            0x77, 0x30, 0xef, 0xcb, 0xe3, 0xb1, 0xa2, 0x2d};
constexpr std::array<std::uint8_t, 12> kIv{0xfa, 0x04, 0x4b, 0x2f, 0x42, 0xa3, 0xfd, 0x3b, 0x46, 0xfb, 0x25, 0x5c};
constexpr std::array<std::uint8_t, 16> kHeaderKey{0x9f, 0x50, 0x44, 0x9e, 0x04, 0xa0, 0xe8, 0x10,
                                                  0x28, 0x3a, 0x1e, 0x99, 0x33, 0xad, 0xed, 0xd2};
constexpr std::size_t kDatagram = 1'200, kTag = 16, kNumber = 4;

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

Frame sealed(const Frame& header, const Frame& plain, std::uint8_t number) {
  auto nonce = kIv;
  nonce.back() ^= number;
  const Context context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  EVP_EncryptInit_ex(context.get(), EVP_aes_128_gcm(), nullptr, kKey.data(), nonce.data());
  int written = 0;
  EVP_EncryptUpdate(context.get(), nullptr, &written, header.data(), static_cast<int>(header.size()));
  Frame out(plain.size() + kTag);
  EVP_EncryptUpdate(context.get(), out.data(), &written, plain.data(), static_cast<int>(plain.size()));
  EVP_EncryptFinal_ex(context.get(), out.data() + written, &written);
  EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTag, out.data() + plain.size());
  return out;
}

std::array<std::uint8_t, 16> mask(const std::uint8_t* sample) {
  std::array<std::uint8_t, 16> out;
  const Context context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  EVP_EncryptInit_ex(context.get(), EVP_aes_128_ecb(), nullptr, kHeaderKey.data(), nullptr);
  int written = 0;
  EVP_EncryptUpdate(context.get(), out.data(), &written, sample, 16);
  return out;
}

}  // namespace

Frame quic_sample_id() { return {0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08}; }

Frame quic_crypto(std::uint16_t offset, std::span<const std::uint8_t> bytes) {
  const auto size = bytes.size();
  Frame frame{6, static_cast<std::uint8_t>(0x40 | offset >> 8), static_cast<std::uint8_t>(offset),
              static_cast<std::uint8_t>(0x40 | size >> 8), static_cast<std::uint8_t>(size)};
  frame.insert(frame.end(), bytes.begin(), bytes.end());
  return frame;
}

Frame quic_sample_initial(std::uint8_t number, const Frame& frames) {
  const auto id = quic_sample_id();
  Frame header{0xc3, 0, 0, 0, 1, static_cast<std::uint8_t>(id.size())};
  header.insert(header.end(), id.begin(), id.end());
  header.insert(header.end(), {0, 0});  // no source id, no token
  const auto rest = kDatagram - header.size() - 2;
  header.insert(header.end(), {static_cast<std::uint8_t>(0x40 | rest >> 8), static_cast<std::uint8_t>(rest)});
  const auto number_at = header.size();
  header.insert(header.end(), {0, 0, 0, number});
  auto plain = frames;
  plain.resize(kDatagram - header.size() - kTag);
  auto cipher = sealed(header, plain, number);
  const auto hidden = mask(cipher.data() + 4 - kNumber);
  header[0] ^= hidden[0] & 0x0f;
  for (std::size_t i = 0; i < kNumber; ++i) header[number_at + i] ^= hidden[1 + i];
  header.insert(header.end(), cipher.begin(), cipher.end());
  return header;
}

}  // namespace foreflow::testing
