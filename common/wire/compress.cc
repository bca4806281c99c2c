// SPDX-License-Identifier: Apache-2.0
#include "common/wire/compress.h"

#include <fmt/format.h>
#include <zstd.h>

#include "common/wire/convert.h"
#include "common/wire/limits.h"

namespace foreflow::wire {
namespace {

constexpr int kLevel = 3;
constexpr std::size_t kEnvelope = 1'024;  // what the stream's message adds to the compressed bytes, generously

Status check_counts(const Report& report) {
  const auto check = [](std::string_view what, std::size_t count, std::size_t most) -> Status {
    if (count <= most) return {};
    return fail(ErrorCode::kInvalidArgument, fmt::format("report: {} {}, at most {} fit", count, what, most));
  };
  return check("VMs", report.vms.size(), kMostVms)
      .and_then([&] { return check("flows", report.top_flows.size(), kMostFlows); })
      .and_then([&] { return check("intents", report.intents.size(), kMostIntents); });
}

Status check_frame(const CompressedReport& compressed) {
  const auto fault = [&](std::string what) {
    return fail(ErrorCode::kMalformed, fmt::format("report {}: {}", compressed.sequence, what));
  };
  if (compressed.raw_size > kLargestRawReport)
    return fault(fmt::format("raw_size {}, expected at most {}", compressed.raw_size, kLargestRawReport));
  const auto content = ZSTD_getFrameContentSize(compressed.zstd.data(), compressed.zstd.size());
  if (content == ZSTD_CONTENTSIZE_ERROR || content == ZSTD_CONTENTSIZE_UNKNOWN)
    return fault(fmt::format("{} bytes that are no zstd frame of known size", compressed.zstd.size()));
  if (content != compressed.raw_size)
    return fault(fmt::format("zstd frame holds {} bytes, raw_size says {}", content, compressed.raw_size));
  return {};
}

}  // namespace

Result<CompressedReport> compress(const Report& report, std::uint64_t boot_id) {
  if (auto status = check_counts(report); !status) return tl::unexpected(status.error());
  const auto raw = to_proto(report).SerializeAsString();
  CompressedReport compressed{.boot_id = boot_id, .sequence = report.sequence};
  compressed.raw_size = static_cast<std::uint32_t>(raw.size());
  compressed.zstd.resize(ZSTD_compressBound(raw.size()));
  const auto size = ZSTD_compress(compressed.zstd.data(), compressed.zstd.size(), raw.data(), raw.size(), kLevel);
  if (ZSTD_isError(size) != 0)
    return fail(ErrorCode::kInternal, fmt::format("report: zstd: {}", ZSTD_getErrorName(size)));
  if (raw.size() > kLargestRawReport || size > kLargestMessage - kEnvelope)
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("report: {} bytes, {} compressed: at most {} and {} fit", raw.size(), size,
                            kLargestRawReport, kLargestMessage - kEnvelope));
  compressed.zstd.resize(size);
  compressed.zstd.shrink_to_fit();
  return compressed;
}

Result<Report> decompress(const CompressedReport& compressed) {
  if (auto status = check_frame(compressed); !status) return tl::unexpected(status.error());
  std::string raw(compressed.raw_size, '\0');
  const auto size = ZSTD_decompress(raw.data(), raw.size(), compressed.zstd.data(), compressed.zstd.size());
  if (ZSTD_isError(size) != 0)
    return fail(ErrorCode::kMalformed,
                fmt::format("report {}: zstd: {}", compressed.sequence, ZSTD_getErrorName(size)));
  v1::Report message;
  if (size != raw.size() || !message.ParseFromString(raw))
    return fail(ErrorCode::kMalformed,
                fmt::format("report {}: {} bytes that are no Report message", compressed.sequence, size));
  auto report = from_proto(message);
  if (report) report->sequence = compressed.sequence;
  return report;
}

}  // namespace foreflow::wire
