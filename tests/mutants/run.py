#!/usr/bin/env python3
"""Mutants: small diffs that each break one rule of the protocol (tests/mutants/NAME.patch), to see
that the simulated groups notice. A patch begins with "Rule:", the rule it breaks, "Killed by:",
what is expected to show, and, where it is known that nothing can show, "Survives:" with the reason.

  run.py --check                    do the patches still apply? (a ctest)
  run.py [--tree DIR] [--seeds N] [--jobs N] [--report FILE] [NAME ...]
                                    build each mutant in a copy of the tree (DIR, made if missing;
                                    its build is kept), run up to N seeds (2000) of the scenario
                                    `group`, say at which seed it was killed
Nothing is written to the tree itself, but the report.
"""
import argparse
import concurrent.futures
import datetime
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SIMULATE = "apps/luna_simulate/luna-simulate"


def header(patch, word):
    found = re.search(rf"^{word}: (.*)$", patch.read_text(), re.MULTILINE)
    return found.group(1) if found else ""


def git_apply(tree, patch, *words):
    # In a repository above the tree, paths would be looked for from its root.
    above = dict(os.environ, GIT_CEILING_DIRECTORIES=str(tree.resolve().parent))
    return subprocess.run(["git", "apply", *words, str(patch)], cwd=tree, capture_output=True,
                          text=True, env=above)


def is_applied(tree, patch):
    names = re.findall(r"^\+\+\+ b/(.*)$", patch.read_text(), re.MULTILINE)
    return all((tree / name).read_bytes() != (ROOT / name).read_bytes() for name in names)


def check(patches):
    bad = 0
    for patch in patches:
        problems = [f"no line '{word}: …'" for word in ("Rule", "Killed by")
                    if not header(patch, word)]
        applied = git_apply(ROOT, patch, "--check")
        if applied.returncode != 0:
            problems.append("does not apply: " + applied.stderr.strip())
        for problem in problems:
            print(f"{patch.name}: {problem}")
        bad += bool(problems)
    print(f"mutants: {len(patches)} patches, {bad} bad")
    return 1 if bad or len(patches) < 20 else 0


def copy_tree(tree):
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True,
                           capture_output=True).stdout.decode().split("\0")
    for name in filter(None, names):
        source, target = ROOT / name, tree / name
        if source.is_file() and (not target.is_file() or
                                 target.read_bytes() != source.read_bytes()):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    for folder in ("apps", "src", "tests"):  # a build finds sources by itself
        for target in (tree / folder).rglob("*.*"):
            if target.is_file() and not (ROOT / target.relative_to(tree)).exists():
                target.unlink()


def build(tree):
    built = subprocess.run(["cmake", "--build", str(tree / "build/release"), "--target",
                            "luna_simulate"], capture_output=True, text=True)
    return "" if built.returncode == 0 else built.stdout[-2000:] + built.stderr[-2000:]


def configure(tree):
    words = ["cmake", "--preset", "release", "-DLUNA_BUILD_TESTS=ON", "-DLUNA_BUILD_APPS=ON"]
    if shutil.which("ccache"):
        words.append("-DCMAKE_CXX_COMPILER_LAUNCHER=ccache")
    subprocess.run(words, cwd=tree, check=True, capture_output=True)


def build_mutant(tree, patch, programs):
    """The error, or nothing."""
    program = programs / patch.stem
    program.unlink(missing_ok=True)
    applied = git_apply(tree, patch)
    if applied.returncode != 0:
        return "does not apply: " + applied.stderr
    try:
        problem = build(tree) if is_applied(tree, patch) else "changes nothing"
        if not problem:
            shutil.copy(tree / "build/release" / SIMULATE, program)
        return problem
    finally:
        git_apply(tree, patch, "--reverse")


def run_mutant(program, seeds):
    """(seed, why) of the first failure; (None, "") when there is none."""
    ran = subprocess.run(["nice", "-n", "19", str(program), "--scenario", "group", "--seeds",
                          f"1..{seeds}", "--until-failure"], capture_output=True, text=True)
    found = re.search(r"^seed (\d+) FAILED: (.*(?:\n.*)?)", ran.stdout, re.MULTILINE)
    if found:
        return int(found.group(1)), why(ran.stdout)
    if f"soak: seeds 1..{seeds}, 0 failed" not in ran.stdout:
        return None, "did not end as it should: " + ran.stdout[-300:] + ran.stderr[-300:]
    return None, ""


def why(text):
    line = text.split("FAILED: ", 1)[1].split("\nsoak:", 1)[0]
    line = re.sub(r"^seed \d+: ", "", line).replace("\n", " ").replace("|", "/")
    line = re.sub(r"\d+ of \d+ operations can be put in order:.*", "", line)
    return line[:110].strip().rstrip(",")


def tell(rows, seeds, commit):
    killed = sum(1 for row in rows if row[1] is not None)
    lines = [
        "# Soak: mutants", "",
        "Written by `scripts/soak mutants`; see [README](README.md). Each row is a diff in "
        "`tests/mutants` that breaks",
        "one rule; `killed at` is the first seed of the scenario `group` that noticed.", "",
        f"{datetime.date.today()}, commit {commit}: {killed} of {len(rows)} killed within {seeds} "
        "seeds.", "",
        "| mutant | the rule it breaks | killed at | what showed |", "|---|---|---|---|"]
    for patch, seed, text in rows:
        at = str(seed) if seed is not None else "survived"
        lines.append(f"| {patch.stem} | {header(patch, 'Rule')} | {at} | "
                     f"{text or header(patch, 'Survives') or 'not explained'} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--tree", type=pathlib.Path, default=ROOT / "build/mutants/tree")
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--report", type=pathlib.Path)
    parser.add_argument("--only", choices=["build", "run"], help="one of the two steps")
    parser.add_argument("names", nargs="*")
    words = parser.parse_args()
    patches = sorted(HERE.glob("*.patch"))
    if words.names:
        patches = [patch for patch in patches if patch.stem in words.names]
    if words.check:
        return check(patches)
    programs = words.tree / "build/programs"
    programs.mkdir(parents=True, exist_ok=True)
    if words.only != "run":
        copy_tree(words.tree)
        configure(words.tree)
        if problem := build(words.tree):
            print("the tree does not build: " + problem)
            return 1
        for patch in patches:
            problem = build_mutant(words.tree, patch, programs)
            print(f"{patch.stem}: {problem or 'built'}", flush=True)
    if words.only == "build":
        return 0
    rows = []
    with concurrent.futures.ThreadPoolExecutor(words.jobs) as pool:
        ran = [(patch, pool.submit(run_mutant, programs / patch.stem, words.seeds))
               for patch in patches if (programs / patch.stem).exists()]
        for patch, future in ran:
            seed, text = future.result()
            rows.append((patch, seed, text))
            print(f"{patch.stem}: " + (f"killed at seed {seed}: {text}" if seed is not None else
                                       f"survived {words.seeds} seeds {text}"), flush=True)
    commit = subprocess.run(["git", "describe", "--always"], cwd=ROOT, capture_output=True,
                            text=True).stdout.strip() or "unknown"
    if words.report:
        words.report.write_text(tell(rows, words.seeds, commit))
    killed = sum(1 for row in rows if row[1] is not None)
    print(f"mutants: {killed} of {len(rows)} killed within {words.seeds} seeds")
    return 0 if rows and len(rows) == len(patches) and killed * 100 >= 95 * len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
