// SPDX-License-Identifier: Apache-2.0
// Files that say what belongs to which service: one table per category, in it `service = ["...", "..."]`.
// Place: dataplane/classify, for the tables of domains and of networks.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "common/result.h"
#include "common/toml_reader.h"
#include "dataplane/classify/services.h"

namespace foreflow::classify {

// What is wrong with an entry, in words; empty: it was taken.
using AddEntry = std::function<std::string(const std::string& entry, Service service)>;

// Hands over every entry. Every mistake at once, with file and line.
Status read_service_file(Result<TomlDocument> document, const AddEntry& add);

}  // namespace foreflow::classify
