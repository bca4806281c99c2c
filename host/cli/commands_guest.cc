// SPDX-License-Identifier: Apache-2.0
// guest list, hypervisor list; the guest's part of vm show.
#include <fmt/format.h>

#include "host/cli/command.h"
#include "host/cli/guest_text.h"
#include "host/cli/json.h"
#include "host/cli/table.h"

namespace foreflow::cli {
namespace {

constexpr double kMicros = 1e6;

std::string bytes_text(std::uint64_t bytes) { return format_bytes(Bytes{bytes}); }

std::string used_text(const pb::Guest& guest) {
  return guest.has_memory_used() ? bytes_text(guest.memory_used()) : "not told";
}

std::string disk_text(std::uint64_t rate, std::uint64_t requests) {
  return fmt::format("{}/s, {} requests/s", bytes_text(rate), requests);
}

const char* state(const pb::Hypervisor& hypervisor) {
  return hypervisor.connected() ? "connected" : hypervisor.reads() == 0 ? "never read" : "away";
}

std::string joined(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  std::string all;
  for (const auto& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all.empty() ? "-" : all;
}

// "2.00", "2.00 (recommended)", "2.00 (refused)".
std::string limit_text(const std::string& limit, const pb::GuestDecision& decision) {
  if (!decision.enforced()) return limit + " (recommended)";
  return decision.error().empty() ? limit : limit + " (refused)";
}

std::string cpu_limit_text(const pb::Guest& guest) {
  return guest.has_cpu_decision() ? limit_text(cpus_text(guest.cpu_decision().limit()), guest.cpu_decision()) : "-";
}

std::string memory_limit_text(const pb::Guest& guest) {
  return guest.has_memory_decision() ? limit_text(bytes_text(guest.memory_decision().limit()), guest.memory_decision())
                                     : "-";
}

std::string why_text(const char* name, const std::string& limit, const pb::GuestDecision& decision) {
  return fmt::format("  {:<14}{}: {}{}\n", name, limit, printable(decision.why()),
                     decision.error().empty() ? "" : "; refused: " + printable(decision.error()));
}

}  // namespace

std::string cpus_text(std::uint64_t micros) { return fmt::format("{:.2f}", static_cast<double>(micros) / kMicros); }

std::string guest_text(const pb::Guest& guest) {
  auto text = fmt::format(
      "guest\n  domain        {} ({}), read {}\n  CPU           {} of {} vCPUs (at most {}){}\n"
      "  memory        {} in use of {} (at most {}){}\n  disk          read {}; written {}, {} flushes/s\n",
      printable(guest.domain()), printable(guest.uuid()), clock_text(guest.time()), cpus_text(guest.cpu_micros()),
      guest.vcpus(), guest.vcpus_maximum(),
      guest.has_waited_micros() ? fmt::format(", waited for {}", cpus_text(guest.waited_micros())) : "",
      used_text(guest), bytes_text(guest.memory_current()), bytes_text(guest.memory_maximum()),
      guest.has_memory_rss() ? fmt::format(", resident {}", bytes_text(guest.memory_rss())) : "",
      disk_text(guest.disk_read_rate(), guest.disk_read_requests()),
      disk_text(guest.disk_write_rate(), guest.disk_write_requests()), guest.disk_flush_requests());
  if (guest.has_cpu_decision()) text += why_text("CPU limit", cpu_limit_text(guest), guest.cpu_decision());
  if (guest.has_memory_decision()) text += why_text("memory limit", memory_limit_text(guest), guest.memory_decision());
  return text;
}

Outcome guest_list(Context& context) {
  const auto manager = context.manager();
  if (!manager) return tl::unexpected(manager.error());
  const auto list = (*manager)->vms("");
  if (!list) return failure(list.error());
  auto json = nlohmann::ordered_json::array();
  Table table({"VM", "DOMAIN", ">CPUS USED", ">VCPUS", ">WAITED", ">MEMORY USED", ">CURRENT", ">MAXIMUM", ">CPU LIMIT",
               ">MEMORY LIMIT", ">READ/S", ">WRITTEN/S", "LAST READ"});
  for (const auto& vm : list->vms()) {
    if (!vm.has_guest()) continue;
    const auto& guest = vm.guest();
    nlohmann::ordered_json row{{"vm", vm.name()}};
    row.update(to_json(guest));
    json.push_back(std::move(row));
    table.add({vm.name(), guest.domain(), cpus_text(guest.cpu_micros()), std::to_string(guest.vcpus()),
               guest.has_waited_micros() ? cpus_text(guest.waited_micros()) : "-", used_text(guest),
               bytes_text(guest.memory_current()), bytes_text(guest.memory_maximum()), cpu_limit_text(guest),
               memory_limit_text(guest), bytes_text(guest.disk_read_rate()), bytes_text(guest.disk_write_rate()),
               clock_text(guest.time())});
  }
  return context.json ? text_of(json) : table.text();
}

Outcome hypervisor_list(Context& context) {
  const auto manager = context.manager();
  if (!manager) return tl::unexpected(manager.error());
  const auto list = (*manager)->hypervisors("");
  if (!list) return failure(list.error());
  if (context.json) return text_of(to_json_array(list->hypervisors()));
  Table table({"HOST", "URI", "STATE", ">DOMAINS", ">CPUS", ">MEMORY", "LAST READ", ">FAILURES", "NO VM OF OURS"});
  std::string faults;
  for (const auto& item : list->hypervisors()) {
    table.add({item.host(), item.uri(), state(item), std::to_string(item.domains()), std::to_string(item.cpus()),
               bytes_text(item.memory()), clock_text(item.last_read()), std::to_string(item.failures()),
               joined(item.unknown())});
    if (!item.error().empty()) faults += fmt::format("{}: {}\n", item.host(), printable(item.error()));
    for (const auto& conflict : item.conflicts()) faults += fmt::format("{}: {}\n", item.host(), printable(conflict));
  }
  return table.text() + faults;
}

}  // namespace foreflow::cli
