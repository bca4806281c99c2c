// SPDX-License-Identifier: Apache-2.0
// What the dataplane says.
#include "common/wire/convert.h"
#include "common/wire/limits.h"
#include "common/wire/validate.h"

namespace foreflow::wire {
namespace {

constexpr std::size_t kLendings = 3;
constexpr std::size_t kPlacements = 3;

std::string octets(const MacAddress& mac) { return {mac.octets.begin(), mac.octets.end()}; }

void put(const Hello& hello, v1::FromDataplane* message) {
  auto* out = message->mutable_hello();
  out->set_dataplane(hello.dataplane);
  out->set_version(valid_text(hello.version, kLongestName));
  out->set_boot_id(hello.boot_id);
  out->set_applied_generation(hello.applied.value);
  auto* capabilities = out->mutable_capabilities();
  capabilities->set_lending(static_cast<std::uint32_t>(hello.capabilities.lending));
  capabilities->set_hardware_meters(hello.capabilities.hardware_meters);
  capabilities->set_backend(valid_text(hello.capabilities.backend, kLongestText));
  for (const auto& port : hello.ports) {
    auto* info = out->add_ports();
    info->set_name(valid_text(port.name, kLongestName));
    info->set_driver(valid_text(port.driver, kLongestName));
    info->set_mac(octets(port.mac));
    info->set_uplink(port.uplink);
    info->set_up(port.up);
  }
}

PortInfo get(const v1::PortInfo& in, const Place& place, Validator& validator) {
  return PortInfo{.name = validator.name(place / "name", in.name()),
                  .driver = validator.text(place / "driver", in.driver(), kLongestName),
                  .mac = validator.mac(place / "mac", in.mac()),
                  .uplink = in.uplink(),
                  .up = in.up()};
}

Hello get(const v1::Hello& in, const Place& place, Validator& validator) {
  Hello hello;
  hello.dataplane = validator.name(place / "dataplane", in.dataplane());
  hello.version = validator.text(place / "version", in.version(), kLongestName);
  hello.boot_id = in.boot_id();
  if (hello.boot_id == 0) validator.fault(place / "boot_id", "0, expected the number of this start of the process");
  hello.applied = Generation{in.applied_generation()};
  const auto capabilities = place / "capabilities";
  hello.capabilities.lending =
      validator.choice<Lending>(capabilities / "lending", in.capabilities().lending(), kLendings);
  hello.capabilities.hardware_meters = in.capabilities().hardware_meters();
  hello.capabilities.backend = validator.text(capabilities / "backend", in.capabilities().backend(), kLongestText);
  if (const auto ports = place / "ports"; validator.count(ports, static_cast<std::size_t>(in.ports_size()), kMostPorts))
    for (const auto& port : in.ports()) hello.ports.push_back(get(port, ports[hello.ports.size()], validator));
  return hello;
}

void put(const CompressedReport& report, v1::FromDataplane* message) {
  auto* out = message->mutable_report();
  out->set_boot_id(report.boot_id);
  out->set_sequence(report.sequence);
  out->set_raw_size(report.raw_size);
  out->set_zstd(report.zstd);
}

CompressedReport get(const v1::CompressedReport& in, const Place& place, Validator& validator) {
  if (in.boot_id() == 0) validator.fault(place / "boot_id", "0, expected the boot that made the report");
  if (in.sequence() == 0) validator.fault(place / "sequence", "0, expected 1 or more");
  return CompressedReport{
      .boot_id = in.boot_id(),
      .sequence = in.sequence(),
      .raw_size = static_cast<std::uint32_t>(validator.within(place / "raw_size", in.raw_size(), 0, kLargestRawReport)),
      .zstd = in.zstd()};
}

void put(const Applied& applied, v1::FromDataplane* message) {
  auto* out = message->mutable_applied();
  out->set_generation(applied.generation.value);
  for (const auto& result : applied.results) {
    auto* intent = out->add_results();
    intent->set_id(result.id.value);
    intent->set_placement(static_cast<std::uint32_t>(result.placement));
    intent->set_reason(valid_text(result.reason, kLongestName));
    intent->set_achieved_cir(result.achieved_cir.value);
    intent->set_achieved_pir(result.achieved_pir.value);
  }
}

IntentResult get(const v1::IntentResult& in, const Place& place, Validator& validator) {
  return IntentResult{.id = IntentId{in.id()},
                      .placement = validator.choice<Placement>(place / "placement", in.placement(), kPlacements),
                      .reason = validator.text(place / "reason", in.reason(), kLongestName),
                      .achieved_cir = BytesPerSecond{in.achieved_cir()},
                      .achieved_pir = BytesPerSecond{in.achieved_pir()}};
}

Applied get(const v1::Applied& in, const Place& place, Validator& validator) {
  Applied applied{.generation = Generation{in.generation()}};
  if (const auto results = place / "results";
      validator.count(results, static_cast<std::size_t>(in.results_size()), kMostIntents))
    for (const auto& result : in.results())
      applied.results.push_back(get(result, results[applied.results.size()], validator));
  return applied;
}

void put(const Event& event, v1::FromDataplane* message) {
  auto* out = message->mutable_event();
  out->set_time(event.time.value);
  out->set_kind(valid_text(event.kind, kLongestName));
  out->set_text(valid_text(event.text, kLongestText));
}

Event get(const v1::Event& in, const Place& place, Validator& validator) {
  return Event{.time = UnixNanos{in.time()},
               .kind = validator.name(place / "kind", in.kind()),
               .text = validator.text(place / "text", in.text(), kLongestText)};
}

}  // namespace

v1::FromDataplane to_proto(const FromDataplane& message) {
  v1::FromDataplane out;
  std::visit([&](const auto& plain) { put(plain, &out); }, message);
  return out;
}

Result<FromDataplane> from_proto(const v1::FromDataplane& message) {
  Validator validator;
  switch (message.message_case()) {
    case v1::FromDataplane::kHello:
      return validator.finish(FromDataplane(get(message.hello(), Place("hello"), validator)));
    case v1::FromDataplane::kReport:
      return validator.finish(FromDataplane(get(message.report(), Place("report"), validator)));
    case v1::FromDataplane::kApplied:
      return validator.finish(FromDataplane(get(message.applied(), Place("applied"), validator)));
    case v1::FromDataplane::kEvent:
      return validator.finish(FromDataplane(get(message.event(), Place("event"), validator)));
    case v1::FromDataplane::MESSAGE_NOT_SET:
      break;
  }
  return fail(ErrorCode::kMalformed, "message: none that is known, expected hello, report, applied or event");
}

}  // namespace foreflow::wire
