# SPDX-License-Identifier: Apache-2.0
"""--keep: everything stays as it is after the claims, and the terminal says what to try."""
import time

from demo.topology import DATAPLANE

TRIES = {
    "wall": ("vm top --watch", "conn top", "forecast show web", "allocation list", "policy set web --cap 5M", "rule list"),
    # The captures have ended and their dataplane with them; what it reported is there.
    "capture": ("vm list", f"dataplane show {DATAPLANE}", "forecast show web", "allocation list", "rule list", "status"),
}


def keep(stage, ledger):
    foreflow = stage.foreflow
    command = " ".join(str(word) for word in stage.inside(foreflow.command_words()))
    print(f"\n{ledger.table()}\n\nIt keeps running. Try, in another shell:\n\n  ff() {{ {command} \"$@\"; }}")
    for words in TRIES[foreflow.clock]:
        print(f"  ff {words}")
    if foreflow.clock == "wall":
        print("\nFor two minutes the forecasts still remember the flood; then the allocations follow the ordinary traffic.")
    print(f"\nState and logs: {foreflow.folder}\nEnd with Ctrl-C.", flush=True)
    programs = ("dataplane", "foreflowd") if foreflow.clock == "wall" else ("foreflowd",)
    while True:
        time.sleep(1)
        for program in programs:
            stage.processes.require_alive(program)
