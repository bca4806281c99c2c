// SPDX-License-Identifier: Apache-2.0
// policy check | diff | apply | show | history: the policy as a whole.
#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "common/files.h"
#include "host/cli/command.h"
#include "host/cli/json.h"
#include "host/cli/table.h"

namespace foreflow::cli {
namespace {

constexpr std::size_t kLargestFile = 512 << 10;

std::optional<std::uint64_t> as_version(const std::string& word) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size() || number == 0) return std::nullopt;
  return number;
}

// A word of digits is a version; anything else is a file.
tl::expected<pb::ApplyPolicyRequest, Failure> request_for(const Context& context) {
  pb::ApplyPolicyRequest request;
  if (const auto version = as_version(context.argument())) {
    request.set_version(*version);
    return request;
  }
  const auto text = read_file(context.argument(), kLargestFile);
  if (!text) return tl::unexpected(failure(text.error()).value());
  request.set_text(*text);
  request.set_name(context.argument());
  return request;
}

std::string table_of(const pb::PolicyAccepted& accepted) {
  if (accepted.changes().empty()) return "nothing changes\n";
  Table table({"WHAT", "BEFORE", "AFTER"});
  for (const auto& change : accepted.changes())
    table.add({change.what(), change.before().empty() ? "-" : change.before(),
               change.after().empty() ? "-" : change.after()});
  return table.text();
}

tl::expected<pb::PolicyAccepted, Failure> ask(Context& context, bool dry_run, const std::string& comment) {
  auto request = request_for(context);
  if (!request) return tl::unexpected(request.error());
  request->set_dry_run(dry_run);
  request->set_comment(comment);
  const auto manager = context.manager();
  if (!manager) return tl::unexpected(manager.error());
  auto accepted = (*manager)->apply_policy(*request);
  if (!accepted) return tl::unexpected(failure(accepted.error()).value());
  return *accepted;
}

std::string shadow_text(const pb::ShadowReport& report) {
  if (!report.running()) return "no shadow policy is running\n";
  const auto part = [&](std::uint64_t bytes) {
    return fmt::format("{} ({})", format_bytes(Bytes{bytes}), percent_text(bytes, report.offered()));
  };
  auto text = fmt::format("{} since {}, {} rounds{}\noffered {}; unserved by limits: active {}, shadow {}\n",
                          printable(report.name()), format_time(UnixNanos{report.since()}), report.cycles(),
                          report.failures() == 0 ? "" : fmt::format(", {} impossible", report.failures()),
                          format_bytes(Bytes{report.offered()}), part(report.active_unserved()),
                          part(report.shadow_unserved()));
  if (report.limits().empty()) return text + "no limit would be another\n";
  Table table({"VM", "DIRECTION", ">ALLOCATION", ">SHADOW", ">UP TO", ">SHADOW"});
  for (const auto& limit : report.limits())
    table.add({limit.vm(), limit.direction(), rate_text(limit.active_cir()), rate_text(limit.shadow_cir()),
               rate_text(limit.active_pir()), rate_text(limit.shadow_pir())});
  return text + table.text();
}

}  // namespace

Outcome policy_check(Context& context) {
  const auto accepted = ask(context, true, "");
  if (!accepted) return tl::unexpected(accepted.error());
  if (context.json) return text_of(to_json(*accepted));
  return fmt::format("{}: good; it would change {} things\n", context.argument(), accepted->changes_size());
}

Outcome policy_diff(Context& context) {
  const auto accepted = ask(context, true, "");
  if (!accepted) return tl::unexpected(accepted.error());
  return context.json ? text_of(to_json(*accepted)) : table_of(*accepted);
}

Outcome policy_apply(Context& context) {
  const bool dry_run = context.options.count("dry-run") != 0;
  const auto accepted = ask(context, dry_run, context.options["comment"].as<std::string>());
  if (!accepted) return tl::unexpected(accepted.error());
  if (context.json) return text_of(to_json(*accepted));
  return table_of(*accepted) + (dry_run ? std::string("dry run: nothing was changed\n")
                                        : fmt::format("policy version {} is in force\n", accepted->version()));
}

Outcome policy_show(Context& context) {
  pb::ListPolicyVersionsRequest request;
  const auto version = as_version(context.argument());
  if (!version && !context.argument().empty())
    return usage("'" + context.argument() + "' is no version; foreflow policy history lists them");
  request.set_number(version.value_or(0));
  request.set_newest(!version);
  const auto manager = context.manager();
  if (!manager) return tl::unexpected(manager.error());
  const auto list = (*manager)->policy_versions(request);
  if (!list) return failure(list.error());
  const auto& found = list->versions(0);
  if (context.json) return text_of(to_json(found));
  // The text as it is, so that it can be saved, changed and applied again.
  return found.text() + (found.text().ends_with('\n') ? "" : "\n");
}

Outcome policy_history(Context& context) {
  const auto manager = context.manager();
  if (!manager) return tl::unexpected(manager.error());
  const auto list = (*manager)->policy_versions({});
  if (!list) return failure(list.error());
  if (context.json) return text_of(to_json_array(list->versions()));
  Table table({">VERSION", "TIME", "BY", "COMMENT"});
  for (const auto& version : list->versions())
    table.add({std::to_string(version.number()), format_time(UnixNanos{version.time()}), version.author(),
               version.comment().empty() ? "-" : version.comment()});
  return table.text();
}

Outcome policy_shadow(Context& context) {
  pb::ShadowRequest request;
  if (context.argument() == "off") {
    request.set_stop(true);
  } else if (!context.argument().empty()) {
    const auto policy = request_for(context);
    if (!policy) return tl::unexpected(policy.error());
    request.set_text(policy->text());
    request.set_name(policy->name());
    request.set_version(policy->version());
  }
  const auto manager = context.manager();
  if (!manager) return tl::unexpected(manager.error());
  const auto report = (*manager)->shadow(request);
  if (!report) return failure(report.error());
  return context.json ? text_of(to_json(*report)) : shadow_text(*report);
}

}  // namespace foreflow::cli
