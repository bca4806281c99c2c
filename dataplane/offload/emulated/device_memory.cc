// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/emulated/device_memory.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>
#include <span>
#include <type_traits>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"

namespace foreflow::offload::emulated {
namespace {

constexpr std::uint64_t kMagic = 0x4573'7769'7463'6833;  // changes with the layout

static_assert(std::is_trivially_copyable_v<Record>, "records are shared between processes");

struct Header {
  std::uint64_t magic = kMagic;
  std::uint32_t record_size = sizeof(Record);
  std::uint32_t slots = 0;
  std::atomic<std::uint64_t> inherited{0};  // entries born until then are a former owner's
  std::atomic<pid_t> claimed_by{0};
  std::atomic<std::uint64_t> rule_writes{0};
  std::atomic<std::int64_t> written_ns{0};  // Unix time of the last change
  std::atomic<bool> sticky{false};
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

namespace {

DeviceMemory::Contents count(std::span<const Entry> entries, std::uint64_t inherited) {
  DeviceMemory::Contents found;
  std::map<std::uint32_t, std::uint64_t> committed;  // of profiles
  std::vector<std::uint32_t> profiles;               // of meters
  for (const auto& entry : entries) {
    const auto born = entry.born.load(std::memory_order_acquire);
    if (born == 0) continue;
    found.strays += born <= inherited ? 1 : 0;
    if (const auto* profile = std::get_if<ProfileRecord>(&entry.record)) {
      ++found.usage.profiles;
      committed[profile->id] = profile->cir;
    } else if (const auto* meter = std::get_if<MeterRecord>(&entry.record)) {
      ++found.usage.meters;
      profiles.push_back(meter->profile);
    } else {
      ++(std::holds_alternative<RuleRecord>(entry.record) ? found.usage.rules : found.usage.policies);
    }
  }
  for (const auto profile : profiles) found.committed += committed[profile];
  return found;
}

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
    Header fresh;
    fresh.slots = slots;
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
  if (!header.sticky.load())
    for (auto& entry : (*mapping)->entries()) entry.born.store(0, std::memory_order_relaxed);
  header.sticky.store(sticky);
  DeviceMemory memory;
  memory.mapping_ = std::move(*mapping);
  return memory;
}

std::vector<Record> DeviceMemory::take() {
  if (!mapping_) return {};
  mapping_->header().inherited.store(UINT64_MAX, std::memory_order_release);
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

void DeviceMemory::claim() {
  if (!mapping_) return;
  mapping_->header().inherited.store(mapping_->last_born, std::memory_order_release);
  mapping_->header().claimed_by.store(::getpid(), std::memory_order_release);
}

DeviceMemory::Slot DeviceMemory::put(const Record& record) {
  if (!mapping_ || mapping_->free.empty()) return kNowhere;
  note_write(record);
  const auto slot = mapping_->free.back();
  mapping_->free.pop_back();
  auto& entry = mapping_->entries()[slot];
  entry.record = record;
  entry.born.store(++mapping_->last_born, std::memory_order_release);
  return slot;
}

void DeviceMemory::note_write(const Record& record) {
  mapping_->header().written_ns.store(SystemClock().now().value, std::memory_order_relaxed);
  if (std::holds_alternative<RuleRecord>(record))
    mapping_->header().rule_writes.fetch_add(1, std::memory_order_relaxed);
}

void DeviceMemory::replace(Slot slot, const Record& record) {
  if (slot == kNowhere) return;
  mapping_->entries()[slot].record = record;
  mapping_->header().written_ns.store(SystemClock().now().value, std::memory_order_relaxed);
}

void DeviceMemory::erase(Slot slot) {
  if (slot == kNowhere) return;
  note_write(mapping_->entries()[slot].record);
  mapping_->entries()[slot].born.store(0, std::memory_order_release);
  mapping_->free.push_back(slot);
}

Result<DeviceMemory::Contents> DeviceMemory::inspect(const std::string& file) {
  Descriptor opened(::open(file.c_str(), O_RDWR | O_CLOEXEC));
  if (opened.get() < 0) return tl::unexpected(system_error(file, "open"));
  struct stat status {};
  if (::fstat(opened.get(), &status) != 0) return tl::unexpected(system_error(file, "fstat"));
  if (status.st_size < static_cast<off_t>(sizeof(Header))) return tl::unexpected(not_ours(file));
  const auto mapping = Mapping::of(file, std::move(opened), static_cast<std::size_t>(status.st_size));
  if (!mapping) return tl::unexpected(mapping.error());
  const bool owned = (*mapping)->file().locked_by_another();
  const auto& header = (*mapping)->header();
  // An owner that has not come to claim() yet holds what another one left.
  const bool claimed = owned && ::kill(header.claimed_by.load(std::memory_order_acquire), 0) == 0;
  if (!owned && !header.sticky.load()) return Contents{};
  auto found = count((*mapping)->entries(), claimed ? header.inherited.load(std::memory_order_acquire) : UINT64_MAX);
  found.rule_writes = header.rule_writes.load(std::memory_order_relaxed);
  found.written = UnixNanos{header.written_ns.load(std::memory_order_relaxed)};
  return found;
}

}  // namespace foreflow::offload::emulated
