// SPDX-License-Identifier: Apache-2.0
// The API's messages as JSON for `-o json`: keys are the field names of operator.proto, numbers are numbers, rates are
// bytes per second with null for unlimited, every field is there.
// Place: host/cli.
#pragma once
#include <google/protobuf/message.h>
#include <nlohmann/json.hpp>

namespace foreflow::cli {

nlohmann::ordered_json to_json(const google::protobuf::Message& message);

template <typename Messages>
nlohmann::ordered_json to_json_array(const Messages& messages) {
  auto array = nlohmann::ordered_json::array();
  for (const auto& message : messages) array.push_back(to_json(message));
  return array;
}

// As printed: two spaces, foreign bytes that are no UTF-8 replaced.
std::string text_of(const nlohmann::ordered_json& json);

}  // namespace foreflow::cli
