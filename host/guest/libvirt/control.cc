// SPDX-License-Identifier: Apache-2.0
// libvirt as a Control. Source: virDomainSetSchedulerParametersFlags, virDomainSetVcpusFlags, virDomainSetMemoryFlags.
#include "host/guest/control.h"

#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "host/guest/libvirt/connection.h"
#include "host/guest/libvirt/last_error.h"

namespace foreflow::guest {
namespace {

constexpr std::uint64_t kKib = 1'024;
constexpr std::uint64_t kPeriodMicros = 100'000;  // the kernel's own; shorter ones cost, longer ones are felt
constexpr std::uint64_t kPeriodsPerSecond = 1'000'000 / kPeriodMicros;

struct FreeDomain {
  void operator()(virDomainPtr domain) const { virDomainFree(domain); }
};
using DomainHandle = std::unique_ptr<virDomain, FreeDomain>;

class Parameters {
 public:
  Parameters() = default;
  Parameters(const Parameters&) = delete;
  Parameters& operator=(const Parameters&) = delete;
  ~Parameters() { virTypedParamsFree(list_, count_); }
  bool add(const char* name, std::uint64_t value) {
    return virTypedParamsAddULLong(&list_, &count_, &capacity_, name, value) == 0;
  }
  bool add(const char* name, std::int64_t value) {
    return virTypedParamsAddLLong(&list_, &count_, &capacity_, name, value) == 0;
  }
  virTypedParameterPtr list() const { return list_; }
  int count() const { return count_; }

 private:
  virTypedParameterPtr list_ = nullptr;
  int count_ = 0;
  int capacity_ = 0;
};

// The quota of all threads of a domain together, where the driver has one.
struct Quota {
  bool known = false;
  std::uint64_t period = 0;  // us
  std::int64_t quota = 0;    // us in each period; none where not positive
};

Quota quota_in(const std::vector<virTypedParameter>& parameters) {
  Quota found;
  for (const auto& parameter : parameters) {
    const std::string_view name(static_cast<const char*>(parameter.field));
    if (name == VIR_DOMAIN_SCHEDULER_GLOBAL_PERIOD && parameter.type == VIR_TYPED_PARAM_ULLONG)
      found.period = parameter.value.ul;
    if (name == VIR_DOMAIN_SCHEDULER_GLOBAL_QUOTA && parameter.type == VIR_TYPED_PARAM_LLONG) {
      found.quota = parameter.value.l;
      found.known = true;
    }
  }
  return found;
}

std::uint64_t divide_up(std::uint64_t value, std::uint64_t by) { return value / by + (value % by != 0 ? 1 : 0); }

class LibvirtControl final : public Control {
 public:
  LibvirtControl(Connection connection, std::string uri) : connection_(std::move(connection)), uri_(std::move(uri)) {}

  Result<Limits> limits(const std::string& uuid) override {
    const auto domain = find(uuid);
    if (!domain) return tl::unexpected(domain.error());
    virDomainInfo info{};
    if (virDomainGetInfo(domain->get(), &info) < 0) return tl::unexpected(last_error(uuid));
    const int maximum = virDomainGetMaxVcpus(domain->get());
    if (maximum < 0) return tl::unexpected(last_error(uuid));
    Limits limits{.vcpus = info.nrVirtCpu,
                  .vcpus_maximum = static_cast<std::uint32_t>(maximum),
                  .memory = {info.memory * kKib},
                  .memory_maximum = {info.maxMem * kKib}};
    const auto quota = quota_of(*domain, uuid);
    if (!quota) return tl::unexpected(quota.error());
    limits.limits_cpu = quota->known;
    if (quota->known && quota->quota > 0 && quota->period != 0)
      limits.cpu = CpuMicros{
          static_cast<std::uint64_t>(static_cast<unsigned __int128>(quota->quota) * kOneCpu.value / quota->period)};
    return limits;
  }

  Status limit_cpu(const std::string& uuid, std::optional<CpuMicros> most) override {
    if (most && *most < kLeastCpu)
      return fail(ErrorCode::kInvalidArgument, fmt::format("{}: {} us of CPU per second are too few; at least {}", uuid,
                                                           most->value, kLeastCpu.value));
    const auto domain = find(uuid);
    if (!domain) return tl::unexpected(domain.error());
    const auto known = quota_of(*domain, uuid);
    if (!known) return tl::unexpected(known.error());
    if (!known->known)
      return fail(
          ErrorCode::kUnsupported,
          fmt::format("{}: {} cannot limit CPU time; libvirt's QEMU driver with the cpu cgroup can", uuid, uri_));
    Parameters parameters;
    const auto quota = most ? static_cast<std::int64_t>(divide_up(most->value, kPeriodsPerSecond)) : -1;
    if (!parameters.add(VIR_DOMAIN_SCHEDULER_GLOBAL_PERIOD, kPeriodMicros) ||
        !parameters.add(VIR_DOMAIN_SCHEDULER_GLOBAL_QUOTA, std::int64_t{quota}) ||
        virDomainSetSchedulerParametersFlags(domain->get(), parameters.list(), parameters.count(),
                                             VIR_DOMAIN_AFFECT_LIVE) < 0)
      return tl::unexpected(last_error(uuid));
    return {};
  }

  Status set_vcpus(const std::string& uuid, std::uint32_t count) override {
    const auto domain = find(uuid);
    if (!domain) return tl::unexpected(domain.error());
    const int maximum = virDomainGetMaxVcpus(domain->get());
    if (maximum < 0) return tl::unexpected(last_error(uuid));
    if (count == 0 || count > static_cast<std::uint32_t>(maximum))
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("{}: {} vCPUs are not possible; 1 to {}", uuid, count, maximum));
    if (virDomainSetVcpusFlags(domain->get(), count, VIR_DOMAIN_AFFECT_LIVE) < 0)
      return tl::unexpected(last_error(uuid));
    return {};
  }

  Status set_memory(const std::string& uuid, Bytes memory) override {
    const auto domain = find(uuid);
    if (!domain) return tl::unexpected(domain.error());
    const auto maximum = virDomainGetMaxMemory(domain->get());
    if (maximum == 0) return tl::unexpected(last_error(uuid));
    const auto kib = divide_up(memory.value, kKib);
    if (kib == 0 || kib > maximum)
      return fail(ErrorCode::kInvalidArgument, fmt::format("{}: {} of memory are not possible; it was made with {}",
                                                           uuid, format_bytes(memory), format_bytes({maximum * kKib})));
    if (virDomainSetMemoryFlags(domain->get(), kib, VIR_DOMAIN_AFFECT_LIVE) < 0)
      return tl::unexpected(last_error(uuid));
    return {};
  }

 private:
  // A running one.
  Result<DomainHandle> find(const std::string& uuid) {
    DomainHandle domain(virDomainLookupByUUIDString(connection_.get(), uuid.c_str()));
    if (!domain) return tl::unexpected(last_error(uuid));
    const int active = virDomainIsActive(domain.get());
    if (active < 0) return tl::unexpected(last_error(uuid));
    if (active == 0) return fail(ErrorCode::kNotFound, fmt::format("{}: the domain does not run", uuid));
    return domain;
  }

  static Result<Quota> quota_of(const DomainHandle& domain, const std::string& uuid) {
    int count = 0;
    char* type = virDomainGetSchedulerType(domain.get(), &count);
    if (type == nullptr) return tl::unexpected(last_error(uuid));
    std::free(type);  // NOLINT(cppcoreguidelines-no-malloc): libvirt's own malloc
    if (count <= 0) return Quota{};
    std::vector<virTypedParameter> parameters(static_cast<std::size_t>(count));
    if (virDomainGetSchedulerParameters(domain.get(), parameters.data(), &count) < 0)
      return tl::unexpected(last_error(uuid));
    parameters.resize(static_cast<std::size_t>(count));
    return quota_in(parameters);
  }

  Connection connection_;
  std::string uri_;
};

}  // namespace

Result<std::unique_ptr<Control>> open_control(const std::string& uri) {
  auto connection = connect(uri, Access::kControl);
  if (!connection) return tl::unexpected(connection.error());
  return std::make_unique<LibvirtControl>(std::move(*connection), uri);
}

}  // namespace foreflow::guest
