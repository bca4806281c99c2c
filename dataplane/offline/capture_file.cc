// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offline/capture_file.h"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include "common/units.h"
#include "dataplane/offline/dissect.h"

namespace foreflow::offline {
namespace {

std::string name_of_link_type(int type) {
  const char* name = pcap_datalink_val_to_name(type);
  return name != nullptr ? name : fmt::format("number {}", type);
}

}  // namespace

void CaptureFile::Close::operator()(pcap* capture) const noexcept { pcap_close(capture); }

CaptureFile::CaptureFile(pcap* capture) : capture_(capture), link_type_(pcap_datalink(capture)) {}

Result<CaptureFile> CaptureFile::open(const std::filesystem::path& file) {
  char error[PCAP_ERRBUF_SIZE] = "";
  auto* capture = pcap_open_offline_with_tstamp_precision(file.c_str(), PCAP_TSTAMP_PRECISION_NANO, error);
  if (capture == nullptr) return fail(ErrorCode::kMalformed, fmt::format("{}: {}", file.string(), error));
  CaptureFile opened(capture);
  if (!is_known_link_type(opened.link_type()))
    return fail(ErrorCode::kUnsupported,
                fmt::format("{}: link type {} is not known; expected Ethernet, raw IP, Linux cooked, loopback, PPP or "
                            "HDLC; 'editcap -T ether' may convert it",
                            file.string(), name_of_link_type(opened.link_type())));
  if (auto records = MappedRecords::open(file)) opened.records_.emplace(std::move(*records));
  return opened;
}

bool CaptureFile::next(Frame& frame) {
  if (records_) {
    if (records_->next(frame)) return true;
    damage_ = records_->damage();
    return false;
  }
  pcap_pkthdr* header = nullptr;
  const unsigned char* data = nullptr;
  const int status = pcap_next_ex(capture_.get(), &header, &data);
  if (status == PCAP_ERROR) damage_ = pcap_geterr(capture_.get());
  if (status != 1) return false;
  frame.bytes = {data, header->caplen};
  frame.wire_size = header->len;
  frame.time_ns = static_cast<std::uint64_t>(header->ts.tv_sec) * kNanosPerSecond +
                  static_cast<std::uint64_t>(header->ts.tv_usec);  // nanoseconds, as asked for
  return true;
}

}  // namespace foreflow::offline
