// SPDX-License-Identifier: Apache-2.0
#include "host/cli/json.h"

#include <cctype>
#include <limits>

namespace foreflow::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using nlohmann::ordered_json;

ordered_json unsigned_number(std::uint64_t value) {
  if (value == std::numeric_limits<std::uint64_t>::max()) return nullptr;
  return value;
}

std::string lower(std::string text) {
  for (auto& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

ordered_json single(const Message& message, const Reflection& reflection, const FieldDescriptor* field) {
  if (field->has_presence() && !reflection.HasField(message, field)) return nullptr;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.GetInt32(message, field);
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.GetInt64(message, field);
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.GetUInt32(message, field);
    case FieldDescriptor::CPPTYPE_UINT64:
      return unsigned_number(reflection.GetUInt64(message, field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection.GetDouble(message, field);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return reflection.GetFloat(message, field);
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetBool(message, field);
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.GetString(message, field);
    case FieldDescriptor::CPPTYPE_ENUM:
      return lower(reflection.GetEnum(message, field)->name());
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return to_json(reflection.GetMessage(message, field));
  }
  return nullptr;
}

ordered_json element(const Message& message, const Reflection& reflection, const FieldDescriptor* field, int i) {
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_UINT64:
      return unsigned_number(reflection.GetRepeatedUInt64(message, field, i));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection.GetRepeatedDouble(message, field, i);
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.GetRepeatedString(message, field, i);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return to_json(reflection.GetRepeatedMessage(message, field, i));
    default:
      return nullptr;  // the API repeats no other type
  }
}

ordered_json map_of(const Message& message, const Reflection& reflection, const FieldDescriptor* field) {
  auto object = ordered_json::object();
  std::map<std::string, ordered_json> sorted;  // the order within a protobuf map is not stable
  for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
    const auto entry = to_json(reflection.GetRepeatedMessage(message, field, i));
    sorted[entry.at("key").get<std::string>()] = entry.at("value");
  }
  for (auto& [key, value] : sorted) object[key] = std::move(value);
  return object;
}

}  // namespace

ordered_json to_json(const Message& message) {
  auto object = ordered_json::object();
  const auto& reflection = *message.GetReflection();
  const auto* descriptor = message.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const auto* field = descriptor->field(i);
    if (field->is_map()) {
      object[field->name()] = map_of(message, reflection, field);
    } else if (field->is_repeated()) {
      auto& array = object[field->name()] = ordered_json::array();
      for (int j = 0; j < reflection.FieldSize(message, field); ++j)
        array.push_back(element(message, reflection, field, j));
    } else {
      object[field->name()] = single(message, reflection, field);
    }
  }
  return object;
}

std::string text_of(const ordered_json& json) {
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace foreflow::cli
