# SPDX-License-Identifier: Apache-2.0
"""scripts/bench differential: the same intents and a million random packets through the emulated device and through the
pipeline (tests/contract/intents); every packet's end and every counter have to be the same, and what is lent of a
contended uplink."""
import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile

from bench.figures import Figure, report

PROGRAM = "build/release/bin/intents_tests"


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench differential", description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="also write the figures there")
    parser.add_argument("--packets", type=int, default=1_000_000, help="how many (default a million)")
    arguments = parser.parse_args()
    environment = {**os.environ, "FOREFLOW_DIFFERENTIAL_PACKETS": str(arguments.packets)}
    with tempfile.TemporaryDirectory() as directory:
        answer = os.path.join(directory, "answer.json")
        outcome = subprocess.run([PROGRAM, "--gtest_filter=*Differential.*:Colours.*:Contended.*",
                                  f"--gtest_output=json:{answer}"], env=environment, check=False)
        seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        apart = worst_apart(answer)
    return report([Figure("tests that fail", abs(outcome.returncode), "", "fixed", 1, 0),
                   Figure("contended: furthest apart, any VM, any 100 ms", apart * 100, "%", "fixed", 1, 1),
                   Figure("processor time of both sides", seconds, "s")], arguments.json)


def worst_apart(answer):
    with open(answer, encoding="utf-8") as file:
        suites = json.load(file)["testsuites"]
    return max(float(test["worst_apart"]) for suite in suites for test in suite["testsuite"] if "worst_apart" in test)


if __name__ == "__main__":
    sys.exit(main())
