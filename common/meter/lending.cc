// SPDX-License-Identifier: Apache-2.0
#include "common/meter/lending.h"

#include <algorithm>
#include <utility>

namespace foreflow::meter {
namespace {

// Shares add up to a little more than there is, so that measuring late leaves nothing unused; the residual refuses what
// is too much.
constexpr std::uint64_t kMarginFraction = 512;

constexpr std::uint64_t kForgetRate = 1'000;  // bytes per second: below this a VM does not borrow

// Exponential smoothing over irregular steps.
std::uint64_t smoothed(std::uint64_t rate, std::uint64_t bytes, std::uint64_t step_ns) noexcept {
  const auto sample = static_cast<unsigned __int128>(bytes) * kNanosPerSecond / step_ns;
  const auto sum = static_cast<unsigned __int128>(rate) * Lender::kSmoothNs + sample * step_ns;
  return static_cast<std::uint64_t>(sum / (Lender::kSmoothNs + step_ns));
}

}  // namespace

void Borrower::refill(LendingLevel level, std::uint64_t now_ns) noexcept {
  const auto elapsed = now_ns > filled_ns_ ? std::min(now_ns - filled_ns_, kDepthNs) : 0;
  filled_ns_ = std::max(filled_ns_, now_ns);
  if (level.is_unlimited()) {
    credit_ = std::max<__int128>(credit_, 1);
    return;
  }
  const auto rate = static_cast<unsigned __int128>(level.value) * weight_ >> LendingLevel::kFraction;
  const auto depth = static_cast<__int128>(rate * kDepthNs);
  credit_ = std::min(credit_ + static_cast<__int128>(rate * elapsed), depth);
}

void Lending::publish(std::size_t worker, const Standing& standing, std::uint64_t now_ns) noexcept {
  auto& cell = cells_[worker];
  const auto set = [](std::atomic<std::uint64_t>& to, std::uint64_t value) {
    if (to.load(std::memory_order_relaxed) != value) to.store(value, std::memory_order_relaxed);
  };
  set(cell.green, standing.green);
  set(cell.sated, standing.sated);
  set(cell.sated_weight, standing.sated_weight);
  set(cell.hungry_weight, standing.hungry_weight);
  set(cell.time_ns, now_ns);
}

LendingLevel Lending::level(BytesPerSecond capacity, std::uint64_t now_ns) const noexcept {
  Standing all;
  for (std::size_t worker = 0; worker < workers_; ++worker) {
    const auto& cell = cells_[worker];
    const auto time = cell.time_ns.load(std::memory_order_relaxed);
    if (now_ns > time && now_ns - time > kStaleNs) continue;
    all.green += cell.green.load(std::memory_order_relaxed);
    all.sated += cell.sated.load(std::memory_order_relaxed);
    all.sated_weight += cell.sated_weight.load(std::memory_order_relaxed);
    all.hungry_weight += cell.hungry_weight.load(std::memory_order_relaxed);
  }
  if (all.hungry_weight == 0 || capacity == kUnlimited) return {};
  const auto lent = capacity.value - std::min(capacity.value, all.green);
  const auto left = lent - std::min(lent, all.sated);
  const auto of_weight = [](std::uint64_t rate, std::uint64_t weight) {
    const auto raised = static_cast<unsigned __int128>(rate) * (kMarginFraction + 1) / kMarginFraction;
    return static_cast<std::uint64_t>(
        std::min<unsigned __int128>((raised << LendingLevel::kFraction) / weight, ~std::uint64_t{0} - 1));
  };
  return {std::max(of_weight(left, all.hungry_weight), of_weight(lent, all.hungry_weight + all.sated_weight))};
}

void Lender::forget(Borrower& borrower) noexcept {
  if (borrower.listed_) std::erase(borrowers_, &borrower);
  borrower.listed_ = false;
}

void Lender::settle(BytesPerSecond capacity, std::uint64_t now_ns) noexcept {
  const auto step = now_ns - turned_ns_;
  turned_ns_ = now_ns;
  green_rate_ = smoothed(green_rate_, std::exchange(green_bytes_, 0), step);
  Lending::Standing standing{.green = green_rate_};
  std::size_t kept = 0;
  for (auto* borrower : borrowers_) {
    borrower->rate_ = smoothed(borrower->rate_, std::exchange(borrower->borrowed_, 0), step);
    const bool is_hungry = borrower->refused_ns_ != 0 && now_ns - borrower->refused_ns_ <= kHungryNs;
    borrower->listed_ = is_hungry || borrower->rate_ >= kForgetRate;
    if (!borrower->listed_) continue;
    borrowers_[kept++] = borrower;
    (is_hungry ? standing.hungry_weight : standing.sated_weight) += borrower->weight_;
    if (!is_hungry) standing.sated += borrower->rate_;
  }
  borrowers_.resize(kept);
  lending_.publish(worker_, standing, now_ns);
  level_ = lending_.level(capacity, now_ns);
}

}  // namespace foreflow::meter
