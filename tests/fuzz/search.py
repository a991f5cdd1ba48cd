"""Lets the fuzz targets of a build search; a line for each, then one that sums them up.

    search.py --build build/asan --seed 1 --seconds 20 --jobs 2 --directory DIR [--keep DIR]

A search begins from the inputs of tests/fuzz/corpus in one order and from a seed, so that the same
build told the same seed searches the same way, where programs may have fixed addresses: for a
longer time, it goes on from there. With --keep it also begins from what earlier searches left in
DIR/TARGET, and leaves there what it finds.
A crash is one failure; --directory is for its input and for what libFuzzer prints.
"""

import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=1, help="libFuzzer draws its own for 0")
    parser.add_argument("--seconds", type=int, default=20, help="for each target")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--directory", type=pathlib.Path, required=True)
    parser.add_argument("--keep", type=pathlib.Path)
    given = parser.parse_args()
    if given.seed < 1 or given.seconds < 1 or given.jobs < 1:
        parser.error("--seed, --seconds and --jobs are 1 or more")
    return given


def begins(name, given):
    """Where the search of a target begins, as words of libFuzzer."""
    corpus = HERE / "corpus" / name
    if given.keep is not None:
        kept = given.keep / name
        kept.mkdir(parents=True, exist_ok=True)
        return [kept, corpus]
    listed = given.directory / f"fuzz-{name}.inputs"
    listed.write_text(",".join(str(path) for path in sorted(corpus.iterdir())))
    return [f"-seed_inputs=@{listed}"]


def same_addresses():
    """Words before a program that give it the same addresses each time, as what libFuzzer tries
    next depends on them; none where that is not permitted."""
    words = ["setarch", "-R"]
    try:
        tried = subprocess.run([*words, "true"], stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return []
    return words if tried.returncode == 0 else []


def search(name, given):
    """(how many inputs were tried, or None after a failure; what to say of it)."""
    log = given.directory / f"fuzz-{name}.txt"
    with open(log, "wb") as out:
        status = subprocess.run(
            [*same_addresses(), given.build / "tests/fuzz" / f"{name}_fuzz", *begins(name, given),
             f"-seed={given.seed}", f"-max_total_time={given.seconds}", "-timeout=25",
             "-rss_limit_mb=2048", "-print_final_stats=1",
             f"-artifact_prefix={given.directory}/{name}-"],
            stdout=out, stderr=subprocess.STDOUT, check=False).returncode
    text = log.read_text(errors="replace")
    runs = re.search(r"number_of_executed_units: (\d+)", text)
    if status == 0 and runs is not None:
        return int(runs[1]), f"{name:<12} {int(runs[1]):>9} inputs"
    return None, f"{name:<12} FAILED, {log}\n" + "\n".join(text.splitlines()[-30:])


def main():
    given = arguments()
    given.directory.mkdir(parents=True, exist_ok=True)
    ninja = (given.build / "build.ninja").read_text()
    found = []
    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        searches = []
        for source in sorted(HERE.glob("*_fuzz.cc")):
            name = source.stem.removesuffix("_fuzz")
            if f"build tests/fuzz/{name}_fuzz:" in ninja:  # wire needs a build with gRPC
                searches.append(pool.submit(search, name, given))
            else:
                print(f"{name:<12} skipped: not in this build")
        for each in searches:
            runs, line = each.result()
            found.append(runs)
            print(line, flush=True)
    failed = found.count(None)
    print(f"soak: seeds {given.seed}..{given.seed}, {failed} failed of {len(found)} targets, "
          f"{sum(runs or 0 for runs in found):,} inputs")
    return 0 if found and failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
