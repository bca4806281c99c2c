// SPDX-License-Identifier: Apache-2.0
#include "dataplane/police/police.h"

#include <optional>

namespace foreflow::police {

void decide(meter::TwoRateMeter* meter, meter::Residual* residual, std::span<Offer> burst,
            std::uint64_t now_ns) noexcept {
  std::uint64_t charged = 0;
  std::optional<bool> lends;
  if (meter != nullptr) meter->refill(now_ns);
  for (auto& offer : burst) {
    const auto size = Bytes{offer.size};
    const auto colour = meter == nullptr ? meter::Colour::kGreen : meter->colour(size);
    offer.passes = colour != meter::Colour::kRed;
    if (colour == meter::Colour::kYellow && offer.over_uplink && residual != nullptr) {
      if (!lends) lends = residual->lends(now_ns);
      offer.passes = *lends;
    }
    if (!offer.passes) continue;
    if (meter != nullptr) meter->pay(size, colour);
    if (offer.over_uplink) charged += offer.size;
  }
  if (charged != 0 && residual != nullptr) residual->charge(Bytes{charged}, now_ns);
}

}  // namespace foreflow::police
