#!/usr/bin/env python3
"""Small things: files ≤ 700 lines, functions ≤ 70, lines ≤ 100 columns, include/luna ≤ 1,000 lines.

Functions are measured by universal-ctags, from the line of the name to the closing brace.
"""

import json
import shutil
import subprocess

import tree

FILE_LINES_MAX = 700
FUNCTION_LINES_MAX = 70
COLUMNS_MAX = 100
PUBLIC_LINES_MAX = 1000
FOLDERS = tree.CODE_FOLDERS + ("tools", "scripts", "cmake")
SUFFIXES = (".h", ".cc", ".py", ".cmake", "CMakeLists.txt")
# Macros that would hide a function from ctags.
MACROS = ("GUARDED_BY+", "PT_GUARDED_BY+", "REQUIRES+", "EXCLUDES+", "ACQUIRE+", "RELEASE+",
          "CAPABILITY+", "SCOPED_CAPABILITY", "NO_THREAD_SAFETY_ANALYSIS")


def functions(paths):
    """(path, name, first line, last line) of every function."""
    command = ["ctags", "--output-format=json", "--fields=+ne", "--kinds-C++=f",
               "--language-force=C++", "-I", ",".join(MACROS), "-o", "-", "-L", "-"]
    listing = "\n".join(str(p) for p in paths)
    done = subprocess.run(command, input=listing, capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        tag = json.loads(line)
        if tag.get("_type") == "tag" and "end" in tag:
            yield tag["path"], tag["name"], tag["line"], tag["end"]


def is_script(path):
    return path.parent.name in ("scripts", ".ci") and "." not in path.name


def check_lines(root):
    findings, public_lines = [], 0
    paths = tree.files(root, FOLDERS, SUFFIXES)
    paths += [p for p in tree.files(root, ("scripts", ".ci"), ("",)) if is_script(p)]
    for path in paths:
        where = tree.relative(root, path)
        lines = path.read_text().splitlines()
        if where.startswith("include/luna/"):
            public_lines += len(lines)
        if len(lines) > FILE_LINES_MAX:
            findings.append(f"{where}: {len(lines)} lines, at most {FILE_LINES_MAX}")
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS_MAX:
                findings.append(f"{where}:{number}: {len(line)} columns, at most {COLUMNS_MAX}")
    if public_lines > PUBLIC_LINES_MAX:
        findings.append(f"include/luna: {public_lines} lines, at most {PUBLIC_LINES_MAX}")
    return findings


def check_functions(root):
    if not shutil.which("ctags"):
        return ["ctags is missing: apt-get install universal-ctags"]
    findings = []
    for path, name, first, last in functions(tree.files(root)):
        length = last - first + 1
        if length > FUNCTION_LINES_MAX:
            where = path.removeprefix(str(root) + "/")
            findings.append(f"{where}:{first}: {name} has {length} lines, at most "
                            f"{FUNCTION_LINES_MAX}")
    return findings


def check(root):
    return check_lines(root) + check_functions(root)


if __name__ == "__main__":
    tree.main(check)
