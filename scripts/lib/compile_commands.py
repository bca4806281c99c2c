# SPDX-License-Identifier: Apache-2.0
"""Runs a tool over the sources with the flags of compile_commands.json, one job per processor.

usage: compile_commands.py headers|tidy BUILD_FOLDER [--changed]
  headers   every header of the product compiles alone, with the flags of a source of its folder
  tidy      clang-tidy on every source of the product (headers are seen through them)
"""
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PRODUCT = ("common", "predictor", "dataplane", "host")


def commands(build):
    entries = json.loads((build / "compile_commands.json").read_text())
    found = {}
    for entry in entries:
        source = pathlib.Path(entry["file"]).resolve()
        if source.is_relative_to(ROOT) and source.relative_to(ROOT).parts[0] in PRODUCT:
            found.setdefault(source.relative_to(ROOT), entry)
    return found


def changed_files():
    base = subprocess.run(["git", "merge-base", "HEAD", "main"], capture_output=True, text=True).stdout.strip() or "HEAD"
    names = subprocess.run(["git", "diff", "--name-only", base], capture_output=True, text=True).stdout.splitlines()
    new = subprocess.run(["git", "ls-files", "--others", "--exclude-standard"], capture_output=True, text=True)
    return {pathlib.Path(name) for name in [*names, *new.stdout.splitlines()]}


def flags_for(header, found):
    """The command of the source whose folder is nearest to the header's, without its input and output."""
    def closeness(source):
        return len(os.path.commonprefix([source.parts, header.parts]))

    entry = found[max(sorted(found), key=closeness)]
    words = shlex.split(entry["command"])
    if words[0].endswith("ccache"):
        words = words[1:]
    kept, skip = [], False
    for word in words[:-2] if words[-2] == "-c" else words:
        if skip or word in ("-o", "-MF", "-MT", "-MQ"):
            skip = not skip
        elif word not in ("-c", "-MD", "-MMD"):
            kept.append(word)
    return [word for word in kept if word != entry["file"]]


def proven_by_build(header):
    """The build has compiled it alone already: it is the first include of the source beside it."""
    source = header.with_suffix(".cc")
    if not source.exists():
        return False
    found = re.search(r'^\s*#\s*include\s*[<"]([^>"]+)', source.read_text(), re.M)
    return found is not None and ROOT / found[1] == header


def header_jobs(found, only):
    for top in PRODUCT:
        for header in sorted((ROOT / top).rglob("*.h")):
            name = header.relative_to(ROOT)
            if (only is None or name in only) and not proven_by_build(header):
                yield name, [*flags_for(name, found), "-fsyntax-only", "-x", "c++", "-include", str(header), "/dev/null"]


def tidy_jobs(build, found, only):
    arguments = ["--extra-arg=-Wno-unknown-warning-option", "--quiet", "-p", str(build)]
    for name in sorted(found):
        if only is None or name in only:
            yield name, ["clang-tidy", *arguments, str(ROOT / name)]


def run(job):
    name, command = job
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    # clang-tidy's errors are on stdout; on stderr it only counts suppressed warnings.
    output = done.stdout if "clang-tidy" in command[0] and done.stdout else done.stderr
    return name, done.returncode, output


def main(arguments):
    tool, build = arguments[0], pathlib.Path(arguments[1]).resolve()
    only = changed_files() if "--changed" in arguments else None
    found = commands(build)
    jobs = list(header_jobs(found, only) if tool == "headers" else tidy_jobs(build, found, only))
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, status, output in pool.map(run, jobs):
            if status != 0:
                failures += 1
                print(f"{name}:\n{output}", file=sys.stderr)
    print(f"{len(jobs) - failures} of {len(jobs)} passed")
    return 1 if failures else 0


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in ("headers", "tidy"):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
