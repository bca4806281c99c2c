# SPDX-License-Identifier: Apache-2.0
"""scripts/bench accuracy --data DIR --tools DIR: how well foreflow-classify names flows of labelled captures.

DIR of --data holds labels.tsv and pcap/; DIR of --tools holds perturb_pcap.py, which makes the hard variants, and
score_dpi.py, which scores predictions with its defaults. Neither is part of this repository. All figures are per cent.

As a test (--test) the folders come from FOREFLOW_DPI_DATA and FOREFLOW_DPI_TOOLS; without them it says so and is skipped.
It takes three variants and asks only that nothing is lost, so its floors lie a little below what was reached."""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from bench.figures import Figure, report
from demo.foreflow import ROOT

BINARIES = ROOT / "build/release/bin"
SKIPPED = 77  # the exit status that ctest knows as such


class Variant:
    def __init__(self, name, perturb=(), options=(), macro_f1=None, protocol=None, wrong=None, floor=None):
        """`floor`: of macro-F1, for the test; None: the test leaves this variant out."""
        self.name, self.perturb, self.options, self.floor = name, perturb, options, floor
        self.bars = {"macro-F1": macro_f1, "protocol accuracy": protocol, "given a wrong protocol": wrong}


MIDDLE = ("--drop-first", "5")
VARIANTS = (
    Variant("as captured", macro_f1=95, protocol=93, wrong=1.5, floor=96),
    Variant("ports shifted", ("--shift-ports",), macro_f1=90, protocol=88, floor=94),
    Variant("first 5 packets missing", MIDDLE, macro_f1=86),
    Variant("first 5 missing, no port hints", MIDDLE, ("--no-port-hints",), macro_f1=74),
    Variant("one direction, a", ("--one-way", "a"), macro_f1=93),
    Variant("one direction, b", ("--one-way", "b"), macro_f1=93, floor=90),
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
    subprocess.run([arguments.binaries / "foreflow-classify", "--signatures", ROOT / "configs/signatures", "--cache", work / "patterns",
                    *variant.options, "-o", predictions, folder / "pcap"], check=True, stderr=subprocess.DEVNULL)
    scored = subprocess.run([sys.executable, arguments.tools / "score_dpi.py", "--json", result,
                             folder / "labels.tsv", predictions], stdout=subprocess.PIPE, text=True, check=True)
    if arguments.details:
        print(f"{variant.name}\n{scored.stdout}")
    found = json.loads(result.read_text())
    protocol, precision = found["protocol_accuracy"], found["protocol_precision_when_named"]
    return {"macro-F1": found["macro_f1"], "protocol accuracy": protocol,
            "given a wrong protocol": protocol / precision - protocol if precision else 0.0}


def figures_of(variant, values, floors=None):
    """With `floors` they stand in place of the variant's bars."""
    for what, value in values.items():
        bar = floors.get(what) if floors else variant.bars[what]
        yield Figure(f"{variant.name}: {what}", 100 * value, "%", "bar" if bar else "", bar or 0.0,
                     1.0 if bar else None, at_least=what != "given a wrong protocol")


def take_folders(arguments):
    """From the environment; whether both are named there."""
    folders = [os.environ.get(name) for name in ("FOREFLOW_DPI_DATA", "FOREFLOW_DPI_TOOLS")]
    if all(folders):
        arguments.data, arguments.tools = map(pathlib.Path, folders)
    return all(folders)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench accuracy", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, help="labelled captures")
    parser.add_argument("--tools", type=pathlib.Path, help="perturb_pcap.py and score_dpi.py")
    parser.add_argument("--work", type=pathlib.Path, help="keeps the variants for the next run")
    parser.add_argument("--binaries", type=pathlib.Path, default=BINARIES, help="where foreflow-classify is")
    parser.add_argument("--test", action="store_true", help="as a test, see above")
    parser.add_argument("--details", action="store_true", help="also the scorer's report of each variant")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    if arguments.test and not take_folders(arguments):
        print("skipped: name labelled captures in FOREFLOW_DPI_DATA and the scorer's folder in FOREFLOW_DPI_TOOLS")
        return SKIPPED
    if not (arguments.data and arguments.tools):
        parser.error("--data and --tools are needed")
    for needed in (arguments.data / "labels.tsv", arguments.tools / "perturb_pcap.py", arguments.tools / "score_dpi.py"):
        if not needed.exists():
            parser.error(f"{needed} is not there")
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or pathlib.Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        found = [figure for variant in VARIANTS if variant.floor or not arguments.test
                 for figure in figures_of(variant, score(variant, arguments, work),
                                          {"macro-F1": variant.floor} if arguments.test else None)]
    return report(found, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
