#!/usr/bin/env python3
"""Tests mirror the house: src/<place>/x.cc ⇔ tests/unit/<place>/x_test.cc.

Also: every header opens with a comment, and states a thread rule if it declares a class or struct;
a source file includes its own header first, so that this compiles alone;
every source file is compiled by a room (lies in a folder with a luna_module call).
"""

import re

import tree

# Source → why it has no test of its own. Empty is the aim.
WITHOUT_TEST = {}
INCLUDE = re.compile(r"^#include [\"<]([^\">]+)", re.MULTILINE)
# How a header shows that it declares a type, and a test that it asserts something.
DECLARES_TYPE = re.compile(
    r"^\s*(?:template\s*<.*>\s*)?(?:class|struct)\s+[^;]*?[{:]", re.MULTILINE)
ASSERTS = re.compile(r"\b(?:EXPECT|ASSERT)_|\bLUNA_ASSERT\b|\b(?:ADD_FAILURE|FAIL)\(")


def check_tests(root):
    findings = []
    for path in tree.files(root, ("src",), (".cc",)):
        where = tree.relative(root, path)
        mirror = "tests/unit/" + where.removeprefix("src/").removesuffix(".cc") + "_test.cc"
        if not (root / mirror).exists() and where not in WITHOUT_TEST:
            findings.append(f"{where}: has no test; write {mirror}")
        elif (root / mirror).exists() and where in WITHOUT_TEST:
            findings.append(f"{where}: has a test now; remove it from WITHOUT_TEST")
    for path in tree.files(root, ("tests/unit",), (".cc",)):
        where = tree.relative(root, path)
        stem = "src/" + where.removeprefix("tests/unit/").removesuffix("_test.cc")
        if not where.endswith("_test.cc"):
            findings.append(f"{where}: a unit test's file ends in _test.cc")
        elif not (root / (stem + ".cc")).exists() and not (root / (stem + ".h")).exists():
            findings.append(f"{where}: mirrors no source ({stem}.cc or .h)")
        if not ASSERTS.search(path.read_text()):
            findings.append(f"{where}: asserts nothing")
    return findings


def check_headers(root):
    findings = []
    for path in tree.files(root, ("include", "src"), (".h",)):
        where = tree.relative(root, path)
        text = path.read_text()
        if not text.startswith("//"):
            findings.append(f"{where}: opens without a comment (what it is, its invariants)")
        if "#pragma once" not in text:
            findings.append(f"{where}: has no #pragma once")
        if DECLARES_TYPE.search(text) and "thread rule" not in text.lower():
            findings.append(f"{where}: declares a type and states no thread rule")
    return findings


def check_own_first(root):
    findings = []
    for path in tree.files(root, ("src",), (".cc",)):
        if not path.with_suffix(".h").exists():
            continue
        own = tree.relative(root, path.with_suffix(".h")).removeprefix("src/")
        first = INCLUDE.search(path.read_text())
        if first is None or first[1] != own:
            findings.append(f'{tree.relative(root, path)}: include "{own}" first')
    return findings


def check_homeless(root):
    folders = {str(room.folder) for room in tree.rooms(root).values()}
    return [f"{tree.relative(root, path)}: compiled by no room"
            for path in tree.files(root, ("src",), (".cc", ".h"))
            if path.parent.relative_to(root / "src").as_posix() not in folders]


def check(root):
    return (check_tests(root) + check_headers(root) + check_own_first(root)
            + check_homeless(root))


if __name__ == "__main__":
    tree.main(check)
