// SPDX-License-Identifier: Apache-2.0
// Reads the frames of one capture file, pcap or pcapng, in order.
// Place: dataplane/offline.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "common/result.h"
#include "dataplane/offline/mapped_records.h"

struct pcap;

namespace foreflow::offline {

class CaptureFile {
 public:
  using Frame = MappedRecords::Record;  // its bytes are valid until the next call of next()

  // Error: the file cannot be read, is no capture, or its link type is not known.
  static Result<CaptureFile> open(const std::filesystem::path& file);

  // False at the end. A file that is damaged further on ends there; damage() then says why.
  bool next(Frame& frame);
  const std::string& damage() const noexcept { return damage_; }
  int link_type() const noexcept { return link_type_; }

 private:
  struct Close {
    void operator()(pcap* capture) const noexcept;
  };

  explicit CaptureFile(pcap* capture);

  std::unique_ptr<pcap, Close> capture_;
  std::optional<MappedRecords> records_;  // of most files; libpcap reads the others
  int link_type_ = 0;
  std::string damage_;
};

}  // namespace foreflow::offline
