# SPDX-License-Identifier: Apache-2.0
"""Rules about the sources that no compiler checks: include directions, SPDX lines, foreign paths; lengths as warnings.

Directions inside common/, dataplane/ and host/ are those of CMake's link lists (a folder may include what its library
links); foreign headers belong to the folders named in FOREIGN.
"""
import pathlib
import re
import subprocess
import sys

LAYERS = {  # top folder -> top folders it may include
    "common": {"common"},
    "predictor": {"common", "predictor"},
    "dataplane": {"common", "predictor", "dataplane"},
    "host": {"common", "predictor", "host"},
}
FOREIGN = {  # header pattern -> folders that may include it
    r"rte_|ethdev_": {"dataplane/port", "dataplane/pipeline", "dataplane/offload", "dataplane/flow",
                        "dataplane/main.cc"},
    r"hs(/hs.*|_.*)?\.h$": {"dataplane/classify"},
    r"grpc|google/protobuf|.*\.pb\.h$": {"common/wire", "dataplane/telemetry", "host/link", "host/api", "host/cli"},
    r"sqlite3\.h|curl/": {"host/store"},
    r"libvirt/": {"host/guest", "host/fabric"},
    r"Eigen/": {"predictor"},
}
MOST_LINES = {".h": 150, ".cc": 300, ".py": 300}
MOST_FUNCTION_LINES = 60


def repository_files():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], check=True,
                            capture_output=True, text=True).stdout.splitlines()
    return [pathlib.Path(name) for name in listed if pathlib.Path(name).is_file()]


def linked_folders():
    """folder -> folders whose headers it may include, from foreflow_part()/foreflow_library() of CMake, transitively."""
    folder_of = {"foreflow_common": "common", "foreflow_wire": "common/wire", "foreflow_predictor": "predictor"}
    links_of = {"foreflow_wire": ["foreflow_common"], "foreflow_predictor": ["foreflow_common"]}
    for top in LAYERS:
        text = pathlib.Path(top, "CMakeLists.txt").read_text()
        for kind, arguments in re.findall(r"foreflow_(part|library)\(([^)]*)\)", text):
            words = arguments.split()
            folder = f"{top}/{words[1]}" if kind == "part" else top
            folder_of.setdefault(words[0], folder)
            links_of[words[0]] = [w for w in words[1:] if w.startswith("foreflow_")]

    def closure(name, seen):
        for other in links_of.get(name, []):
            if other not in seen:
                seen.add(other)
                closure(other, seen)
        return seen

    allowed = {}
    for name, folder in folder_of.items():
        allowed.setdefault(folder, set()).update({folder_of[n] for n in closure(name, {name}) if n in folder_of})
    return allowed


def part_of(path, parts):
    """The innermost folder of `parts` that holds `path`, or its top folder for main.cc and the like."""
    for parent in path.parents:
        if str(parent) in parts:
            return str(parent)
    return path.parts[0]


def direction_error(path, header, allowed):
    top = path.parts[0]
    target = pathlib.Path(header)
    if target.parts[0] in LAYERS:
        if target.parts[0] not in LAYERS[top]:
            return f"{top}/ may not include {target.parts[0]}/"
        mine, theirs = part_of(path, allowed), part_of(target, allowed)
        # Parts of common have no link lists among themselves; a main wires everything of its top folder.
        if mine in allowed and theirs != mine and theirs.split("/")[0] != "common" and theirs not in allowed[mine]:
            if not path.name.endswith("main.cc"):
                return f"{mine} does not link {theirs} in CMake"
    for pattern, folders in FOREIGN.items():
        if re.match(pattern, header) and not any(f"{path}/".startswith(folder + "/") for folder in folders):
            return f"{header} belongs to {', '.join(sorted(folders))} only"
    return None


def include_errors(files):
    allowed = linked_folders()
    for path in files:
        if path.suffix not in (".h", ".cc") or path.parts[0] not in LAYERS:
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            found = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
            if found and (error := direction_error(path, found[1], allowed)):
                yield f"{path}:{number}: {error}"


def text_errors(files):
    for path in files:
        if path.suffix not in (".h", ".cc", ".py", ".proto", ".cmake", ".toml", ".sh", ".md", ""):
            continue
        text = path.read_text(errors="replace")
        if path.suffix in (".h", ".cc", ".py", ".proto", ".cmake") and "SPDX-License-Identifier" not in text[:200]:
            yield f"{path}:1: no SPDX line"
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(r"(?<![\w.])/(work|home/[a-z]+|root)/", line) and path.name != "source_rules.py":
                yield f"{path}:{number}: a path of one machine: {line.strip()[:80]}"


RESERVED = re.compile(r"\b(?!__(?:int128|cplusplus|restrict|(?:builtin|real|wrap)_\w+|[A-Za-z0-9_]+__)\b)(?:_[A-Z]\w*|\w*__\w*)\b")
NO_CODE = re.compile(r'"(?:[^"\\]|\\.)*"|<[^>]*>|//.*')


def reserved_errors(files):
    """Names with two underscores, or with one before a capital, belong to the compiler ([lex.name])."""
    for path in files:
        if path.suffix in (".h", ".cc") and path.parts[0] in LAYERS:
            for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
                if found := RESERVED.search(NO_CODE.sub("", line)):
                    yield f"{path}:{number}: '{found[0]}' is a name of the compiler's"


def functions(lines):
    """(first line, length) of each brace-bodied function at namespace or class level, by Google-style indentation."""
    start, indent = None, ""
    for number, line in enumerate(lines, 1):
        if start is None:
            found = re.match(r"^( {0,2})[A-Za-z~_\[].*\)[^;{]*\{$", line)
            if found and not re.match(r" *(if|for|while|switch|else|namespace|class|struct|enum|extern)\b", line):
                start, indent = number, found[1]
        elif line.startswith(indent + "}"):
            yield start, number - start + 1
            start = None


def length_warnings(files):
    for path in files:
        most = MOST_LINES.get(path.suffix)
        if most is None:
            continue
        lines = path.read_text(errors="replace").splitlines()
        if len(lines) > most and path.parts[0] != "tests":
            yield f"{path}: warning: {len(lines)} lines, more than {most}"
        if path.suffix in (".h", ".cc"):
            for start, length in functions(lines):
                if length > MOST_FUNCTION_LINES:
                    yield f"{path}:{start}: warning: function of {length} lines, more than {MOST_FUNCTION_LINES}"


def main():
    files = repository_files()
    for warning in length_warnings(files):
        print(warning)
    errors = [*include_errors(files), *text_errors(files), *reserved_errors(files)]
    for error in errors:
        print(error, file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
