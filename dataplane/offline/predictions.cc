// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offline/predictions.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>

#include <arpa/inet.h>
#include <fmt/compile.h>
#include <fmt/format.h>

#include "common/category.h"
#include "dataplane/classify/behaviour.h"

namespace foreflow::offline {
namespace {

constexpr std::size_t kManyBytes = 64 * 1'024;

std::string text(const net::IpAddress& address, std::uint8_t version) {
  const auto& bytes = address.bytes;
  if (version == 4) return fmt::format("{}.{}.{}.{}", bytes[12], bytes[13], bytes[14], bytes[15]);
  char buffer[INET6_ADDRSTRLEN] = "";
  inet_ntop(AF_INET6, bytes.data(), buffer, sizeof buffer);
  return buffer;
}

std::string transport_name(std::uint8_t protocol) {
  constexpr std::pair<std::uint8_t, std::string_view> kNames[]{
      {1, "icmp"},   {2, "igmp"},  {4, "ipip"},   {net::kTcp, "tcp"}, {net::kUdp, "udp"},
      {41, "ip6ip"}, {47, "gre"},  {50, "esp"},   {51, "ah"},         {58, "icmp6"},
      {89, "ospf"},  {103, "pim"}, {112, "vrrp"}, {113, "pgm"},       {132, "sctp"}};
  const auto* known = std::find_if(std::begin(kNames), std::end(kNames),
                                   [protocol](const auto& name) { return name.first == protocol; });
  return known != std::end(kNames) ? std::string(known->second) : fmt::format("ip{}", protocol);
}

std::string_view or_dash(std::string_view name) { return name.empty() ? "-" : name; }

}  // namespace

void Predictions::Close::operator()(std::FILE* file) const noexcept {
  if (file != stdout) std::fclose(file);
}

Result<Predictions> Predictions::create(const std::string& file, bool is_verbose) {
  auto* opened = file == "-" ? stdout : std::fopen(file.c_str(), "w");
  if (opened == nullptr) return fail(ErrorCode::kIo, fmt::format("{}: {}", file, std::strerror(errno)));
  fmt::print(opened,
             "file\tproto\tip_a\tport_a\tip_b\tport_b\tprotocol\tcategory\tapp\tconfidence\tsource\t"
             "packets_inspected{}\n",
             is_verbose ? "\tbehaviour\tfingerprint\tech" : "");
  return Predictions(opened, file, is_verbose);
}

void Predictions::add(std::string_view capture, const Flow& flow, const classify::HelloEvidence* hello,
                      const classify::Classifier& classifier) {
  const auto& ends = flow.ends;
  const auto& verdict = flow.verdict;
  fmt::format_to(std::back_inserter(rows_), FMT_COMPILE("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}"), capture,
                 transport_name(ends.ip_protocol), text(ends.address[0], flow.ip_version), ends.port[0],
                 text(ends.address[1], flow.ip_version), ends.port[1], classifier.protocol_name(verdict.protocol),
                 to_string(verdict.category), or_dash(classifier.app_name(verdict.app)), verdict.confidence,
                 to_string(verdict.source), flow.inspected);
  if (is_verbose_)
    fmt::format_to(std::back_inserter(rows_), "\t{}\t{}\t{}", to_string(verdict.behaviour),
                   hello != nullptr ? hello->fingerprint.view() : "-",
                   hello == nullptr             ? "-"
                   : hello->has_encrypted_hello ? "yes"
                                                : "no");
  rows_.push_back('\n');
  if (rows_.size() >= kManyBytes) write_rows();
}

void Predictions::write_rows() {
  std::fwrite(rows_.data(), 1, rows_.size(), file_.get());  // finish() sees a failure
  rows_.clear();
}

Status Predictions::finish() {
  write_rows();
  if (std::fflush(file_.get()) != 0 || std::ferror(file_.get()) != 0)
    return fail(ErrorCode::kIo, fmt::format("{}: {}", name_, std::strerror(errno)));
  return {};
}

}  // namespace foreflow::offline
