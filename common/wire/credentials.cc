// SPDX-License-Identifier: Apache-2.0
#include "common/wire/credentials.h"

#include <algorithm>
#include <array>
#include <memory>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "common/files.h"

namespace foreflow::wire {
namespace {

constexpr std::size_t kLargestFile = 1u << 20;

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Store = std::unique_ptr<X509_STORE, Freed<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Freed<X509_STORE_CTX_free>>;
// Frees its certificates too.
using Chain =
    std::unique_ptr<STACK_OF(X509), Freed<[](STACK_OF(X509) * chain) { sk_X509_pop_free(chain, X509_free); }>>;
using Names = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;

Bio memory(std::string_view text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

Certificate parse_certificate(std::string_view pem) {
  Certificate certificate(PEM_read_bio_X509(memory(pem).get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  return certificate;
}

// Without this a key with a passphrase would ask on the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

Key parse_key(std::string_view pem) {
  Key key(PEM_read_bio_PrivateKey(memory(pem).get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  return key;
}

std::string to_text(const ASN1_STRING* text) {
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, text);
  if (size < 0) return {};
  std::string result(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
  OPENSSL_free(utf8);
  return result;
}

std::string subject_entry(X509* certificate, int nid) {
  auto* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, nid, -1);
  return at < 0 ? std::string() : to_text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

std::vector<std::string> dns_names(X509* certificate) {
  std::vector<std::string> result;
  const Names names(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i)
    if (const auto* name = sk_GENERAL_NAME_value(names.get(), i); name->type == GEN_DNS)
      result.push_back(to_text(name->d.dNSName));
  return result;
}

CertificateIdentity identity_of(X509* certificate) {
  return {.common_name = subject_entry(certificate, NID_commonName),
          .unit = subject_entry(certificate, NID_organizationalUnitName),
          .dns_names = dns_names(certificate)};
}

// All certificates of a PEM file; a certificate may be followed by the intermediate authorities that signed it.
Chain parse_chain(std::string_view pem) {
  Chain chain(sk_X509_new_null());
  const auto bio = memory(pem);
  while (auto* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr))
    sk_X509_push(chain.get(), certificate);
  ERR_clear_error();
  return chain;
}

std::string expiry(const X509* certificate) {
  const Bio out(BIO_new(BIO_s_mem()));
  ASN1_TIME_print(out.get(), X509_get0_notAfter(certificate));
  std::array<char, 64> text{};
  const int size = BIO_read(out.get(), text.data(), static_cast<int>(text.size()));
  return {text.data(), static_cast<std::size_t>(std::max(size, 0))};
}

}  // namespace

bool CertificateIdentity::carries(std::string_view name) const {
  return !name.empty() &&
         (common_name == name || std::find(dns_names.begin(), dns_names.end(), name) != dns_names.end());
}

Result<CertificateIdentity> read_identity(std::string_view pem) {
  const auto certificate = parse_certificate(pem);
  if (!certificate) return fail(ErrorCode::kMalformed, "no certificate in PEM form");
  return identity_of(certificate.get());
}

Result<Credentials> load_credentials(const TlsFiles& files) {
  const auto fault = [](const std::filesystem::path& file, std::string_view what) {
    return fail(ErrorCode::kInvalidConfig, fmt::format("{}: {}", file.string(), what));
  };
  Credentials credentials;
  std::string unreadable;
  for (const auto& [path, content] :
       {std::pair(&files.ca, &credentials.ca), std::pair(&files.certificate, &credentials.certificate),
        std::pair(&files.key, &credentials.key)}) {
    auto read = read_file(*path, kLargestFile);
    if (read)
      *content = std::move(*read);
    else
      unreadable += (unreadable.empty() ? "" : "; ") + read.error().message;
  }
  if (!unreadable.empty()) return fail(ErrorCode::kInvalidConfig, std::move(unreadable));
  if (!parse_certificate(credentials.ca)) return fault(files.ca, "expected a CA certificate in PEM form");
  const auto certificate = parse_certificate(credentials.certificate);
  if (!certificate) return fault(files.certificate, "expected a certificate in PEM form");
  const auto key = parse_key(credentials.key);
  if (!key) return fault(files.key, "expected a private key in PEM form without passphrase");
  const bool belongs = X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  if (!belongs) return fault(files.key, fmt::format("is not the key of {}", files.certificate.string()));
  credentials.identity = identity_of(certificate.get());
  return credentials;
}

Status check_valid(const Credentials& credentials, UnixNanos now) {
  const auto chain = parse_chain(credentials.certificate);
  const auto authorities = parse_chain(credentials.ca);
  const Store store(X509_STORE_new());
  for (int i = 0; i < sk_X509_num(authorities.get()); ++i)
    X509_STORE_add_cert(store.get(), sk_X509_value(authorities.get(), i));
  auto* certificate = sk_X509_value(chain.get(), 0);
  const StoreContext context(X509_STORE_CTX_new());
  if (X509_STORE_CTX_init(context.get(), store.get(), certificate, chain.get()) != 1)
    return fail(ErrorCode::kInternal, "certificate check could not be prepared");
  X509_STORE_CTX_set_time(context.get(), 0,
                          static_cast<time_t>(now.value / static_cast<std::int64_t>(kNanosPerSecond)));
  const bool valid = X509_verify_cert(context.get()) == 1;
  ERR_clear_error();
  if (valid) return {};
  return fail(ErrorCode::kDenied,
              fmt::format("certificate of '{}' (valid until {}): {}", credentials.identity.common_name,
                          expiry(certificate), X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()))));
}

Status check_files(const TlsFiles& files, TlsRole role, std::string_view name, UnixNanos now) {
  const auto credentials = load_credentials(files);
  if (!credentials) return tl::unexpected(credentials.error());
  const auto fault = [&](std::string_view what) {
    return fail(ErrorCode::kInvalidConfig, fmt::format("{}: {}", files.certificate.string(), what));
  };
  if (const auto valid = check_valid(*credentials, now); !valid)
    return fault(fmt::format("{}; {} is what it is checked with", valid.error().message, files.ca.string()));
  const auto certificate = parse_certificate(credentials->certificate);
  const bool server = role == TlsRole::kServer;
  const bool usable =
      X509_check_purpose(certificate.get(), server ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT, 0) == 1;
  ERR_clear_error();
  const auto& holder = credentials->identity.common_name;
  if (!usable)
    return fault(fmt::format("the certificate of '{}' is not made for a {} (extended key usage)", holder,
                             server ? "server" : "client"));
  if (!name.empty() && !credentials->identity.carries(name))
    return fault(fmt::format("is the certificate of '{}', expected one of '{}'", holder, name));
  return {};
}

}  // namespace foreflow::wire
