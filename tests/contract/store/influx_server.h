// SPDX-License-Identifier: Apache-2.0
// Debian's influxd on a private folder and free ports of loopback.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "tests/support/temporary_directory.h"

namespace foreflow::store {

class InfluxServer {
 public:
  struct Options {
    bool auth = false;
    std::uint64_t max_body_size = 0;  // 0 = unlimited
    bool https = false;               // with a certificate of its own, see ca()
  };
  explicit InfluxServer(Options options);
  InfluxServer() : InfluxServer(Options{}) {}
  ~InfluxServer();
  InfluxServer(const InfluxServer&) = delete;
  InfluxServer& operator=(const InfluxServer&) = delete;

  // The same data and port again after stop(). Throws when it does not answer.
  void start();
  void stop();

  std::string url() const;
  std::filesystem::path ca() const { return folder_.path() / "server.crt"; }
  // InfluxQL with optional basic credentials "user:password"; the body of the answer.
  std::string query(std::string_view text, std::string_view database = {}, std::string_view credentials = {}) const;

 private:
  void write_config() const;
  void make_certificate() const;
  bool answers() const;

  test::TemporaryDirectory folder_;
  const Options options_;
  int port_ = 0, rpc_port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace foreflow::store
