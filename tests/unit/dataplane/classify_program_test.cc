// SPDX-License-Identifier: Apache-2.0
// foreflow-classify as its users run it.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "dataplane/net/parse.h"
#include "tests/support/capture_bytes.h"
#include "tests/support/signatures.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/dataplane/frames.h"

namespace foreflow::offline {
namespace {

using foreflow::testing::Frame;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kColumns =
    "file\tproto\tip_a\tport_a\tip_b\tport_b\tprotocol\tcategory\tapp\tconfidence\tsource\tpackets_inspected\n";

class ClassifyProgram : public ::testing::Test {
 protected:
  struct Outcome {
    int status;
    std::string rows;
    std::string said;
  };

  Outcome run(const std::string& arguments) const {
    const auto command = std::string(FOREFLOW_BIN_DIR "/foreflow-classify ") + arguments + " >" +
                         (folder_ / "rows").string() + " 2>" + (folder_ / "said").string();
    const int ended = std::system(command.c_str());
    return {WIFEXITED(ended) ? WEXITSTATUS(ended) : -1, read("rows"), read("said")};
  }
  Outcome classify(const std::string& arguments) const {
    return run("--signatures " + std::string(test::kSignatures) + " --cache " + test::kSignatureCache + " " +
               arguments);
  }
  std::string write(const std::string& name, const test::Bytes& bytes) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return (folder_ / name).string();
  }
  std::string read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(folder_ / name).rdbuf();
    return text.str();
  }

  static Frame tcp_frame(std::uint16_t port, std::string_view payload) {
    using namespace foreflow::testing;  // NOLINT: builders of bytes
    return ethernet(0x0800, ipv4({net::kTcp, {}, 0}, tcp(40'000, port, 0x18, Frame(payload.begin(), payload.end()))));
  }
  static Frame question() { return tcp_frame(8'000, "GET / HTTP/1.1\r\nHost: www.netflix.com\r\n\r\n"); }

  test::TemporaryDirectory folder_;
};

TEST_F(ClassifyProgram, BothFormatsGiveTheSameRowForAFlow) {
  const auto classic = classify(write("a.pcap", test::pcap_of({question()})));
  EXPECT_EQ(classic.status, 0) << classic.said;
  ASSERT_THAT(classic.rows, StartsWith(std::string(kColumns) + "a.pcap\ttcp\t"));
  EXPECT_THAT(classic.rows, HasSubstr("\thttp\tvideo\tnetflix\t"));
  EXPECT_THAT(classic.rows, HasSubstr("\tname\t1\n"));
  auto other = classify(write("a.pcapng", test::pcapng_of({question()})));
  EXPECT_EQ(other.status, 0) << other.said;
  const auto name = other.rows.find("a.pcapng");
  ASSERT_NE(name, std::string::npos) << other.rows;
  EXPECT_EQ(other.rows.replace(name, 8, "a.pcap"), classic.rows);
}

TEST_F(ClassifyProgram, AFolderStandsForTheCapturesBelowIt) {
  write("all/b.pcap", test::pcap_of({question()}));
  write("all/below/a.pcapng", test::pcapng_of({question()}));
  write("all/notes.txt", {1, 2, 3});
  const auto outcome = classify((folder_ / "all").string());
  EXPECT_EQ(outcome.status, 0) << outcome.said;
  EXPECT_THAT(outcome.rows, HasSubstr("\nb.pcap\t"));
  EXPECT_THAT(outcome.rows, HasSubstr("\na.pcapng\t"));
  EXPECT_EQ(std::count(outcome.rows.begin(), outcome.rows.end(), '\n'), 3);
}

TEST_F(ClassifyProgram, WithoutPortHintsAPortNamesNothing) {
  const auto file = write("a.pcap", test::pcap_of({tcp_frame(5'432, "ZZZZ")}));
  EXPECT_THAT(classify(file).rows, HasSubstr("\tpostgres\tdatabase\t-\t20\tport\t"));
  EXPECT_THAT(classify("--no-port-hints " + file).rows, HasSubstr("\tunknown\t"));
}

TEST_F(ClassifyProgram, WhatCannotBeReadIsTheExitStatusAndTheRestIsClassified) {
  const auto good = write("a.pcap", test::pcap_of({question()}));
  const auto bad = write("bad.pcap", {1, 2, 3});
  const auto outcome = classify(bad + " " + good);
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.said, HasSubstr("bad.pcap: "));
  EXPECT_THAT(outcome.rows, HasSubstr("\na.pcap\t"));
  EXPECT_EQ(run("").status, 2);
  EXPECT_EQ(run("--nonsense " + good).status, 2);
  EXPECT_EQ(run("--signatures /absent " + good).status, 1);
}

TEST_F(ClassifyProgram, RowsGoToTheFileThatIsNamed) {
  const auto file = write("a.pcap", test::pcap_of({question()}));
  const auto outcome = classify("-o " + (folder_ / "out.tsv").string() + " " + file);
  EXPECT_EQ(outcome.rows, "");
  EXPECT_THAT(read("out.tsv"), StartsWith(std::string(kColumns)));
}

}  // namespace
}  // namespace foreflow::offline
