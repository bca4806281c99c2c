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

}  // namespace

std::string cpus_text(std::uint64_t micros) { return fmt::format("{:.2f}", static_cast<double>(micros) / kMicros); }

std::string guest_text(const pb::Guest& guest) {
  return fmt::format(
      "guest\n  domain        {} ({}), read {}\n  CPU           {} of {} vCPUs (at most {}){}\n"
      "  memory        {} in use of {} (at most {}){}\n  disk          read {}; written {}, {} flushes/s\n",
      printable(guest.domain()), printable(guest.uuid()), clock_text(guest.time()), cpus_text(guest.cpu_micros()),
      guest.vcpus(), guest.vcpus_maximum(),
      guest.has_waited_micros() ? fmt::format(", waited for {}", cpus_text(guest.waited_micros())) : "",
      used_text(guest), bytes_text(guest.memory_current()), bytes_text(guest.memory_maximum()),
      guest.has_memory_rss() ? fmt::format(", resident {}", bytes_text(guest.memory_rss())) : "",
      disk_text(guest.disk_read_rate(), guest.disk_read_requests()),
      disk_text(guest.disk_write_rate(), guest.disk_write_requests()), guest.disk_flush_requests());
}

Outcome guest_list(Context& context) {
  const auto manager = context.manager();
  if (!manager) return tl::unexpected(manager.error());
  const auto list = (*manager)->vms("");
  if (!list) return failure(list.error());
  auto json = nlohmann::ordered_json::array();
  Table table({"VM", "DOMAIN", ">CPUS USED", ">VCPUS", ">WAITED", ">MEMORY USED", ">CURRENT", ">MAXIMUM", ">READ/S",
               ">WRITTEN/S", "LAST READ"});
  for (const auto& vm : list->vms()) {
    if (!vm.has_guest()) continue;
    const auto& guest = vm.guest();
    nlohmann::ordered_json row{{"vm", vm.name()}};
    row.update(to_json(guest));
    json.push_back(std::move(row));
    table.add({vm.name(), guest.domain(), cpus_text(guest.cpu_micros()), std::to_string(guest.vcpus()),
               guest.has_waited_micros() ? cpus_text(guest.waited_micros()) : "-", used_text(guest),
               bytes_text(guest.memory_current()), bytes_text(guest.memory_maximum()),
               bytes_text(guest.disk_read_rate()), bytes_text(guest.disk_write_rate()), clock_text(guest.time())});
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
