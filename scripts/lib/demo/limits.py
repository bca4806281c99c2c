# SPDX-License-Identifier: Apache-2.0
"""The acts that press against limits: a cap is kept, a guarantee is given, and without meters it is not."""
import time

from demo import claims
from demo.processes import wait_until
from demo.topology import DB, DB_GUARANTEE, FLOOD, VIDEO, WEB, WEB_CAP

# What a client's own report leaves out of a packet: Ethernet and IPv4, with TCP and its time stamps or with UDP.
TCP_HEADERS, UDP_HEADERS = 66, 42
SEGMENT = 1448  # payload of a full TCP segment
CAP_WARM_UP, CAP_MEASURED = 10, 12
FLOOD_WARM_UP, FLOOD_MEASURED = 6, 9


def client_claim(stage, ledger, text, client, report, payload, between, show):
    """A client's own report beside Foreflow's payload. To compare like with like, what its kernel got twice, and so kept
    from the client, is added to the report."""
    twice = stage.sampler.between(client, *between).duplicates * SEGMENT
    if show is claims.rate:
        twice *= 8 / (between[1] - between[0])
    ledger.compare(text, report + twice, payload, show)


def web_client_claim(stage, ledger, began):
    """All that wrk read in its run; before and after it the guest is silent, so that the exact moments do not matter."""
    report, ended = stage.guests.web_client_report(), time.time()
    window = stage.window("vm_net", WEB, began - 1, ended + 1.5)
    payload = window.total("tx_passed_bytes") - TCP_HEADERS * window.total("tx_passed_packets")
    client_claim(stage, ledger, "  its client itself (wrk): payload read", f"client-{WEB.name}", report, payload,
                 (window.start, window.end), claims.size)


def cap(stage, ledger, progress):
    """The web guest may send as it likes, then is given a cap while traffic runs."""
    began = time.time()
    stage.guests.start_web_load(10)
    progress("web without a cap: its allocation grows with its demand", 9)
    window = stage.window("vm_net", WEB, time.time() - 5, time.time())
    free = stage.sampler.between(f"client-{WEB.name}", window.start, window.end).rx_rate
    ledger.compare("web without a cap exceeds it", free, window.bits_per_second("tx_passed_bytes"), claims.rate,
                   f"> {claims.rate(WEB_CAP)}", free > 1.2 * WEB_CAP)
    web_client_claim(stage, ledger, began)

    stage.foreflow.show("policy", "set", WEB.name, "--cap", f"{WEB_CAP // 1_000_000}M")
    time.sleep(2.5)  # until the last of the former load has been reported
    before = rule_counters(stage, WEB)
    began = time.time()
    stage.guests.start_web_load(CAP_WARM_UP + CAP_MEASURED)
    progress("web with the cap", CAP_WARM_UP + CAP_MEASURED)
    window = stage.window("vm_net", WEB, began + CAP_WARM_UP, began + CAP_WARM_UP + CAP_MEASURED - 0.5)
    outside = stage.sampler.between(f"client-{WEB.name}", window.start, window.end)
    ledger.compare("web held to its cap from second 10 on", outside.rx_rate, window.bits_per_second("tx_passed_bytes"),
                   claims.rate, f"{claims.rate(WEB_CAP)} +- 5%", abs(outside.rx_rate - WEB_CAP) <= 0.05 * WEB_CAP)
    web_client_claim(stage, ledger, began)
    rule_claim(stage, ledger, before, began)
    stage.foreflow.show("policy", "set", WEB.name, "--cap", "unlimited")


def rule_counters(stage, guest):
    """Bytes passed, bytes dropped and packets dropped by the guest's egress meter."""
    rule = next(rule for rule in stage.foreflow.json("rule", "list")
                if rule["vm"] == guest.name and rule["direction"] == "egress")
    return rule["passed_bytes"], rule["dropped_bytes"], rule["dropped_packets"]


def rule_claim(stage, ledger, before, began):
    """The meter's own counters beside the guest's interface; the load has ended, so both stand still."""
    time.sleep(2.5)
    passed, dropped, packets = (after - first for after, first in zip(rule_counters(stage, WEB), before))
    outside = stage.sampler.between(WEB.name, began, time.time()).tx_bytes
    ledger.compare("web's hardware meter: bytes metered", outside, passed + dropped, claims.size,
                   f"{packets} packets dropped, > 0", packets > 0)


def guarantee(stage, ledger, progress):
    """The video guest floods: with meters the database keeps its guarantee, without them it does not."""
    stage.guests.prepare_db_load()
    stage.guests.start_db_load()
    progress("db alone", 4)
    stage.guests.start_flood()
    under_flood(stage, ledger, progress, "db keeps its guarantee under a flood", kept=True)

    stage.processes.stop("foreflowd")
    stage.foreflow.start_manager(mode="observe")
    stage.foreflow.wait_connected()
    wait_until(lambda: not stage.foreflow.json("rule", "list"), "the meters are removed", 15, 0.3)
    under_flood(stage, ledger, progress, "the same flood with the meters removed", kept=False)

    stage.processes.stop("foreflowd")
    stage.foreflow.start_manager(mode="enforce")
    stage.foreflow.wait_connected()
    wait_until(lambda: stage.foreflow.json("rule", "list"), "the meters are back", 15, 0.3)
    under_flood(stage, ledger, progress, "db with the meters back", kept=True)
    stage.guests.stop_flood()
    stage.guests.stop_db_load()


def under_flood(stage, ledger, progress, text, kept):
    progress(text, FLOOD_WARM_UP + FLOOD_MEASURED)
    end = time.time()
    db = stage.window("vm_net", DB, end - FLOOD_MEASURED, end)
    video = stage.window("vm_net", VIDEO, end - FLOOD_MEASURED, end)
    flood = stage.sampler.between(VIDEO.name, video.start, video.end).tx_rate
    ledger.compare("  meanwhile video sends", flood, video.bits_per_second("tx_offered_bytes"), claims.rate,
                   f"> {claims.rate(FLOOD / 2)}", flood > FLOOD / 2)
    ledger.compare("  its sender itself (iperf3): payload", stage.guests.flood_sender.mean(video.start, video.end),
                   video.bits_per_second("tx_offered_bytes") - UDP_HEADERS * video.bits_per_second("tx_offered_packets"),
                   claims.rate)
    reported = stage.guests.db_client.mean(db.start, db.end)
    if kept:
        at_client = stage.sampler.between(f"client-{DB.name}", db.start, db.end).rx_rate
        ledger.compare(text, at_client, db.bits_per_second("tx_passed_bytes"), claims.rate,
                       f">= {claims.rate(DB_GUARANTEE)}", at_client >= DB_GUARANTEE)
        payload = db.bits_per_second("tx_passed_bytes") - TCP_HEADERS * db.bits_per_second("tx_passed_packets")
        client_claim(stage, ledger, "  its client itself (redis-benchmark): payload", f"client-{DB.name}", reported, payload,
                     (db.start, db.end), claims.rate)
    else:
        # Beyond the dataplane the wire now drops, so both figures are those at the guest, where nothing is lost yet; what
        # the client reports is what got through.
        at_guest = stage.sampler.between(DB.name, db.start, db.end).tx_rate
        ledger.compare(text, at_guest, db.bits_per_second("tx_offered_bytes"), claims.rate,
                       f"< {claims.rate(DB_GUARANTEE)}", at_guest < DB_GUARANTEE)
        print(f"       redis-benchmark itself reports {claims.rate(reported)}", flush=True)
