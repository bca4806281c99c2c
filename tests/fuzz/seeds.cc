// SPDX-License-Identifier: Apache-2.0
// fuzz_seeds FOLDER: writes a corpus of the project's own samples, a folder for each target.
#include "tests/fuzz/seeds.h"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "support/source_paths.h"
#include "tests/support/capture_bytes.h"

namespace foreflow::fuzz {
namespace {

using testing::Frame;

// Files of a target's folder, numbered.
class Folder {
 public:
  Folder(const std::filesystem::path& all, const std::string& target) : path_(all / (target + "_fuzz")) {
    std::filesystem::create_directories(path_);
  }
  void add(const Frame& bytes) {
    std::ofstream file(path_ / ("seed-" + std::to_string(count_++)), std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }

 private:
  std::filesystem::path path_;
  int count_ = 0;
};

// As the target of conversations reads it: transport and ports, then pieces with sender and size.
Frame conversation_of(const Frame& first, const Frame& second, std::uint8_t transport) {
  Frame out{transport};
  for (const auto* message : {&first, &second}) {
    out.push_back(message == &first ? 2 : 3);
    out.push_back(static_cast<std::uint8_t>(message->size() / 8));
    out.insert(out.end(), message->begin(), message->end());
    out.resize(out.size() + message->size() / 8 * 8 + 1 - message->size());
  }
  return out;
}

void write(const std::filesystem::path& all) {
  const auto said = messages();
  for (const auto* target : {"payload", "validators", "tls", "quic", "dns", "announcement"}) {
    Folder folder(all, target);
    for (const auto& message : said) folder.add(message);
  }
  Folder frames(all, "frame_and_payload"), dissected(all, "dissect"), conversations(all, "conversation");
  for (const auto& sample : testing::payload_samples())
    for (const bool version6 : {false, true}) {
      auto frame = framed(sample, version6);
      frames.add(frame);
      frame.insert(frame.begin(), 1);  // Ethernet
      dissected.add(frame);
    }
  for (std::size_t i = 0; i + 1 < said.size(); ++i)
    for (const std::uint8_t transport : {0, 1})
      if (said[i].size() % 8 != 0 && said[i + 1].size() % 8 != 0)
        conversations.add(conversation_of(said[i], said[i + 1], transport));
  Folder captures(all, "capture");
  for (const auto& sample : testing::payload_samples())
    for (const auto& file : {test::pcap_of({framed(sample, false)}), test::pcapng_of({framed(sample, true)})})
      captures.add(file);
  Folder files(all, "signature_file");
  for (const auto& file : std::filesystem::directory_iterator(FOREFLOW_SOURCE_DIR "/configs/signatures")) {
    std::ifstream stream(file.path(), std::ios::binary);
    files.add({std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()});
  }
  Folder(all, "flow_table").add(Frame(300, 7));
}

}  // namespace
}  // namespace foreflow::fuzz

int main(int argc, char** argv) {
  if (argc != 2) return std::cerr << "usage: fuzz_seeds FOLDER\n", 2;
  foreflow::fuzz::write(argv[1]);
  return 0;
}
