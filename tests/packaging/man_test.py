# SPDX-License-Identifier: Apache-2.0
"""Each packaged program has a manual page, which names every option that the program's --help does and nothing else.
`man_test.py SOURCE_FOLDER FOLDER_OF_PROGRAMS`."""
import pathlib
import re
import subprocess
import sys

PAGES = pathlib.Path(sys.argv[1]) / "docs/man"
PROGRAMS = {"foreflow-host-setup": pathlib.Path(sys.argv[1]) / "scripts/host-setup"}
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")


def options_of(program):
    shown = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    # A summary of subcommands mentions options of theirs.
    return set(OPTION.findall(shown))


def options_in(page):
    return set(OPTION.findall(page.read_text().replace("\\-", "-")))


def main():
    wrong = []
    for page in sorted(PAGES.iterdir()):
        program = PROGRAMS.get(page.stem, pathlib.Path(sys.argv[2]) / page.stem)
        if not program.exists():
            wrong.append(f"{page.name}: no program {program}")
            continue
        told, there = options_in(page), options_of(program)
        for option in sorted(there - told - {"--help", "--version"}):
            wrong.append(f"{page.name}: {option} is missing")
        for option in sorted(told - there - {"--help", "--version"}):
            wrong.append(f"{page.name}: {program.name} has no {option}")
    packaged = re.findall(r"foreflow_program\((foreflow\S*) ", (pathlib.Path(sys.argv[1]) / "cmake/packages.cmake").read_text())
    for name in packaged:
        if not any(page.stem == name for page in PAGES.iterdir()):
            wrong.append(f"{name} has no page in {PAGES}")
    print("\n".join(wrong) or "man: all held")
    return len(wrong) > 0


if __name__ == "__main__":
    sys.exit(main())
