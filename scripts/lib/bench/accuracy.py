# SPDX-License-Identifier: Apache-2.0
"""scripts/bench accuracy --data DIR --tools DIR: how well foreflow-classify names flows of labelled captures.

DIR of --data holds labels.tsv and pcap/; DIR of --tools holds perturb_pcap.py, which makes the hard variants, and
score_dpi.py, which scores predictions with its defaults. Neither is part of this repository. All figures are per cent."""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

from bench.figures import Figure, report
from demo.foreflow import ROOT

BINARY = ROOT / "build/release/bin/foreflow-classify"


class Variant:
    def __init__(self, name, perturb=(), options=(), macro_f1=None, protocol=None, wrong=None):
        self.name, self.perturb, self.options = name, perturb, options
        self.bars = {"macro-F1": macro_f1, "protocol accuracy": protocol, "given a wrong protocol": wrong}


MIDDLE = ("--drop-first", "5")
VARIANTS = (
    Variant("as captured", macro_f1=95, protocol=93, wrong=1.5),
    Variant("ports shifted", ("--shift-ports",), macro_f1=90, protocol=88),
    Variant("first 5 packets missing", MIDDLE, macro_f1=86),
    Variant("first 5 missing, no port hints", MIDDLE, ("--no-port-hints",), macro_f1=74),
    Variant("one direction, a", ("--one-way", "a"), macro_f1=93),
    Variant("one direction, b", ("--one-way", "b"), macro_f1=93),
    Variant("snap length 96, 5 % loss", ("--snap", "96", "--loss", ".05"), macro_f1=85),
)


def captures(variant, arguments, work):
    """The folder with the variant's captures and labels; made once per folder of work."""
    if not variant.perturb:
        return arguments.data
    folder = work / "".join(variant.perturb).strip("-")
    if not (folder / "labels.tsv").exists():
        subprocess.run([sys.executable, arguments.tools / "perturb_pcap.py", *variant.perturb, arguments.data, folder],
                       check=True, stdout=subprocess.DEVNULL)
    return folder


def score(variant, arguments, work):
    folder = captures(variant, arguments, work)
    predictions, result = work / "predictions.tsv", work / "score.json"
    subprocess.run([BINARY, "--signatures", ROOT / "configs/signatures", "--cache", work / "patterns",
                    *variant.options, "-o", predictions, folder / "pcap"], check=True, stderr=subprocess.DEVNULL)
    scored = subprocess.run([sys.executable, arguments.tools / "score_dpi.py", "--json", result,
                             folder / "labels.tsv", predictions], stdout=subprocess.PIPE, text=True, check=True)
    if arguments.details:
        print(f"{variant.name}\n{scored.stdout}")
    found = json.loads(result.read_text())
    protocol, precision = found["protocol_accuracy"], found["protocol_precision_when_named"]
    return {"macro-F1": found["macro_f1"], "protocol accuracy": protocol,
            "given a wrong protocol": protocol / precision - protocol if precision else 0.0}


def figures_of(variant, values):
    for what, value in values.items():
        bar = variant.bars[what]
        yield Figure(f"{variant.name}: {what}", 100 * value, "%", "bar" if bar else "", bar or 0.0,
                     1.0 if bar else None, at_least=what != "given a wrong protocol")


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench accuracy", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="labelled captures")
    parser.add_argument("--tools", type=pathlib.Path, required=True, help="perturb_pcap.py and score_dpi.py")
    parser.add_argument("--work", type=pathlib.Path, help="keeps the variants for the next run")
    parser.add_argument("--details", action="store_true", help="also the scorer's report of each variant")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    for needed in (arguments.data / "labels.tsv", arguments.tools / "perturb_pcap.py", arguments.tools / "score_dpi.py"):
        if not needed.exists():
            parser.error(f"{needed} is not there")
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or pathlib.Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        found = [figure for variant in VARIANTS for figure in figures_of(variant, score(variant, arguments, work))]
    return report(found, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
