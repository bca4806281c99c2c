# SPDX-License-Identifier: Apache-2.0
"""The session between dataplane and manager as seen from outside: who is let in, and how many bytes it takes."""
import re

from demo.foreflow import ROOT
from demo.processes import run
from demo.topology import DATAPLANE


def try_tls(foreflow, arguments):
    """True when the manager keeps a TLS connection with these s_client arguments open."""
    script = f"sleep 1 | timeout 3 openssl s_client -connect {foreflow.link} -alpn h2 -quiet {arguments} 2>&1"
    text = run(foreflow.inside(["bash", "-c", script]), check=False).stdout
    return "verify return:1" in text and "alert" not in text and "error" not in text


def answers_plain_text(foreflow):
    """True when something other than a hang-up answers to HTTP/2 without TLS."""
    done = run(foreflow.inside(["curl", "-sS", "--http2-prior-knowledge", "--max-time", "5", f"http://{foreflow.link}/"]),
               check=False)
    return done.returncode == 0


def refusals(foreflow, ledger):
    """The right certificate is let in; no certificate, one of another authority and plain text are not."""
    own, other = foreflow.certificates, foreflow.folder / "other-certs"
    run([ROOT / "scripts/dev-certs", other, "--dataplane", DATAPLANE])
    trust = f"-CAfile {own}/ca.crt"

    def pair(folder):
        return f"-cert {folder}/{DATAPLANE}.crt -key {folder}/{DATAPLANE}.key"

    tries = {
        "its own certificate": (try_tls(foreflow, f"{trust} {pair(own)}"), True),
        "no certificate": (try_tls(foreflow, trust), False),
        "a foreign certificate": (try_tls(foreflow, f"{trust} {pair(other)}"), False),
        "plain text": (answers_plain_text(foreflow), False),
    }
    for text, (accepted, expected) in tries.items():
        tool = "curl" if text == "plain text" else "openssl"
        ledger.add(f"session with {text}", f"{'accepted' if accepted else 'refused'} ({tool})", "-",
                   "accepted" if expected else "refused", accepted == expected)


def bytes_sent(foreflow):
    """Bytes that the dataplane's connection to the manager has sent so far, as the kernel counts them."""
    port = foreflow.link.rpartition(":")[2]
    text = run(foreflow.inside(["ss", "-Htin", "state", "established", f"( dport = :{port} )"])).stdout
    return sum(int(count) for count in re.findall(r"bytes_sent:(\d+)", text))
