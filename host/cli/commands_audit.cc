// SPDX-License-Identifier: Apache-2.0
// explain vm, audit verify | replay: past decisions.
#include <boost/program_options.hpp>
#include <fmt/format.h>

#include "host/cli/command.h"
#include "host/cli/guest_text.h"
#include "host/cli/json.h"
#include "host/cli/table.h"

namespace foreflow::cli {
namespace {

// Nanoseconds of a time option; 0 when it is not given.
tl::expected<std::int64_t, Failure> time_option(const Context& context, const std::string& name) {
  if (context.options.count(name) == 0) return 0;
  const auto time = parse_time(context.options[name].as<std::string>());
  if (!time) return usage(fmt::format("--{}: {}", name, time.error().message));
  return time->value;
}

std::string time_text(std::int64_t nanos) { return nanos == 0 ? "-" : format_time(UnixNanos{nanos}); }

std::string amount_text(const pb::DirectionExplanation& side, std::uint64_t amount) {
  if (side.direction() != "CPU" && side.direction() != "memory") return rate_text(amount);
  if (amount == kUnlimited.value) return "unlimited";
  return side.direction() == "CPU" ? cpus_text(amount) + " CPUs" : format_bytes(Bytes{amount});
}

// Balloons follow slowly: of memory the second figure is what is in force by now.
std::string side_text(const pb::DirectionExplanation& side, std::int64_t decided) {
  const bool is_memory = side.direction() == "memory";
  const auto amount = [&](std::uint64_t value) { return amount_text(side, value); };
  auto text = fmt::format("\n{}: allocation {}, {} {}{}{}\n", side.direction(), amount(side.cir()),
                          is_memory ? "by now" : "up to", amount(side.pir()), side.enforced() ? "" : " (not enforced)",
                          side.time() == decided ? "" : fmt::format(", decided at {}", time_text(side.time())));
  const auto line = [&](std::string_view what, const std::string& value) {
    text += fmt::format("  {:<22}{}\n", what, value);
  };
  line("because", printable(side.binding()));
  line("forecast", side.model().empty()
                       ? std::string("none: no traffic seen yet")
                       : fmt::format("{} by {}, peak {}{}{}", amount(side.demand()), printable(side.model()),
                                     amount(side.peak()), side.limited() ? ", limited now" : "",
                                     side.known() ? "" : ", not believed: it may narrow nothing"));
  line("asked for", fmt::format("{}, before {}", amount(side.want()), amount(side.before())));
  line("guarantee, cap", fmt::format("{}, {}", amount(side.guarantee()), amount(side.cap())));
  Table table({"  OTHERWISE", ">ALLOCATION", is_memory ? ">BY NOW" : ">UP TO"});
  for (const auto& other : side.counterfactuals())
    table.add({"  " + other.change(), amount(other.cir()), amount(other.pir())});
  return text + table.text();
}

Outcome audit(Context& context, const pb::AuditRequest& request) {
  const auto manager = context.manager();
  if (!manager) return tl::unexpected(manager.error());
  const auto report = (*manager)->audit(request);
  if (!report) return failure(report.error());
  if (!report->fault().empty()) return tl::unexpected(Failure{ExitCode::kFailure, printable(report->fault())});
  if (context.json) return text_of(to_json(*report));
  auto text = fmt::format("whole: {} records in {} segments, {}\n", report->records(), report->segments(),
                          format_bytes(Bytes{report->bytes()}));
  if (request.replay())
    text = fmt::format("identical: {} decisions in {} records, {} to {}\n", report->decisions(), report->records(),
                       time_text(report->first()), time_text(report->last()));
  return text + fmt::format("chain from {}\nto         {}\n", report->anchor(), report->head());
}

}  // namespace

Outcome explain_vm(Context& context) {
  const auto time = time_option(context, "at");
  if (!time) return tl::unexpected(time.error());
  const auto manager = context.manager();
  if (!manager) return tl::unexpected(manager.error());
  pb::ExplainRequest request;
  request.set_vm(context.argument());
  request.set_time(*time);
  const auto explanation = (*manager)->explain(request);
  if (!explanation) return failure(explanation.error());
  if (context.json) return text_of(to_json(*explanation));
  auto text = fmt::format("{} on {}, decided at {} by policy version {}\n", explanation->vm(), explanation->dataplane(),
                          time_text(explanation->time()), explanation->policy_version());
  for (const auto& side : explanation->directions()) text += side_text(side, explanation->time());
  return text;
}

Outcome audit_verify(Context& context) { return audit(context, {}); }

Outcome audit_replay(Context& context) {
  const auto from = time_option(context, "from");
  if (!from) return tl::unexpected(from.error());
  const auto to = time_option(context, "to");
  if (!to) return tl::unexpected(to.error());
  pb::AuditRequest request;
  request.set_replay(true);
  request.set_from(*from);
  request.set_to(*to);
  return audit(context, request);
}

}  // namespace foreflow::cli
