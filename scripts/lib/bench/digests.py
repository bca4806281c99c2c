# SPDX-License-Identifier: Apache-2.0
"""scripts/bench digests: do all builds decide alike? Solves the same rounds with programs of GCC and clang, optimized and
with AddressSanitizer and UndefinedBehaviorSanitizer, and compares the digests of all decisions. --also adds programs
(bench_decisions) that were built elsewhere; those for arm64 run under qemu."""
import argparse
import concurrent.futures
import pathlib
import shutil
import subprocess
import sys
import tempfile

from bench.figures import Figure, report
from demo.foreflow import ROOT

PARTS = ["common", "host/allocate"]
SOURCES = ["tests/bench/decisions.cc", "host/audit/chain.cc"]
OPTIMIZED = ["-O3", "-DNDEBUG"]
CHECKED = ["-O1", "-g1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
ARM64 = "/usr/aarch64-linux-gnu"


def kinds():
    """Name -> (compiler, flags)."""
    found = {}
    for name, compiler in (("GCC", "g++"), ("clang", "clang++")):
        if shutil.which(compiler):
            found[f"{name} release"] = (compiler, OPTIMIZED)
            found[f"{name} asan"] = (compiler, CHECKED)
    return found


def build(folder, number, compiler, flags):
    """The program of a kind, from one unit per source."""
    sources = [ROOT / source for source in SOURCES]
    sources += [path for part in PARTS for path in sorted((ROOT / part).glob("*.cc"))
                if path.name not in ("toml_reader.cc",)]
    program = folder / f"decisions-{number}"
    subprocess.run([compiler, "-std=c++20", *flags, f"-I{ROOT}", "-o", program, *sources, "-lfmt", "-lcrypto", "-lpthread"],
                   check=True)
    return program


def digest(command, days):
    return subprocess.run([*command, str(days)], check=True, capture_output=True, text=True).stdout.strip()


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench digests", description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="also write the figures there")
    parser.add_argument("--days", type=int, default=1, help="of rounds, 8,640 each (default 1)")
    parser.add_argument("--also", metavar="PROGRAM", action="append", default=[], type=pathlib.Path,
                        help="bench_decisions of another build; one for arm64 is run by qemu-aarch64-static")
    arguments = parser.parse_args()
    digests = {}
    with tempfile.TemporaryDirectory(prefix="foreflow-digests-") as name:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            jobs = {kind: pool.submit(build, pathlib.Path(name), number, compiler, flags)
                    for number, (kind, (compiler, flags)) in enumerate(kinds().items())}
            programs = {kind: [job.result()] for kind, job in jobs.items()}
        programs["preset release"] = [ROOT / "build/release/bin/bench_decisions"]
        for program in arguments.also:
            foreign = "aarch64" in subprocess.run(["file", "-L", program], check=True, capture_output=True, text=True).stdout
            runner = ["qemu-aarch64-static", "-L", ARM64] if foreign else []
            programs[f"{program}{' (arm64, qemu)' if foreign else ''}"] = [*runner, program]
        for kind, command in programs.items():
            digests[kind] = digest(command, arguments.days)
            print(f"{kind:<34} {digests[kind]}")
    return report([Figure("builds compared", len(digests), "", "fixed", 1, 2, at_least=True),
                   Figure("different digests", len(set(digests.values())), "", "fixed", 1, 1)], arguments.json)


if __name__ == "__main__":
    sys.exit(main())
