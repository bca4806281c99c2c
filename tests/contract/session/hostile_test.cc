// SPDX-License-Identifier: Apache-2.0
// A peer with a valid certificate that does not keep to the protocol costs its own session and nothing else.
#include <fstream>
#include <sstream>

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/impl/rpc_method.h>
#include <grpcpp/support/sync_stream.h>

#include "common/wire/compress.h"
#include "common/wire/convert.h"
#include "common/wire/limits.h"
#include "tests/contract/session/fixture.h"
#include "tests/support/random_messages.h"

namespace foreflow::test {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

std::string read(const std::filesystem::path& path) {
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  return content.str();
}

// Speaks the stream with bytes of the test's choice.
class RawPeer {
 public:
  RawPeer(const std::string& address, const grpc::SslCredentialsOptions& options)
      : channel_(grpc::CreateChannel(address, grpc::SslCredentials(options))),
        context_(std::make_unique<grpc::ClientContext>()) {
    context_->set_deadline(std::chrono::system_clock::now() + seconds(30));
    const grpc::internal::RpcMethod method("/foreflow.wire.v1.Fabric/Session",
                                           grpc::internal::RpcMethod::BIDI_STREAMING, channel_);
    stream_.reset(grpc::internal::ClientReaderWriterFactory<grpc::ByteBuffer, wire::v1::ToDataplane>::Create(
        channel_.get(), method, context_.get()));
  }

  bool send(const std::string& bytes) {
    const grpc::Slice slice(bytes);
    return stream_->Write(grpc::ByteBuffer(&slice, 1));
  }
  bool send(const wire::FromDataplane& message) { return send(wire::to_proto(message).SerializeAsString()); }
  bool receive(wire::v1::ToDataplane& message) { return stream_->Read(&message); }
  // What the manager says at the end.
  grpc::Status end() {
    wire::v1::ToDataplane ignored;
    while (stream_->Read(&ignored)) continue;
    return stream_->Finish();
  }

 private:
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReaderWriter<grpc::ByteBuffer, wire::v1::ToDataplane>> stream_;
};

class Hostile : public SessionTest {
 protected:
  void SetUp() override { start_manager(); }

  RawPeer peer() const {
    const auto files = certificates("good");
    return RawPeer(address_, {read(files / "ca.crt"), read(files / "dp1.key"), read(files / "dp1.crt")});
  }
  RawPeer welcome_peer() const {
    auto result = peer();
    wire::v1::ToDataplane welcome;
    EXPECT_TRUE(result.send(wire::Hello{.dataplane = "dp1", .version = "1", .boot_id = 5}));
    EXPECT_TRUE(result.receive(welcome) && welcome.has_welcome());
    return result;
  }
  void expect_others_served() const {
    const auto session = dataplane("dp2");
    publish(*session, 1, 1);
    EXPECT_TRUE(session->flush(seconds(20))) << session->last_error();
  }
};

TEST_F(Hostile, APeerWithoutCertificateIsRefused) {
  RawPeer anonymous(address_, {read(certificates("good") / "ca.crt"), "", ""});
  anonymous.send(wire::Hello{.dataplane = "dp1", .version = "1", .boot_id = 5});
  EXPECT_EQ(anonymous.end().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(handler_.hellos().empty());
  expect_others_served();
}

TEST_F(Hostile, TheFirstMessageMustBeHello) {
  auto rude = peer();
  rude.send(wire::Event{.kind = "x"});
  const auto status = rude.end();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "first message: event, expected hello");
  EXPECT_EQ(manager_->refused_sessions(), 1u);
}

TEST_F(Hostile, BytesThatAreNoMessageAreCountedAndEndTheSession) {
  auto garbled = welcome_peer();
  garbled.send(std::string("\xff\xff\xff\xff"));
  const auto status = garbled.end();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("4 bytes that are no FromDataplane message"));
  EXPECT_EQ(manager_->malformed_messages(), 1u);
  EXPECT_EQ(handler_.events().back(), "disconnect dp1");
  expect_others_served();
}

TEST_F(Hostile, AFieldOutOfRangeIsNamed) {
  auto wrong = welcome_peer();
  wrong.send(wire::FromDataplane(wire::CompressedReport{.boot_id = 5, .sequence = 0}));
  EXPECT_THAT(wrong.end().error_message(), HasSubstr("report.sequence: 0, expected 1 or more"));
  EXPECT_EQ(manager_->malformed_messages(), 1u);
}

TEST_F(Hostile, AReportThatDoesNotDecompressIsDeclaredLost) {
  auto rotten = welcome_peer();
  auto report = *wire::compress(RandomMessages(1).report(), 5);
  report.zstd.resize(report.zstd.size() / 2);
  rotten.send(report);
  const auto status = rotten.end();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DATA_LOSS);
  EXPECT_THAT(status.error_message(), HasSubstr("zstd"));
  EXPECT_EQ(manager_->malformed_messages(), 1u);
  EXPECT_EQ(handler_.calls(), 0);
}

TEST_F(Hostile, AMessageLargerThanTheBoundIsRefused) {
  auto huge = welcome_peer();
  huge.send(std::string(wire::kLargestMessage + 1, 'x'));
  EXPECT_EQ(huge.end().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  expect_others_served();
}

TEST_F(Hostile, APeerThatSaysNothingIsEnded) {
  auto silent = peer();
  EXPECT_EQ(silent.end().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(Hostile, APeerThatNeverReadsHoldsUpNobody) {
  auto deaf = welcome_peer();
  wire::DesiredState large;
  for (std::uint32_t i = 0; i < wire::kMostVms; ++i)
    large.vms.push_back(wire::VmSpec{.id = VmId{i}, .name = std::string(200, 'x')});
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(manager_->send("dp1", large));
  expect_others_served();
  const auto begin = std::chrono::steady_clock::now();
  stop_manager();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(10));
}

TEST_F(Hostile, RandomMessagesNeverHurt) {
  RandomMessages random(12);
  for (int i = 0; i < 20; ++i) {
    auto noisy = welcome_peer();
    for (int n = 0; n < 20 && noisy.send(random.bytes(300)); ++n) continue;
    EXPECT_FALSE(noisy.end().ok());
  }
  EXPECT_EQ(manager_->malformed_messages(), 20u);
  expect_others_served();
}

}  // namespace
}  // namespace foreflow::test
