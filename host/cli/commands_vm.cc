// SPDX-License-Identifier: Apache-2.0
// vm list | show | top, allocation list.
#include <algorithm>

#include <fmt/format.h>

#include "host/cli/command.h"
#include "host/cli/guest_text.h"
#include "host/cli/json.h"
#include "host/cli/table.h"

namespace foreflow::cli {
namespace {

using VmQuery = tl::expected<pb::VmList, Failure>;

VmQuery query(Context& context, const std::string& name) {
  const auto manager = context.manager();
  if (!manager) return tl::unexpected(manager.error());
  auto answer = (*manager)->vms(name);
  if (!answer) return failure(answer.error());
  return std::move(*answer);
}

std::uint64_t offered(const pb::Vm& vm) {
  return vm.traffic().egress().offered_rate() + vm.traffic().ingress().offered_rate();
}

// The category with the most bytes in both directions.
std::string main_application(const pb::Vm& vm) {
  std::map<std::string, std::uint64_t> bytes;
  std::uint64_t sum = 0;
  for (const auto* side : {&vm.traffic().egress(), &vm.traffic().ingress()})
    for (const auto& [category, count] : side->totals().app_bytes()) {
      bytes[category] += count;
      sum += count;
    }
  const auto most =
      std::max_element(bytes.begin(), bytes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == bytes.end() ? "-" : fmt::format("{} {}", most->first, percent_text(most->second, sum));
}

std::string allocated(bool known, const pb::Allocation& allocation) {
  return known ? rate_text(allocation.cir()) : "-";
}

std::string share_of_allocation(bool known, const pb::Allocation& allocation, const pb::DirectionTraffic& traffic) {
  return known ? percent_text(traffic.offered_rate(), allocation.cir()) : "-";
}

Table traffic_table(const pb::VmList& list) {
  Table table({"VM", "DATAPLANE", ">TX OFFERED", ">TX PASSED", ">TX ALLOC", ">USED", ">RX OFFERED", ">RX PASSED",
               ">RX ALLOC", ">USED", "LIMITED", ">CONNS", "APPLICATION"});
  for (const auto& vm : list.vms()) {
    const auto& egress = vm.traffic().egress();
    const auto& ingress = vm.traffic().ingress();
    const std::string limited = egress.limited() && ingress.limited() ? "tx rx"
                                : egress.limited()                    ? "tx"
                                : ingress.limited()                   ? "rx"
                                                                      : "-";
    table.add({vm.name(), vm.dataplane(), rate_text(egress.offered_rate()), rate_text(egress.passed_rate()),
               allocated(vm.has_egress(), vm.egress()), share_of_allocation(vm.has_egress(), vm.egress(), egress),
               rate_text(ingress.offered_rate()), rate_text(ingress.passed_rate()),
               allocated(vm.has_ingress(), vm.ingress()), share_of_allocation(vm.has_ingress(), vm.ingress(), ingress),
               limited, std::to_string(vm.traffic().connections_active()), main_application(vm)});
  }
  return table;
}

std::string counts_text(const google::protobuf::Map<std::string, std::uint64_t>& counts, bool bytes) {
  std::map<std::uint64_t, std::string, std::greater<>> largest;
  std::uint64_t sum = 0;
  for (const auto& [name, count] : counts) {
    largest.emplace(count, name);
    sum += count;
  }
  std::string text;
  for (const auto& [count, name] : largest)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name,
                        bytes ? percent_text(count, sum) : std::to_string(count));
  return text.empty() ? "-" : text;
}

// Packets that the hardware drops are seen by nobody one by one.
std::string peak_text(bool known, std::uint64_t rate) { return known ? rate_text(rate) : "not observable"; }

std::string side_text(const char* name, const pb::DirectionTraffic& traffic, const pb::LimitPolicy& policy,
                      bool allocated_one, const pb::Allocation& allocation) {
  const auto& totals = traffic.totals();
  std::string text = fmt::format(
      "{}\n  now           offered {}, passed {}{}, 10 ms peak {}, 1 ms peak {}\n"
      "  policy        guarantee {}, cap {}, weight {}{}\n",
      name, rate_text(traffic.offered_rate()), rate_text(traffic.passed_rate()), traffic.limited() ? ", limited" : "",
      peak_text(traffic.has_peak_10ms_rate(), traffic.peak_10ms_rate()),
      peak_text(traffic.has_peak_1ms_rate(), traffic.peak_1ms_rate()), rate_text(policy.guarantee()),
      rate_text(policy.cap()), policy.weight(),
      policy.packets() == 0 ? "" : fmt::format(", {} packets/s", policy.packets()));
  if (allocated_one)
    text += fmt::format("  allocation    {} ({} used), up to {}\n  why           {}\n", rate_text(allocation.cir()),
                        percent_text(traffic.offered_rate(), allocation.cir()), rate_text(allocation.pir()),
                        printable(allocation.why()));
  text += fmt::format("  since start   offered {}, passed {}\n  drops         {}\n",
                      format_bytes(Bytes{totals.offered_bytes()}), format_bytes(Bytes{totals.passed_bytes()}),
                      counts_text(totals.drops(), false));
  if (totals.delayed_packets() != 0)
    text += fmt::format("  held back     {} packets, {} marked\n", totals.delayed_packets(), totals.marked_packets());
  return text + fmt::format("  frame sizes   {}\n  applications  {}\n", counts_text(totals.sizes(), true),
                            counts_text(totals.app_bytes(), true));
}

}  // namespace

Outcome vm_list(Context& context) {
  const auto list = query(context, "");
  if (!list) return tl::unexpected(list.error());
  if (context.json) return text_of(to_json_array(list->vms()));
  return traffic_table(*list).text();
}

Outcome vm_top(Context& context) {
  auto list = query(context, "");
  if (!list) return tl::unexpected(list.error());
  auto& vms = *list->mutable_vms();
  std::stable_sort(vms.begin(), vms.end(), [](const auto& a, const auto& b) { return offered(a) > offered(b); });
  if (context.json) return text_of(to_json_array(vms));
  return traffic_table(*list).text();
}

Outcome vm_show(Context& context) {
  const auto list = query(context, context.argument());
  if (!list) return tl::unexpected(list.error());
  const auto& vm = list->vms(0);
  if (context.json) return text_of(to_json(vm));
  std::string text = fmt::format("{} (id {}) on {}, tier {}{}\n", vm.name(), vm.id(), vm.dataplane(),
                                 vm.policy().tier(), vm.policy_changed() ? ", policy set at run time" : "");
  for (const auto& attachment : vm.attachments())
    text += fmt::format("attached to     {} as {} in segment {}\n", printable(attachment.port()), attachment.mac(),
                        attachment.segment());
  const auto& traffic = vm.traffic();
  text += fmt::format("last report     {}\nconnections     {} active, {} opened, {} closed, {} failed\n",
                      clock_text(traffic.time()), traffic.connections_active(), traffic.connections_opened(),
                      traffic.connections_closed(), traffic.connections_failed());
  if (traffic.untracked_packets() != 0)
    text += fmt::format("not tracked     {} packets: the flow table was full\n", traffic.untracked_packets());
  if (!vm.policy().group().empty()) text += fmt::format("group           {}\n", vm.policy().group());
  return text + side_text("egress", vm.traffic().egress(), vm.policy().egress(), vm.has_egress(), vm.egress()) +
         side_text("ingress", vm.traffic().ingress(), vm.policy().ingress(), vm.has_ingress(), vm.ingress()) +
         (vm.has_guest() ? guest_text(vm.guest()) : "");
}

Outcome allocation_list(Context& context) {
  const auto list = query(context, "");
  if (!list) return tl::unexpected(list.error());
  auto json = nlohmann::ordered_json::array();
  Table table({"VM", "DIRECTION", ">OFFERED", ">WANT", ">ALLOCATION", ">UP TO", ">GUARANTEE", ">CAP", "WHY"});
  for (const auto& vm : list->vms()) {
    const auto put = [&](const char* direction, bool known, const pb::Allocation& allocation,
                         const pb::LimitPolicy& policy, const pb::DirectionTraffic& traffic) {
      if (!known) return;
      nlohmann::ordered_json row{{"vm", vm.name()}, {"direction", direction}};
      row.update(to_json(allocation));
      row.update(to_json(policy));
      row["offered_rate"] = traffic.offered_rate();
      row["passed_rate"] = traffic.passed_rate();
      json.push_back(std::move(row));
      table.add({vm.name(), direction, rate_text(traffic.offered_rate()), rate_text(allocation.want()),
                 rate_text(allocation.cir()), rate_text(allocation.pir()), rate_text(policy.guarantee()),
                 rate_text(policy.cap()), allocation.why()});
    };
    put("egress", vm.has_egress(), vm.egress(), vm.policy().egress(), vm.traffic().egress());
    put("ingress", vm.has_ingress(), vm.ingress(), vm.policy().ingress(), vm.traffic().ingress());
  }
  return context.json ? text_of(json) : table.text();
}

}  // namespace foreflow::cli
