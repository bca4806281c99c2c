# SPDX-License-Identifier: Apache-2.0
"""The acts that look at ordinary traffic: counted, recognised, reported, forecast, turned into rules."""
import time

from demo import claims, session
from demo.foreflow import ROOT
from demo.processes import run, wait_until
from demo.stored import Window
from demo.topology import DATAPLANE, DB, DB_GUARANTEE, GUESTS, VIDEO, WEB

RECOGNISED = 0.95  # least share of a guest's bytes in its own category


def stored_window(series, measurement, name, start, end):
    """What the store has of a guest within the stretch, once the reports up to its end have arrived."""
    def arrived():
        points = series.points(measurement, name, start - 3, end + 5)
        return points if points and points[-1][0] >= end else None
    return Window(wait_until(arrived, f"reports about {name} are stored", 15, 0.3), start, end)


def counting(stage, ledger, start, end):
    """Bytes per VM, beside what the guest's own kernel counted at its interface in the same reports' time. Both ends of
    the stretch are quiet, so that nothing hangs on the exact moment."""
    for guest in GUESTS:
        window = stage.window("vm_net", guest, start, end)
        outside = stage.sampler.between(guest.name, window.start, window.end)
        ledger.compare(f"{guest.name}: bytes sent in {window.reports} s", outside.tx_bytes,
                       window.total("tx_offered_bytes"), claims.size)
        ledger.compare(f"{guest.name}: bytes received in {window.reports} s", outside.rx_bytes,
                       window.total("rx_passed_bytes"), claims.size)


def real_server(stage, guest):
    """Which program owns the guest's socket at that port, by its kernel: 'nginx :80'."""
    text = run(stage.network.inside(guest.name, ["ss", "-Hatnp"])).stdout
    ports = {WEB: ":80", DB: ":6379", VIDEO: ":8554"}
    found = [line for line in text.splitlines() if ports[guest] in line and "users:" in line]
    return f"{found[0].split('users:((')[1].split(chr(34))[1]} {ports[guest]}" if found else "nothing"


def applications(stage, ledger):
    """The protocol of each guest's flows and the share of its bytes in the right category."""
    stage.foreflow.show("conn", "top")
    flows = stage.foreflow.json("conn", "top")
    end = time.time()
    for guest in GUESTS:
        mine = [flow for flow in flows if flow["vm"] == guest.name]
        protocols = {flow["protocol"] for flow in mine}
        window = stage.window("vm_app", guest, end - 12, end)
        whole = sum(window.total(name) for name in window.field_names())
        share = window.total(guest.category) / whole if whole else 0
        ledger.add(f"{guest.name}: application recognised", real_server(stage, guest),
                   f"{'/'.join(sorted(protocols)) or 'none'}, {share:.1%} {guest.category}",
                   f"{guest.protocol}, >= {RECOGNISED:.0%}", guest.protocol in protocols and share >= RECOGNISED)


def reports(stage, ledger):
    """Reports arrive each second, small, and none is missing in the database."""
    stage.foreflow.show("dataplane", "show", DATAPLANE)
    first = stage.foreflow.dataplane()
    start, sent = time.time(), session.bytes_sent(stage.foreflow)
    time.sleep(6)
    end, sent_after = time.time(), session.bytes_sent(stage.foreflow)
    after = stage.foreflow.dataplane()
    reported = after["reports"] - first["reports"]
    wait_until(lambda: (stage.store.series.points("dataplane", DATAPLANE, end, end + 5)), "newer reports", 10, 0.3)
    points = stage.store.series.points("dataplane", DATAPLANE, start, end)
    ledger.add(f"reports stored in {end - start:.1f} s", f"{len(points)} rows in {stage.store.name}", str(reported),
               "one each second", abs(len(points) - (end - start)) <= 1.5 and
               abs(len(points) - reported) <= 1)
    raw, compressed = (after[key] - first[key] for key in ("report_raw_bytes", "report_compressed_bytes"))
    ledger.add(f"session: bytes sent for {reported} reports", f"{claims.size(sent_after - sent)} (kernel)",
               f"{claims.size(raw)} compressed to {claims.size(compressed)}", "to < 90%, framing < 256 B each",
               0 < compressed < 0.9 * raw and compressed <= sent_after - sent < compressed + 256 * (reported + 1))


def forecast(stage, ledger):
    """A forecast with a band for each guest; its next interval is then held against what the guest's kernel counts."""
    stage.foreflow.show("forecast", "show", WEB.name)
    for guest in GUESTS:
        shown = stage.foreflow.json("forecast", "show", guest.name)
        lead = shown["leads"][0]
        band = [rate * 8 for rate in lead["rates"]]
        end = lead["time"] / 1e9
        wait_until(lambda end=end: time.time() > end + 0.2, "the forecast interval has passed", 20)
        outside = stage.sampler.between(guest.name, end - shown["step_ns"] / 1e9, end).tx_rate
        ordered = band == sorted(band) and band[0] > 0
        ledger.add(f"{guest.name}: forecast of its next {shown['step_ns'] / 1e9:.0f} s", claims.rate(outside),
                   f"q50 {band[0] / 1e6:.2f}, q99.9 {claims.rate(band[-1])}", "q50 / 2 to q99.9 * 2",
                   ordered and band[0] / 2 <= outside <= band[-1] * 2)


def rules(stage, ledger):
    """The allocation, and the limits that came of it in the (emulated) hardware."""
    stage.foreflow.show("allocation", "list")
    stage.foreflow.show("rule", "list")
    installed = stage.foreflow.json("rule", "list")
    stage.foreflow.show("rule", "explain", str(installed[0]["id"]))
    rows = [row for row in stage.foreflow.json("allocation", "list") if row["vm"] == DB.name and
            row["direction"] == "egress"]
    ledger.add("db: allocation covers its guarantee", "-",
               claims.rate(rows[0]["cir"] * 8), f">= {claims.rate(DB_GUARANTEE)}", rows[0]["cir"] * 8 >= DB_GUARANTEE * 0.999)
    placed = [rule["placement"] for rule in installed]
    ledger.add("limits installed as hardware meters", "-",
               f"{placed.count('hw')} of {len(placed)} in hw", f"{2 * len(GUESTS)} in hw",
               placed.count("hw") == len(placed) == 2 * len(GUESTS))


def dashboard(stage, ledger, progress):
    """Every query of the Grafana dashboard, run against the database that this demonstration has filled."""
    if stage.store.name != "influxdb":
        return
    progress("the Grafana dashboard's queries")
    done = run(stage.inside([ROOT / "tests/support/check_dashboard", "--url", stage.store.url, "--database",
                             stage.store.database, "--dashboard", "foreflow"]), seconds=60, check=False)
    print((done.stdout + done.stderr).rstrip())
    ledger.add("Grafana: every panel's query has data", "check_dashboard", f"status {done.returncode}", "0",
               done.returncode == 0)
