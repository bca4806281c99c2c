# SPDX-License-Identifier: Apache-2.0
"""scripts/bench differential: the same intents and a million random packets through the emulated device and through the
pipeline (tests/contract/intents/differential_test.cc); every packet's end and every counter have to be the same."""
import argparse
import os
import resource
import subprocess
import sys

from bench.figures import Figure, report

PROGRAM = "build/release/bin/intents_tests"


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench differential", description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="also write the figures there")
    parser.add_argument("--packets", type=int, default=1_000_000, help="how many (default a million)")
    arguments = parser.parse_args()
    environment = {**os.environ, "FOREFLOW_DIFFERENTIAL_PACKETS": str(arguments.packets)}
    outcome = subprocess.run([PROGRAM, "--gtest_filter=Differential.*:Colours.*"], env=environment, check=False)
    seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    return report([Figure("tests that fail", abs(outcome.returncode), "", "fixed", 1, 0),
                   Figure("processor time of both sides", seconds, "s")], arguments.json)


if __name__ == "__main__":
    sys.exit(main())
