// SPDX-License-Identifier: Apache-2.0
// dataplane list | show, signatures reload, conn top, status.
#include <fmt/format.h>

#include "host/cli/command.h"
#include "host/cli/json.h"
#include "host/cli/table.h"

namespace foreflow::cli {
namespace {

constexpr std::uint32_t kMostFlows = 100'000;

tl::expected<pb::DataplaneList, Failure> query(Context& context) {
  const auto manager = context.manager();
  if (!manager) return tl::unexpected(manager.error());
  auto answer = (*manager)->dataplanes(context.argument());
  if (!answer) return failure(answer.error());
  return std::move(*answer);
}

const char* state(const pb::Dataplane& dataplane) {
  return dataplane.connected() ? "connected" : dataplane.reports() == 0 ? "never seen" : "away";
}

std::string generations(const pb::Dataplane& dataplane) {
  return fmt::format("{}/{}", dataplane.applied_generation(), dataplane.desired_generation());
}

std::string queues_text(const pb::Dataplane& dataplane) {
  if (dataplane.queues().empty()) return {};
  Table table({"UPLINK", ">QUEUE", ">RATE", ">PASSED", ">DROPPED", ">PACKETS DROPPED", ">WAITING", ">MEAN WAIT",
               ">LONGEST WAIT"});
  for (const auto& queue : dataplane.queues())
    table.add({queue.port(), std::to_string(queue.number()), rate_text(queue.rate()),
               format_bytes(Bytes{queue.passed_bytes()}), format_bytes(Bytes{queue.dropped_bytes()}),
               std::to_string(queue.dropped_packets()), std::to_string(queue.waiting_packets()),
               fmt::format("{} us", queue.mean_wait_ns() / 1'000),
               fmt::format("{} us", queue.longest_wait_ns() / 1'000)});
  return "\n" + table.text();
}

std::string text_or_dash(const std::string& text) { return text.empty() ? "-" : text; }

std::string traffic_of(const pb::FlowList& list) {
  Table table(
      {"VM", "LOCAL", "REMOTE", "L4", "PROTOCOL", "CATEGORY", "APPLICATION", ">SURE", "BY", ">TX", ">RX", ">AGE"});
  for (const auto& flow : list.flows())
    table.add({flow.vm(), flow.local(), flow.remote(), flow.transport(), flow.protocol(), flow.category(),
               text_or_dash(flow.app()), fmt::format("{} %", flow.confidence()), text_or_dash(flow.source()),
               format_bytes(Bytes{flow.egress_bytes()}), format_bytes(Bytes{flow.ingress_bytes()}),
               fmt::format("{} s", flow.age_seconds())});
  return table.text();
}

std::string evidence_of(const pb::FlowList& list) {
  Table table({"VM", "LOCAL", "REMOTE", "PROTOCOL", "APPLICATION", ">SURE", "BY", "LOOKS LIKE", "TLS CLIENT", "ECH"});
  for (const auto& flow : list.flows())
    table.add({flow.vm(), flow.local(), flow.remote(), flow.protocol(), text_or_dash(flow.app()),
               fmt::format("{} %", flow.confidence()), text_or_dash(flow.source()), text_or_dash(flow.behaviour()),
               text_or_dash(flow.fingerprint()), yes_or_dash(flow.encrypted_hello())});
  return table.text();
}

}  // namespace

Outcome dataplane_list(Context& context) {
  const auto list = query(context);
  if (!list) return tl::unexpected(list.error());
  if (context.json) return text_of(to_json_array(list->dataplanes()));
  Table table({"DATAPLANE", "HOST", "STATE", ">VMS", ">RX", ">TX", ">APPLIED/DESIRED", "LAST REPORT", ">LOST REPORTS",
               "BACKEND"});
  for (const auto& item : list->dataplanes())
    table.add({item.name(), item.host(), state(item), std::to_string(item.vms_size()), rate_text(item.rx_rate()),
               rate_text(item.tx_rate()), generations(item), clock_text(item.last_report()),
               std::to_string(item.lost_reports()), item.backend()});
  return table.text();
}

Outcome dataplane_show(Context& context) {
  const auto list = query(context);
  if (!list) return tl::unexpected(list.error());
  const auto& item = list->dataplanes(0);
  if (context.json) return text_of(to_json(item));
  std::string text = fmt::format(
      "{} on {}: {}, version {}\nbackend       {}; hardware meters: {}; lending: {}\n"
      "generation    {} applied of {} desired\nreports       {} stored, {} duplicate, {} lost; the last {}\n"
      "              {} compressed to {}\n"
      "rates         rx {}, tx {}\n",
      item.name(), printable(item.host()), state(item), printable(item.version()), printable(item.backend()),
      item.hardware_meters() ? "yes" : "no", item.lending(), item.applied_generation(), item.desired_generation(),
      item.reports(), item.duplicate_reports(), item.lost_reports(), clock_text(item.last_report()),
      format_bytes(Bytes{item.report_raw_bytes()}), format_bytes(Bytes{item.report_compressed_bytes()}),
      rate_text(item.rx_rate()), rate_text(item.tx_rate()));
  if (!item.report_error().empty()) text += fmt::format("not taken     {}\n", printable(item.report_error()));
  if (item.unknown_vm_samples() != 0)
    text +=
        fmt::format("unknown VMs   {} samples left out: this manager has no such VM here\n", item.unknown_vm_samples());
  std::string drops;
  for (const auto& [cause, packets] : std::map<std::string, std::uint64_t>(item.drops().begin(), item.drops().end()))
    drops += fmt::format("{}{} {}", drops.empty() ? "" : ", ", cause, packets);
  text += fmt::format("drops         {}\n", drops.empty() ? "-" : drops);
  if (item.payloads_without_state() != 0 || item.flows_without_buffer() != 0)
    text += fmt::format("by behaviour  {} payloads and {} hellos found no room; see [classify] and [flow] there\n",
                        item.payloads_without_state(), item.flows_without_buffer());
  text += '\n';
  Table ports({"PORT", "DRIVER", "MAC", "UPLINK", "UP", ">TX CAPACITY", ">RX CAPACITY"});
  for (const auto& port : item.ports()) {
    std::string tx = "-", rx = "-";
    for (const auto& uplink : item.uplinks())
      if (uplink.port() == port.name()) {
        tx = rate_text(uplink.egress_capacity());
        rx = rate_text(uplink.ingress_capacity());
      }
    ports.add({port.name(), port.driver(), port.mac(), yes_or_dash(port.uplink()), yes_or_dash(port.up()), tx, rx});
  }
  text += ports.text() + queues_text(item);
  for (const auto& event : item.events())
    text +=
        fmt::format("event {}  {}: {}\n", clock_text(event.time()), printable(event.kind()), printable(event.text()));
  return text;
}

Outcome signatures_reload(Context& context) {
  const auto manager = context.manager();
  if (!manager) return tl::unexpected(manager.error());
  const auto asked = (*manager)->reload_signatures(context.argument());
  if (!asked) return failure(asked.error());
  if (context.json) return text_of(to_json(*asked));
  if (asked->dataplanes().empty())
    return std::string("no dataplane was ever told anything; each reads its signatures at its start\n");
  std::string text;
  for (const auto& name : asked->dataplanes())
    text += fmt::format(
        "{} is asked to read its signatures again; `foreflow dataplane show {}` tells what came of it\n", name, name);
  return text;
}

Outcome conn_top(Context& context) {
  const auto most = number(context, "most", 1, kMostFlows);
  if (!most) return tl::unexpected(most.error());
  const auto manager = context.manager();
  if (!manager) return tl::unexpected(manager.error());
  const auto list = (*manager)->flows(context.options["vm"].as<std::string>(), *most);
  if (!list) return failure(list.error());
  if (context.json) return text_of(to_json_array(list->flows()));
  return context.options.count("evidence") != 0 ? evidence_of(*list) : traffic_of(*list);
}

Outcome show_status(Context& context) {
  const auto manager = context.manager();
  if (!manager) return tl::unexpected(manager.error());
  const auto status = (*manager)->status();
  if (!status) return failure(status.error());
  if (context.json) return text_of(to_json(*status));
  auto text = fmt::format(
      "foreflowd {} in mode {}, since {}\nstore      {}; {} points wait, {} refused{}\n"
      "reports    {} stored, {} duplicate, {} refused\ncycles     {}\n",
      status->version(), status->mode(), format_time(UnixNanos{status->started()}), printable(status->store()),
      status->store_pending_points(), status->store_rejected_points(),
      status->store_error().empty() ? "" : "; last error: " + printable(status->store_error()), status->reports(),
      status->duplicate_reports(), status->rejected_reports(), status->cycles());
  const auto& failed = status->failed_allocations();
  for (const auto& [dataplane, reason] : std::map<std::string, std::string>(failed.begin(), failed.end()))
    text += fmt::format("FAILED     allocation on {}: {}; its limits stay as they are\n", dataplane, printable(reason));
  return text;
}

}  // namespace foreflow::cli
