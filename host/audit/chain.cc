// SPDX-License-Identifier: Apache-2.0
#include "host/audit/chain.h"

#include <algorithm>

#include "host/audit/bytes.h"
#include "host/audit/entry.h"

namespace foreflow::audit {

Hash chained(const Hash& before, std::string_view payload) {
  std::string both(before.begin(), before.end());
  both += payload;
  return sha256(both);
}

Digest digest_of(const std::vector<allocate::Outcome>& outcomes) {
  ByteWriter out;
  for (const auto& [state, guarantee, share, damped] : outcomes) {
    for (const std::uint64_t number :
         {state.want.value, state.fall ? static_cast<std::uint64_t>(state.fall->until.value) + 1 : 0,
          state.fall ? state.fall->highest.value : 0, guarantee.value, std::uint64_t{share.vm.value}, share.grant.value,
          share.cir.value, share.pir.value, static_cast<std::uint64_t>(share.binding), std::uint64_t{share.link}})
      out.put(number);
    if (damped) out.put(damped->value);
  }
  const Hash hash = sha256(out.bytes());
  Digest digest;
  std::copy_n(hash.begin(), digest.size(), digest.begin());
  return digest;
}

}  // namespace foreflow::audit
