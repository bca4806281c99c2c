// SPDX-License-Identifier: Apache-2.0
#include "dataplane/port/capture.h"

#include <memory>

#include <fmt/format.h>
#include <pcap/pcap.h>

#include "common/log.h"

namespace foreflow::port {

Result<std::uint64_t> count_packets(const std::string& file) {
  char error[PCAP_ERRBUF_SIZE] = "";
  const std::unique_ptr<pcap_t, decltype(&pcap_close)> capture(pcap_open_offline(file.c_str(), error), pcap_close);
  if (!capture) return fail(ErrorCode::kMalformed, fmt::format("capture {}: {}", file, error));
  if (pcap_datalink(capture.get()) != DLT_EN10MB)
    return fail(ErrorCode::kMalformed,
                fmt::format("capture {}: link type {}, expected Ethernet; convert it with 'editcap -T ether'", file,
                            pcap_datalink_val_to_name(pcap_datalink(capture.get()))));
  std::uint64_t count = 0;
  pcap_pkthdr* header = nullptr;
  const unsigned char* data = nullptr;
  int status = 0;
  while ((status = pcap_next_ex(capture.get(), &header, &data)) == 1) ++count;
  if (status != PCAP_ERROR_BREAK)  // the end of the file
    log::warning("capture is damaged; it is used up to there",
                 {{"file", file}, {"packets", count}, {"reason", pcap_geterr(capture.get())}});
  return count;
}

Result<std::map<std::string, std::vector<std::uint64_t>>> inspect_captures(const config::Config& config) {
  constexpr std::string_view kArgument = "rx_pcap=";
  std::map<std::string, std::vector<std::uint64_t>> counts;
  for (const auto& port : config.ports) {
    for (std::size_t at = port.device.find(kArgument); at != std::string::npos;
         at = port.device.find(kArgument, at + 1)) {
      const auto begin = at + kArgument.size();
      const auto count = count_packets(port.device.substr(begin, port.device.find(',', begin) - begin));
      if (!count) return fail(count.error().code, fmt::format("port {}: {}", port.name, count.error().message));
      counts[port.name].push_back(*count);
    }
  }
  return counts;
}

}  // namespace foreflow::port
