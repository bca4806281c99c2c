// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/emulated/device_memory.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <span>
#include <type_traits>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace foreflow::offload::emulated {
namespace {

constexpr std::uint64_t kMagic = 0x4573'7769'7463'6831;  // changes with the layout

static_assert(std::is_trivially_copyable_v<Record>, "records are shared between processes");

struct Header {
  std::uint64_t magic = kMagic;
  std::uint32_t record_size = sizeof(Record);
  std::uint32_t slots = 0;
  bool sticky = false;
};

// Free while `born` is 0. Written before it becomes something else, so a process that dies in between leaves nothing.
struct Entry {
  std::atomic<std::uint64_t> born{0};
  Record record;
};

Error system_error(const std::string& file, const char* what) {
  return {ErrorCode::kIo, fmt::format("device memory '{}': {}: {}", file, what, std::strerror(errno))};
}

Error not_ours(const std::string& file) {
  return {ErrorCode::kInvalidConfig,
          fmt::format("'{}' is no device memory of this program; remove it or name another file", file)};
}

std::size_t size_for(std::uint32_t slots) { return sizeof(Header) + std::size_t{slots} * sizeof(Entry); }

void count(const Record& record, Usage& usage) {
  usage.profiles += std::holds_alternative<ProfileRecord>(record) ? 1 : 0;
  usage.policies += std::holds_alternative<PolicyRecord>(record) ? 1 : 0;
  usage.meters += std::holds_alternative<MeterRecord>(record) ? 1 : 0;
  usage.rules += std::holds_alternative<RuleRecord>(record) ? 1 : 0;
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  int get() const { return number_; }
  // The lock goes with the process, however that ends.
  bool lock() const {
    struct flock whole = kWhole;
    return ::fcntl(number_, F_OFD_SETLK, &whole) == 0;
  }
  bool locked_by_another() const {
    struct flock whole = kWhole;
    return ::fcntl(number_, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
  }

 private:
  static constexpr struct flock kWhole {
    .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0, .l_pid = 0
  };
  int number_;
};

}  // namespace

class DeviceMemory::Mapping {
 public:
  Mapping(Descriptor file, void* memory, std::size_t size) : file_(std::move(file)), memory_(memory), size_(size) {}
  ~Mapping() { ::munmap(memory_, size_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  static Result<std::unique_ptr<Mapping>> of(const std::string& name, Descriptor file, std::size_t size) {
    void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (memory == MAP_FAILED) return tl::unexpected(system_error(name, "mmap"));
    auto mapping = std::make_unique<Mapping>(std::move(file), memory, size);
    const auto& header = mapping->header();
    if (header.magic == kMagic && header.record_size == sizeof(Record) && size_for(header.slots) <= size)
      return mapping;
    return tl::unexpected(not_ours(name));
  }

  Header& header() const { return *static_cast<Header*>(memory_); }
  std::span<Entry> entries() const { return {reinterpret_cast<Entry*>(&header() + 1), header().slots}; }
  const Descriptor& file() const { return file_; }

  std::vector<Slot> free;  // the next to use at the end
  std::uint64_t last_born = 0;

 private:
  Descriptor file_;
  void* memory_;
  std::size_t size_;
};

DeviceMemory::DeviceMemory() = default;
DeviceMemory::~DeviceMemory() = default;
DeviceMemory::DeviceMemory(DeviceMemory&&) noexcept = default;
DeviceMemory& DeviceMemory::operator=(DeviceMemory&&) noexcept = default;

Result<DeviceMemory> DeviceMemory::open(const std::string& file, Slot slots, bool sticky) {
  Descriptor opened(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (opened.get() < 0) return tl::unexpected(system_error(file, "open"));
  if (!opened.lock()) return fail(ErrorCode::kAlreadyExists, fmt::format("device memory '{}' is in use", file));
  struct stat status {};
  if (::fstat(opened.get(), &status) != 0) return tl::unexpected(system_error(file, "fstat"));
  if (status.st_size == 0) {
    const Header fresh{.slots = slots, .sticky = sticky};
    if (::ftruncate(opened.get(), static_cast<off_t>(size_for(slots))) != 0 ||
        ::pwrite(opened.get(), &fresh, sizeof(fresh), 0) != sizeof(fresh))
      return tl::unexpected(system_error(file, "write"));
    status.st_size = static_cast<off_t>(size_for(slots));
  }
  if (status.st_size < static_cast<off_t>(sizeof(Header))) return tl::unexpected(not_ours(file));
  auto mapping = Mapping::of(file, std::move(opened), static_cast<std::size_t>(status.st_size));
  if (!mapping) return tl::unexpected(mapping.error());
  auto& header = (*mapping)->header();
  if (header.slots != slots) return tl::unexpected(not_ours(file));
  if (!header.sticky)
    for (auto& entry : (*mapping)->entries()) entry.born.store(0, std::memory_order_relaxed);
  header.sticky = sticky;
  DeviceMemory memory;
  memory.mapping_ = std::move(*mapping);
  return memory;
}

std::vector<Record> DeviceMemory::take() {
  if (!mapping_) return {};
  // Profiles first: a meter may have come before the profile that it has now.
  std::vector<std::pair<std::pair<bool, std::uint64_t>, Record>> found;
  mapping_->free.clear();
  const auto entries = mapping_->entries();
  for (Slot slot = static_cast<Slot>(entries.size()); slot-- > 0;) {
    const auto born = entries[slot].born.exchange(0, std::memory_order_acq_rel);
    const auto& record = entries[slot].record;
    if (born != 0) found.emplace_back(std::pair{!std::holds_alternative<ProfileRecord>(record), born}, record);
    mapping_->free.push_back(slot);
  }
  std::ranges::sort(found, {}, [](const auto& entry) { return entry.first; });
  std::vector<Record> records;
  records.reserve(found.size());
  for (auto& [place, record] : found) records.push_back(record);
  return records;
}

DeviceMemory::Slot DeviceMemory::put(const Record& record) {
  if (!mapping_ || mapping_->free.empty()) return kNowhere;
  const auto slot = mapping_->free.back();
  mapping_->free.pop_back();
  auto& entry = mapping_->entries()[slot];
  entry.record = record;
  entry.born.store(++mapping_->last_born, std::memory_order_release);
  return slot;
}

void DeviceMemory::replace(Slot slot, const Record& record) {
  if (slot != kNowhere) mapping_->entries()[slot].record = record;
}

void DeviceMemory::erase(Slot slot) {
  if (slot == kNowhere) return;
  mapping_->entries()[slot].born.store(0, std::memory_order_release);
  mapping_->free.push_back(slot);
}

Result<Usage> DeviceMemory::inspect(const std::string& file) {
  Descriptor opened(::open(file.c_str(), O_RDWR | O_CLOEXEC));
  if (opened.get() < 0) return tl::unexpected(system_error(file, "open"));
  struct stat status {};
  if (::fstat(opened.get(), &status) != 0) return tl::unexpected(system_error(file, "fstat"));
  if (status.st_size < static_cast<off_t>(sizeof(Header))) return tl::unexpected(not_ours(file));
  const auto mapping = Mapping::of(file, std::move(opened), static_cast<std::size_t>(status.st_size));
  if (!mapping) return tl::unexpected(mapping.error());
  Usage usage;
  if (!(*mapping)->header().sticky && !(*mapping)->file().locked_by_another()) return usage;
  for (const auto& entry : (*mapping)->entries())
    if (entry.born.load(std::memory_order_acquire) != 0) count(entry.record, usage);
  return usage;
}

}  // namespace foreflow::offload::emulated
