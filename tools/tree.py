"""The tree as the house checks see it: rooms, files, findings. Python 3 standard library only.

A check is a script with one function `check(root) -> list[str]`: one line a finding, none is
success.
"""

import argparse
import pathlib
import re
import sys
from dataclasses import dataclass

CODE_FOLDERS = ("include", "src", "apps", "tests", "bench")
FLOORS = ("base", "runtime", "kernel", "engine", "cluster", "service", "simulation")


@dataclass(frozen=True)
class Room:
    """A folder below src with one luna_module call."""

    name: str
    folder: pathlib.PurePosixPath  # relative to src
    depends: tuple
    libraries: tuple

    @property
    def floor(self):
        return self.folder.parts[0]


def read_module(text):
    """The keyword lists of the luna_module call in a CMakeLists.txt, or None."""
    call = re.search(r"^luna_module\(([^)]*)\)", text, re.MULTILINE)
    if not call:
        return None
    lists, current = {"NAME": [], "DEPENDS": [], "LIBRARIES": []}, None
    for word in re.sub(r"#.*", "", call.group(1)).split():
        if word in lists:
            current = lists[word]
        elif current is not None:
            current.append(word)
    return lists


def rooms(root):
    """All rooms by name."""
    found = {}
    source_root = root / "src"
    for path in sorted(source_root.rglob("CMakeLists.txt")):
        lists = read_module(path.read_text())
        if lists and lists["NAME"]:
            folder = pathlib.PurePosixPath(path.parent.relative_to(source_root).as_posix())
            name = lists["NAME"][0]
            found[name] = Room(name, folder, tuple(lists["DEPENDS"]), tuple(lists["LIBRARIES"]))
    return found


def files(root, folders=CODE_FOLDERS, suffixes=(".h", ".cc")):
    """Files of the folders that end so, sorted, as absolute paths."""
    found = []
    for folder in folders:
        place = root / folder
        if place.is_dir():
            found += [p for p in place.rglob("*") if p.is_file() and p.name.endswith(suffixes)]
    return sorted(found)


def relative(root, path):
    return path.relative_to(root).as_posix()


def main(check):
    """Runs a check from the command line: prints its findings, exit 1 if there are any."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    default = pathlib.Path(__file__).resolve().parent.parent
    parser.add_argument("--root", type=pathlib.Path, default=default, help="the tree to check")
    findings = check(parser.parse_args().root.resolve())
    for finding in findings:
        print(finding)
    name = pathlib.Path(sys.argv[0]).stem
    print(f"{name}: {len(findings)} finding(s)" if findings else f"{name}: clean")
    sys.exit(1 if findings else 0)
