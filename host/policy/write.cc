// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "host/policy/document.h"

namespace foreflow::policy {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x20 || code == 0x7f) {
      out += fmt::format("\\u{:04X}", code);
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string list(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + quoted(name);
  return "[" + out + "]";
}

template <typename T, typename Text>
void say(std::map<std::string, std::string>& to, const std::string& key,
         const model::PerDirection<std::optional<T>>& value, Text text) {
  for (const auto direction : kBothDirections)
    if (const auto& one = value[index(direction)]) to[fmt::format("{} {}", key, to_string(direction))] = text(*one);
}

// "cap egress" and "cap ingress" become one key.
std::string keys(const model::PolicyPatch& patch) {
  std::string out;
  const auto all = said(patch);
  for (const auto& [key, value] : all) {
    const auto space = key.find(' ');
    const auto name = key.substr(0, space);
    const auto other = all.find(name + " ingress");
    if (space == std::string::npos)
      out += fmt::format("{} = {}\n", name, value);
    else if (key.ends_with(" ingress") && all.contains(name + " egress"))
      continue;
    else if (key.ends_with(" egress") && other != all.end())
      out += other->second == value ? fmt::format("{} = {}\n", name, value)
                                    : fmt::format("{} = {{egress = {}, ingress = {}}}\n", name, value, other->second);
    else
      out += fmt::format("{} = {{{} = {}}}\n", name, key.substr(space + 1), value);
  }
  return out;
}

std::string rates(const model::PerDirection<BytesPerSecond>& both) {
  if (both[0] == both[1]) return quoted(exact_rate(both[0]));
  return fmt::format("{{egress = {}, ingress = {}}}", quoted(exact_rate(both[0])), quoted(exact_rate(both[1])));
}

std::string window(const Window& window) {
  const auto time = [](UnixNanos at) { return quoted(format_time(at).substr(0, 19) + "Z"); };
  auto out = fmt::format("from = {}\nto = {}\n", time(window.from), time(window.to));
  if (window.every_ns != 0)
    out += fmt::format("every = \"{}\"\n", window.every_ns == 86'400 * kNanosPerSecond ? "day" : "week");
  return out;
}

std::string text_of(const model::Tier& tier) {
  auto out = fmt::format("[[tier]]\nname = {}\npriority = {}\nquantile = {}\nweight = {}\n", quoted(tier.name),
                         tier.priority, tier.quantile, tier.weight);
  if (tier.hold_ns) out += fmt::format("hold = {}\n", quoted(exact_duration(*tier.hold_ns)));
  return out + "\n";
}

std::map<std::string, std::string> said(const model::Bypass& bypass) {
  std::map<std::string, std::string> out{{"bypass_after", quoted(model::exact_bypass(bypass))}};
  if (bypass.idle_seconds != model::Bypass{}.idle_seconds)
    out["bypass_idle"] = quoted(fmt::format("{}s", bypass.idle_seconds));
  return out;
}

std::string text_of(const std::optional<model::Bypass>& bypass) {
  std::string out;
  if (bypass)
    for (const auto& [key, value] : said(*bypass)) out += fmt::format("{} = {}\n", key, value);
  return out;
}

std::string text_of(const wire::Queueing& queueing) {
  std::string strict;
  std::string weights;
  for (std::size_t at = 0; at < queueing.queues.size(); ++at) {
    const auto& queue = queueing.queues[at];
    if (queue.strict) strict += fmt::format("{}{}", strict.empty() ? "" : ", ", at);
    weights += fmt::format("{}{}", at == 0 ? "" : ", ", queue.weight);
  }
  return fmt::format("[queueing]\nstrict = [{}]\nweights = [{}]\nlongest = \"{}us\"\n\n", strict, weights,
                     queueing.longest_us);
}

std::string text_of(const model::Group& group) {
  auto out = fmt::format("[[group]]\nname = {}\ncap = {}\nburst = {}\n", quoted(group.name), rates(group.cap),
                         quoted(exact_duration(group.burst_ns)));
  if (group.guarantee != model::PerDirection<BytesPerSecond>{})
    out += fmt::format("guarantee = {}\n", rates(group.guarantee));
  return out + text_of(group.bypass) + "\n";
}

std::string text_of(const Event& event) {
  auto out = fmt::format("[[event]]\nname = {}\n{}", quoted(event.name), window(event.window));
  if (!event.vms.empty()) out += fmt::format("vms = {}\n", list(event.vms));
  if (!event.groups.empty()) out += fmt::format("groups = {}\n", list(event.groups));
  return out + keys(event.patch) + "\n";
}

std::string text_of(const Maintenance& maintenance) {
  return fmt::format("[[maintenance]]\nname = {}\n{}dataplane = {}\ncapacity_percent = {}\nfreeze = {}\n\n",
                     quoted(maintenance.name), window(maintenance.window), quoted(maintenance.dataplane),
                     maintenance.capacity_percent, maintenance.freeze);
}

std::string text_of(const ApplicationClass& one) {
  std::vector<std::string> names;
  for (const auto category : one.categories) names.emplace_back(to_string(category));
  std::string text = fmt::format("[[class]]\nname = {}\ncategories = {}\n", quoted(one.name), list(names));
  if (!one.vms.empty()) text += fmt::format("vms = {}\n", list(one.vms));
  if (one.dscp) text += fmt::format("dscp = {}\n", *one.dscp);
  if (one.drop) text += "drop = true\n";
  if (one.queue) text += fmt::format("queue = {}\n", *one.queue);
  if (one.queue_group != 0) text += fmt::format("queue_group = {}\n", one.queue_group);
  if (one.mirror)
    text += fmt::format("mirror = {}\nmirror_one_in = {}\n", quoted(one.mirror->port), one.mirror->one_in);
  return text + text_of(one.bypass) + "\n";
}

// `amount`: writes one as read_policy() reads it.
template <typename Amount>
std::string share(const model::GuestShare& share, Amount amount) {
  auto out = fmt::format("{{guarantee = {}", amount(share.guarantee));
  if (share.cap != model::GuestShare{}.cap) out += fmt::format(", cap = {}", amount(share.cap));
  return out + fmt::format(", weight = {}}}", share.weight);
}
std::string cpu_share(const model::GuestShare& of) {
  return share(of, [](std::uint64_t micros) { return fmt::format("{}", static_cast<double>(micros) / 1e6); });
}
std::string memory_share(const model::GuestShare& of) {
  return share(of, [](std::uint64_t bytes) { return quoted(fmt::format("{}B", bytes)); });
}

}  // namespace

std::map<std::string, std::string> said(const model::PolicyPatch& patch) {
  std::map<std::string, std::string> out;
  const auto rate = [](BytesPerSecond value) { return quoted(exact_rate(value)); };
  const auto number = [](std::uint64_t value) { return std::to_string(value); };
  if (patch.tier) out["tier"] = quoted(*patch.tier);
  if (patch.group) out["group"] = quoted(*patch.group);
  if (patch.burst_ns) out["burst"] = quoted(exact_duration(*patch.burst_ns));
  if (patch.shape) out["shape"] = *patch.shape ? "true" : "false";
  if (patch.bypass) out.merge(said(*patch.bypass));
  if (patch.cpu) out["cpu"] = cpu_share(*patch.cpu);
  if (patch.memory) out["memory"] = memory_share(*patch.memory);
  if (patch.mode) out["mode"] = quoted(std::string(model::to_string(*patch.mode)));
  say(out, "guarantee", patch.guarantee, rate);
  say(out, "cap", patch.cap, rate);
  say(out, "least", patch.least, rate);
  say(out, "most", patch.most, rate);
  say(out, "weight", patch.weight, number);
  say(out, "packets", patch.packets, number);
  return out;
}

std::map<std::string, std::string> said(const TrafficRule& rule) {
  std::map<std::string, std::string> out{{"priority", std::to_string(rule.priority)},
                                         {"demand", quoted(std::string(to_string(rule.demand)))}};
  const auto& [what, match] = std::pair(rule.what, rule.what.match);
  const auto number = [&](const std::string& key, std::uint64_t value) {
    if (value != 0) out[key] = std::to_string(value);
  };
  if (!rule.vms.empty()) out["vms"] = list(rule.vms);
  if (rule.direction) out["direction"] = quoted(std::string(to_string(*rule.direction)));
  if (match.ip_protocol != 0) out["protocol"] = quoted(std::to_string(match.ip_protocol));
  number("local_port", match.local_port);
  number("remote_port", match.remote_port);
  if (match.remote_prefix != 0)
    out["remote"] = quoted(fmt::format("{}/{}", to_string(match.remote), match.remote_prefix));
  if (what.drop) out["drop"] = "true";
  if (what.dscp) out["dscp"] = std::to_string(*what.dscp);
  if (what.queue) out["queue"] = std::to_string(*what.queue);
  number("queue_group", what.queue_group);
  if (what.mirror) out["mirror"] = quoted(what.mirror->port);
  if (what.mirror) out["mirror_one_in"] = std::to_string(what.mirror->one_in);
  if (!what.steer_port.empty()) out["steer"] = quoted(what.steer_port);
  if (what.idle_seconds != 0) out["idle"] = quoted(fmt::format("{}s", what.idle_seconds));
  return out;
}

std::string write(const Document& document) {
  std::string out;
  for (const auto& tier : document.tiers) out += text_of(tier);
  for (const auto& group : document.groups) out += text_of(group);
  for (const auto& rule : document.vms)
    out += fmt::format("[[vm]]\nname = {}\n{}\n", quoted(rule.name), keys(rule.patch));
  for (const auto& event : document.events) out += text_of(event);
  for (const auto& maintenance : document.maintenance) out += text_of(maintenance);
  if (document.queueing) out += text_of(*document.queueing);
  for (const auto& one : document.classes) out += text_of(one);
  for (const auto& rule : document.rules) {
    out += fmt::format("[[rule]]\nname = {}\n", quoted(rule.name));
    for (const auto& [key, value] : said(rule)) out += fmt::format("{} = {}\n", key, value);
    out += "\n";
  }
  return out;
}

}  // namespace foreflow::policy
