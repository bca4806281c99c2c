// SPDX-License-Identifier: Apache-2.0
// foreflow-classify: captures in, one row for each flow out, named by the engine of the dataplane.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>

#include <boost/program_options.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "common/version.h"
#include "dataplane/offline/capture_file.h"
#include "dataplane/offline/flow_book.h"
#include "dataplane/offline/inner.h"
#include "dataplane/offline/predictions.h"

namespace foreflow {
namespace {

namespace fs = std::filesystem;
namespace options = boost::program_options;

constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr auto kProgressPeriod = std::chrono::milliseconds(200);

int report(const Error& error) {
  fmt::print(stderr, "foreflow-classify: {}\n", error.message);
  return kFailed;
}

// In the source tree its own; elsewhere the package's.
std::string default_signatures() {
  std::error_code error;
  return fs::is_directory("configs/signatures", error) ? "configs/signatures" : "/usr/share/foreflow/signatures";
}

options::options_description describe_options() {
  options::options_description all("Options");
  all.add_options()("output,o", options::value<std::string>()->value_name("FILE")->default_value("-"),
                    "where the rows go; '-' is standard output")(
      "signatures,s", options::value<std::string>()->value_name("DIR")->default_value(default_signatures()),
      "signature files")("cache", options::value<std::string>()->value_name("DIR")->default_value(""),
                         "keeps compiled signatures for the next run; '' keeps none")(
      "no-port-hints", "ports decide nothing, not even between equals")(
      "inner", "flows inside of VXLAN, Geneve, GRE and GTP-U in place of the tunnels")(
      "verbose,v", "more columns: what unnamed flows look like, fingerprints of TLS clients, encrypted hellos")(
      "version", "print the version and exit")("help,h", "print this help and exit");
  return all;
}

void print_help(const options::options_description& all) {
  std::cout << "usage: foreflow-classify [OPTIONS] DIR|FILE...\n\n"
               "Names the flows of captures (pcap, pcapng; of a folder: every *.pcap, *.pcapng and *.cap below it).\n\n"
            << all << "\nExit status: 0, or 1 when a capture or the signatures could not be read.\n";
}

bool is_capture(const fs::path& file) {
  const auto extension = file.extension();
  return extension == ".pcap" || extension == ".pcapng" || extension == ".cap";
}

Result<std::vector<fs::path>> find_captures(const std::vector<std::string>& given) {
  std::vector<fs::path> captures;
  for (const auto& name : given) {
    std::error_code error;
    if (!fs::is_directory(name, error)) {
      captures.emplace_back(name);
      continue;
    }
    const auto first = static_cast<std::ptrdiff_t>(captures.size());
    for (fs::recursive_directory_iterator it(name, error), end; !error && it != end; it.increment(error))
      if (it->is_regular_file() && is_capture(it->path())) captures.push_back(it->path());
    if (error) return fail(ErrorCode::kIo, fmt::format("{}: {}", name, error.message()));
    std::sort(captures.begin() + first, captures.end());
  }
  return captures;
}

// One line on a terminal, rewritten a few times a second; nothing elsewhere.
class Progress {
 public:
  explicit Progress(std::size_t total) : total_(total), shown_(isatty(STDERR_FILENO) == 1) {}
  ~Progress() {
    if (shown_) fmt::print(stderr, "\r\033[K");
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(std::size_t done, std::uint64_t packets) {
    const auto now = std::chrono::steady_clock::now();
    if (!shown_ || now - last_ < kProgressPeriod) return;
    last_ = now;
    fmt::print(stderr, "\r\033[K{} of {} captures, {} packets", done, total_, packets);
  }

 private:
  std::size_t total_;
  bool shown_;
  std::chrono::steady_clock::time_point last_{};
};

Result<std::uint64_t> classify_capture(const fs::path& file, classify::FlowClassifier& flow_classifier,
                                       const classify::Classifier& classifier, bool enters_tunnels,
                                       offline::Predictions& predictions) {
  auto capture = offline::CaptureFile::open(file);
  if (!capture) return tl::unexpected(capture.error());
  offline::FlowBook book(flow_classifier);
  offline::CaptureFile::Frame frame;
  offline::Dissected packet;
  std::uint64_t packets = 0;
  for (; capture->next(frame); ++packets) {
    if (!offline::dissect(capture->link_type(), frame.bytes, frame.wire_size, packet)) continue;
    if (enters_tunnels) offline::enter_tunnels(packet);
    book.add(packet, frame.time_ns);
  }
  if (!capture->damage().empty())
    fmt::print(stderr, "foreflow-classify: {}: damaged after {} packets ({}); used up to there\n", file.string(),
               packets, capture->damage());
  for (const auto& flow : book.conclude())
    predictions.add(file.filename().string(), flow, flow.hello != 0 ? &book.hellos()[flow.hello - 1] : nullptr,
                    classifier);
  return packets;
}

int run(const options::variables_map& given) {
  const auto captures = find_captures(given["capture"].as<std::vector<std::string>>());
  if (!captures) return report(captures.error());
  const auto classifier =
      classify::Classifier::load(given["signatures"].as<std::string>(), given["cache"].as<std::string>());
  if (!classifier) return report(classifier.error());
  auto inspector = classify::Inspector::create(**classifier);
  if (!inspector) return report(inspector.error());
  const auto engine = classify::FlowClassifier::create(
      {.port_hints = given.count("no-port-hints") == 0, .fingerprints = given.count("verbose") != 0});
  if (!engine) return report(engine.error());
  (*engine)->use(**classifier, *inspector);
  auto predictions = offline::Predictions::create(given["output"].as<std::string>(), given.count("verbose") != 0);
  if (!predictions) return report(predictions.error());

  int status = kOk;
  std::uint64_t packets = 0;
  Progress progress(captures->size());
  for (std::size_t i = 0; i < captures->size(); ++i) {
    const auto read = classify_capture((*captures)[i], **engine, **classifier, given.count("inner") != 0, *predictions);
    if (read) packets += *read;
    if (!read) status = report(read.error());
    progress.show(i + 1, packets);
  }
  if (auto written = predictions->finish(); !written) return report(written.error());
  return status;
}

}  // namespace
}  // namespace foreflow

int main(int argc, char** argv) {
  using namespace foreflow;
  const auto all = describe_options();
  options::options_description accepted;
  accepted.add(all).add_options()("capture", options::value<std::vector<std::string>>());
  options::positional_options_description positional;
  positional.add("capture", -1);
  options::variables_map given;
  try {
    options::store(options::command_line_parser(argc, argv).options(accepted).positional(positional).run(), given);
    options::notify(given);
  } catch (const options::error& error) {
    fmt::print(stderr, "foreflow-classify: {}; see --help\n", error.what());
    return kUsage;
  }
  if (given.count("help") != 0) return print_help(all), kOk;
  if (given.count("version") != 0) return fmt::print("foreflow-classify {}\n", kVersion), kOk;
  if (given.count("capture") == 0)
    return fmt::print(stderr, "foreflow-classify: no captures given; see --help\n"), kUsage;
  return run(given);
}
