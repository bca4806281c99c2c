// SPDX-License-Identifier: Apache-2.0
// libvirt as a Hypervisor: any of its drivers, local or remote, by its URI.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "host/guest/domain_stats.h"
#include "host/guest/hypervisor.h"
#include "host/guest/libvirt/connection.h"
#include "host/guest/libvirt/last_error.h"

namespace foreflow::guest {
namespace {

constexpr int kReadMacsEvery = 60;  // readings: an interface may be plugged while a domain runs
constexpr std::uint64_t kKib = 1'024;

struct FreeRecords {
  void operator()(virDomainStatsRecordPtr* records) const { virDomainStatsRecordListFree(records); }
};
struct FreeText {
  void operator()(char* text) const { std::free(text); }  // NOLINT(cppcoreguidelines-no-malloc): libvirt's own malloc
};

std::optional<std::uint64_t> number(const virTypedParameter& parameter) {
  const auto positive = [](long long value) { return value < 0 ? 0 : static_cast<std::uint64_t>(value); };
  switch (parameter.type) {
    case VIR_TYPED_PARAM_INT:
      return positive(parameter.value.i);
    case VIR_TYPED_PARAM_UINT:
      return parameter.value.ui;
    case VIR_TYPED_PARAM_LLONG:
      return positive(parameter.value.l);
    case VIR_TYPED_PARAM_ULLONG:
      return parameter.value.ul;
    default:
      return std::nullopt;
  }
}

std::string uuid_of(virDomainPtr domain) {
  std::array<char, VIR_UUID_STRING_BUFLEN> text{};
  return virDomainGetUUIDString(domain, text.data()) < 0 ? std::string() : std::string(text.data());
}

class Libvirt final : public Hypervisor {
 public:
  Libvirt(Connection connection, std::string uri) : connection_(std::move(connection)), uri_(std::move(uri)) {}

  Result<Node> node() override {
    virNodeInfo info{};
    if (virNodeGetInfo(connection_.get(), &info) < 0) return tl::unexpected(last_error(uri_));
    return Node{info.cpus, Bytes{info.memory * kKib}};
  }

  Result<std::vector<Domain>> domains() override {
    virDomainStatsRecordPtr* raw = nullptr;
    constexpr unsigned kStats = VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BALLOON |
                                VIR_DOMAIN_STATS_VCPU | VIR_DOMAIN_STATS_BLOCK;
    const int count = virConnectGetAllDomainStats(
        connection_.get(), kStats, &raw,
        VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);
    if (count < 0) return tl::unexpected(last_error(uri_));
    const std::unique_ptr<virDomainStatsRecordPtr, FreeRecords> records(raw);
    std::vector<Domain> domains;
    std::map<std::string, Known> still_known;
    for (int i = 0; i < count; ++i) {
      auto domain = read(*raw[i]);
      if (!domain) continue;  // it ended meanwhile
      still_known[domain->uuid] = known_[domain->uuid];
      domains.push_back(std::move(*domain));
    }
    known_ = std::move(still_known);
    return domains;
  }

 private:
  struct Known {
    int id = -1;
    int readings = 0;
    std::vector<MacAddress> macs;
  };

  std::optional<Domain> read(const virDomainStatsRecord& record) {
    Domain domain{.uuid = uuid_of(record.dom),
                  .name = virDomainGetName(record.dom),
                  .id = static_cast<int>(virDomainGetID(record.dom))};
    DomainStats stats;
    for (int i = 0; i < record.nparams; ++i)
      if (const auto value = number(record.params[i])) stats.put(record.params[i].field, *value);
    stats.fill(domain);
    if (!stats.has_cpu() && !read_info(record.dom, domain)) return std::nullopt;
    auto macs = macs_of_domain(record.dom, domain);
    if (!macs) return std::nullopt;
    domain.macs = std::move(*macs);
    return domain;
  }

  // For drivers whose bulk statistics say nothing but the state.
  static bool read_info(virDomainPtr from, Domain& domain) {
    virDomainInfo info{};
    if (virDomainGetInfo(from, &info) < 0) return false;
    domain.cpu_ns = info.cpuTime;
    domain.vcpus = info.nrVirtCpu;
    const int most = virDomainGetMaxVcpus(from);
    domain.vcpus_maximum = std::max<std::uint32_t>(info.nrVirtCpu, most < 0 ? 0 : static_cast<std::uint32_t>(most));
    domain.memory.current = {info.memory * kKib};
    domain.memory.maximum = {info.maxMem * kKib};
    return true;
  }

  std::optional<std::vector<MacAddress>> macs_of_domain(virDomainPtr from, const Domain& domain) {
    auto& known = known_[domain.uuid];
    if (known.id == domain.id && ++known.readings % kReadMacsEvery != 0) return known.macs;
    const std::unique_ptr<char, FreeText> xml(virDomainGetXMLDesc(from, 0));
    if (!xml) return std::nullopt;
    auto macs = macs_of(xml.get());
    known = {domain.id, 0, macs.value_or(std::vector<MacAddress>{})};
    return known.macs;
  }

  Connection connection_;
  std::string uri_;
  std::map<std::string, Known> known_;  // by UUID
};

}  // namespace

Result<std::unique_ptr<Hypervisor>> open_hypervisor(const std::string& uri) {
  auto connection = connect(uri, Access::kRead);
  if (!connection) return tl::unexpected(connection.error());
  return std::make_unique<Libvirt>(std::move(*connection), uri);
}

}  // namespace foreflow::guest
