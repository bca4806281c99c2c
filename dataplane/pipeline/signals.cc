// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/signals.h"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <fmt/format.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace foreflow::pipeline {

Result<Signals> Signals::block() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  const int file = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (file < 0) return fail(ErrorCode::kIo, fmt::format("signalfd: {}", std::strerror(errno)));
  return Signals(file);
}

Signals::~Signals() {
  if (file_ >= 0) close(file_);
}

Request Signals::take() {
  signalfd_siginfo info{};
  if (read(file_, &info, sizeof(info)) != sizeof(info)) return Request::kNone;
  return info.ssi_signo == SIGHUP ? Request::kReload : Request::kStop;
}

}  // namespace foreflow::pipeline
