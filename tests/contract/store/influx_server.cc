// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/store/influx_server.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <stdexcept>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/store/http.h"

namespace foreflow::store {
namespace {

int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (socket < 0 || ::bind(socket, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("no free port on loopback");
  ::close(socket);
  return ntohs(address.sin_port);
}

// The program's output goes to `log`; it ends with the test program, however that ends.
pid_t spawn(const std::vector<std::string>& command, const std::filesystem::path& log) {
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const auto log_name = log.string();
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int output = ::open(log_name.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(output, 1);
  ::dup2(output, 2);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

}  // namespace

InfluxServer::InfluxServer(Options options) : options_(options), port_(free_port()), rpc_port_(free_port()) {
  if (options_.https) make_certificate();
  write_config();
  start();
}

InfluxServer::~InfluxServer() { stop(); }

std::string InfluxServer::url() const {
  return fmt::format("{}://127.0.0.1:{}", options_.https ? "https" : "http", port_);
}

void InfluxServer::write_config() const {
  const auto folder = folder_.path().string();
  std::ofstream(folder_.path() / "influxdb.conf") << fmt::format(
      "reporting-disabled = true\n"
      "bind-address = \"127.0.0.1:{1}\"\n"
      "[meta]\n  dir = \"{0}/meta\"\n"
      "[data]\n  dir = \"{0}/data\"\n  wal-dir = \"{0}/wal\"\n  index-version = \"tsi1\"\n"
      "[monitor]\n  store-enabled = false\n"
      "[http]\n  bind-address = \"127.0.0.1:{2}\"\n  log-enabled = false\n  auth-enabled = {3}\n  max-body-size = {4}\n"
      "  https-enabled = {5}\n  https-certificate = \"{0}/server.crt\"\n  https-private-key = \"{0}/server.key\"\n",
      folder, rpc_port_, port_, options_.auth, options_.max_body_size, options_.https);
}

void InfluxServer::make_certificate() const {
  const auto folder = folder_.path().string();
  const pid_t pid = spawn({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                           "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                           "-keyout", folder + "/server.key", "-out", folder + "/server.crt"},
                          folder_.path() / "openssl.log");
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) throw std::runtime_error("openssl made no certificate");
}

void InfluxServer::start() {
  pid_ =
      spawn({"influxd", "run", "-config", (folder_.path() / "influxdb.conf").string()}, folder_.path() / "influxd.log");
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!answers()) {
    int status = 0;
    const bool ended = ::waitpid(pid_, &status, WNOHANG) == pid_;
    if (!ended && std::chrono::steady_clock::now() < patience) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      continue;
    }
    if (ended) pid_ = -1;
    std::ifstream log(folder_.path() / "influxd.log");
    throw std::runtime_error("influxd does not answer:\n" + std::string(std::istreambuf_iterator<char>(log), {}));
  }
}

void InfluxServer::stop() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGTERM);
  int status = 0;
  for (int i = 0; i < 200; ++i) {
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
}

bool InfluxServer::answers() const {
  std::atomic<bool> stop{false};
  HttpConfig config{url()};
  if (options_.https) config.ca = ca();
  return HttpClient(config, stop).post("/ping", "", "text/plain").has_value();
}

std::string InfluxServer::query(std::string_view text, std::string_view database, std::string_view credentials) const {
  std::atomic<bool> stop{false};
  HttpConfig config{url()};
  if (options_.https) config.ca = ca();
  config.username = credentials.substr(0, credentials.find(':'));
  config.password = credentials.substr(std::min(credentials.size(), config.username.size() + 1));
  HttpClient client(config, stop);
  const auto form = fmt::format("epoch=ns&db={}&q={}", url_encode(database), url_encode(text));
  const auto answer = client.post("/query", form, "application/x-www-form-urlencoded");
  if (!answer) throw std::runtime_error(answer.error().message);
  return answer->body;
}

}  // namespace foreflow::store
