// SPDX-License-Identifier: Apache-2.0
// Work on many series at once, with progress on a terminal.
// Place: host/app/backtest.
#pragma once
#include <cstddef>
#include <functional>
#include <string_view>

namespace foreflow::backtest {

// Calls work(0) ... work(count - 1), each once, on `threads` threads (0 = one per CPU); returns when all are done.
// `work` must not throw. Progress goes to standard error, one line that is rewritten, only on a terminal.
void for_each_parallel(std::size_t count, std::size_t threads, std::string_view label,
                       const std::function<void(std::size_t)>& work);

}  // namespace foreflow::backtest
