// SPDX-License-Identifier: Apache-2.0
// The records of a classic capture file of this machine's byte order, read where the kernel keeps them.
// Place: dataplane/offline, below CaptureFile. Packets are not copied: of most only the headers are ever touched, and
// copying them took a third of the time of classifying a capture.
// As with every mapping, a file that another program truncates meanwhile ends this one; growing is harmless.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace foreflow::offline {

class MappedRecords {
 public:
  struct Record {
    std::span<const std::uint8_t> bytes;
    std::uint32_t wire_size = 0;
    std::uint64_t time_ns = 0;
  };

  // Nothing when this is another kind of file, or one that cannot be mapped.
  static std::optional<MappedRecords> open(const std::filesystem::path& file);
  MappedRecords(MappedRecords&& other) noexcept;
  MappedRecords& operator=(MappedRecords&&) = delete;
  ~MappedRecords();

  // False at the end, which may be a damage; damage() then says which. The record before it goes.
  bool next(Record& record);
  const std::string& damage() const noexcept { return damage_; }

 private:
  explicit MappedRecords(std::span<const std::uint8_t> file) noexcept;

  void leave_behind() noexcept;

  std::span<const std::uint8_t> file_;
  std::size_t at_ = 0;
  std::size_t left_behind_ = 0;    // bytes from the start on that take no memory any more
  std::uint32_t most_kept_ = 0;    // bytes of a packet, as the file's header states
  std::uint32_t ns_per_unit_ = 0;  // of the fraction of a second
  std::string damage_;
};

}  // namespace foreflow::offline
