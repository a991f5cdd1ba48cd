#!/usr/bin/env python3
"""Words the house does not use.

Finds: names of files, folders and types made of util, helper, common, misc, manager, data or
info; to-do marks without an issue number; absolute paths of somebody's machine; hosts of package
registries.
"""

import re
import subprocess

import tree

BANNED = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "data", "info"}
TO_DO = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b(?!\(#\d+\))")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|home|Users|mnt)/\w|/tmp/lu" r"na/")
REGISTRY = re.compile(
    r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|crates\.io|rubygems\.org|golang\.org|"
    r"repo1?\.maven|conan\.io|snapshot\.debian\.org|deb\.debian\.org|docker\.io|ghcr\.io",
    re.IGNORECASE)
EVERYWHERE = tree.CODE_FOLDERS + ("tools", "scripts", "cmake", "docs", ".ci")
SELF = ("tools/check_words.py", "tests/house/self_test.py")


def words_of(name):
    """CamelCase, snake_case and kebab-case split into lower-case words."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return re.split(r"[^a-z0-9]+", spaced.lower())


def check_names(root):
    findings = []
    for path in tree.files(root, EVERYWHERE, ("",)):
        where = tree.relative(root, path)
        if "__pycache__" in where:
            continue
        for part in where.split("/"):
            for word in BANNED.intersection(words_of(part)):
                findings.append(f"{where}: a name with '{word}' says nothing; name the idea")
    return findings


def check_types(root):
    paths = "\n".join(str(p) for p in tree.files(root))
    command = ["ctags", "-x", "--kinds-C++=cgstu", "--language-force=C++", "--_xformat=%N %n %F",
               "-L", "-"]
    output = subprocess.run(command, input=paths, capture_output=True, text=True, check=True).stdout
    findings = []
    for line in output.splitlines():
        name, number, path = line.split(" ", 2)
        if name.startswith("__anon"):
            continue
        for word in BANNED.intersection(words_of(name)):
            where = path.removeprefix(str(root) + "/")
            findings.append(f"{where}:{number}: type {name} contains '{word}'")
    return findings


def check_text(root):
    findings = []
    paths = tree.files(root, EVERYWHERE, ("",))
    paths += [p for p in root.glob("*") if p.is_file()]
    for path in paths:
        where = tree.relative(root, path)
        if where in SELF or "__pycache__" in where:
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue  # a fuzz corpus
        for number, line in enumerate(text.splitlines(), 1):
            if TO_DO.search(line):
                findings.append(f"{where}:{number}: a to-do mark needs its issue: (#12)")
            if MACHINE_PATH.search(line):
                findings.append(f"{where}:{number}: an absolute path of one machine")
            if REGISTRY.search(line):
                findings.append(f"{where}:{number}: the host of a package registry")
    return findings


def check(root):
    return check_names(root) + check_types(root) + check_text(root)


if __name__ == "__main__":
    tree.main(check)
