# SPDX-License-Identifier: Apache-2.0
"""Starts programs, keeps their output in files and stops exactly those it started."""
import os
import pathlib
import signal
import socket
import subprocess
import time


class Failure(Exception):
    """Something that the demonstration itself needs did not work; the text says what and where to look."""


def free_address():
    """An address on loopback whose port nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def wait_until(condition, what, seconds, step=0.1):
    """Returns the first true value of condition(); fails with `what` after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"{what}: not within {seconds} s")
        time.sleep(step)


class Processes:
    def __init__(self, logs):
        self.logs = pathlib.Path(logs)
        self.running = {}

    def log(self, name):
        return self.logs / f"{name}.log"

    def start(self, name, command, **options):
        """Runs `command` in a session of its own; it also ends when this process dies."""
        with open(self.log(name), "ab") as log:
            process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", "--", *map(str, command)],
                                       stdin=options.pop("stdin", subprocess.DEVNULL),
                                       stdout=options.pop("stdout", log), stderr=log,
                                       start_new_session=True, **options)
        self.running[name] = process
        return process

    def alive(self, name):
        return name in self.running and self.running[name].poll() is None

    def require_alive(self, name):
        if not self.alive(name):
            raise Failure(f"{name} ended (status {self.running[name].returncode}):\n{self.tail(name)}")

    def tail(self, name, lines=8):
        try:
            return "\n".join(self.log(name).read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def stop(self, *names, seconds=10):
        """SIGTERM to the sessions of these processes, SIGKILL to what is left after `seconds`."""
        stopping = {name: self.running.pop(name) for name in names if name in self.running}
        for process in stopping.values():
            signal_session(process, signal.SIGTERM)
            signal_session(process, signal.SIGCONT)  # one that stands still takes no other signal
        end = time.monotonic() + seconds
        for process in stopping.values():
            try:
                process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                signal_session(process, signal.SIGKILL)
                process.wait()
        return {name: process.returncode for name, process in stopping.items()}

    def stop_all(self):
        self.stop(*reversed(self.running))


def signal_session(process, number):
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass


def run(command, seconds=30, check=True, **options):
    """Runs a short command to its end and returns the completed process with text output."""
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, errors="replace",
                              timeout=seconds, **options)
    except subprocess.TimeoutExpired:
        raise Failure(f"'{' '.join(map(str, command))}' did not end within {seconds} s") from None
    if check and done.returncode != 0:
        raise Failure(f"'{' '.join(map(str, command))}' failed with status {done.returncode}: "
                      f"{(done.stderr or done.stdout).strip()}")
    return done
