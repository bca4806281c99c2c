# SPDX-License-Identifier: Apache-2.0
import argparse
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time

from demo import claims, live, replay
from demo.processes import Failure, Processes

STARTED = time.monotonic()


def parse_options():
    parser = argparse.ArgumentParser(
        prog="scripts/demo", allow_abbrev=False,
        description="Real guests behind Foreflow's dataplane: what is counted, recognised, forecast and limited, with "
        "every figure measured from outside as well. As root on live traffic; otherwise on generated captures.")
    parser.add_argument("--once", action="store_true", help="end by itself (the default unless --keep)")
    parser.add_argument("--keep", action="store_true", help="leave everything running at the end, until Ctrl-C")
    parser.add_argument("--store", choices=("sqlite", "influxdb"), default="sqlite",
                        help="where the series are kept (default sqlite); influxdb starts an influxd for it")
    parser.add_argument("--replay", action="store_true", help="captures instead of live traffic, also as root")
    parser.add_argument("--preset", default="dev", help="which build to use (default dev)")
    parser.add_argument("--no-build", action="store_true", help="use the programs as they are; install nothing")
    options = parser.parse_args()
    if options.once and options.keep:
        parser.error("--once and --keep exclude each other")
    options.binaries = pathlib.Path(__file__).resolve().parents[3] / "build" / options.preset / "bin"
    for program in ("foreflow-dataplane-emulated", "foreflowd", "foreflow"):
        if not (options.binaries / program).exists():
            sys.exit(f"demo: {options.binaries / program} is missing; run scripts/build --preset {options.preset}")
    return options


def progress(text, seconds=0):
    """Says what happens now; with `seconds`, shows them passing."""
    print(f"\n[{time.monotonic() - STARTED:4.0f} s] {text}" + (f" ({seconds} s)" if seconds else ""), flush=True)
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if sys.stdout.isatty():
            print(f"\r         {left:3.0f} s ", end="", flush=True)
        time.sleep(min(1, left))
    if seconds and sys.stdout.isatty():
        print("\r                \r", end="", flush=True)


def interrupt(_number, _frame):
    """An ended terminal or a service manager ends the demo as Ctrl-C does."""
    raise KeyboardInterrupt


def main():
    options = parse_options()
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="foreflow-demo-"))
    (folder / "logs").mkdir()
    processes, ledger = Processes(folder / "logs"), claims.Ledger()
    status, broken = 1, None
    try:
        play = live.play if os.geteuid() == 0 and not options.replay else replay.play
        play(options, folder, processes, ledger, progress)
        status = 0 if ledger.all_hold else 1
    except Failure as failure:
        broken = failure
    except KeyboardInterrupt:
        status = 0 if options.keep and ledger.all_hold else 130
    finally:
        processes.stop_all()
    if ledger.claims:
        print(f"\n{ledger.table()}\n")
    if broken:
        print(f"demo: {broken}", file=sys.stderr)
    if status == 0:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        print(f"demo: state and logs are in {folder}", file=sys.stderr)
    print(f"demo: {'passed' if status == 0 else 'FAILED'} after {time.monotonic() - STARTED:.0f} s")
    return status


if __name__ == "__main__":
    sys.exit(main())
