#!/usr/bin/env python3
"""The world has one door: no archive but luna_posix calls the operating system.

Reads the undefined symbols of each room's archive with nm. Arguments: the archives.
"""

import argparse
import pathlib
import re
import subprocess
import sys

# runtime/posix is the door; simulation switches fibers and maps their stacks.
FREE_ROOMS = ("posix",)
ALLOWED = {"simulation": {"getcontext", "makecontext", "swapcontext", "setcontext", "mmap",
                          "mmap64", "munmap", "mprotect", "sysconf"}}
BANNED = set("""
clock_gettime clock_getres gettimeofday time localtime localtime_r gmtime nanosleep
clock_nanosleep usleep sleep sched_yield pthread_create pthread_cond_init pthread_cond_wait
pthread_cond_timedwait pthread_cond_clockwait pthread_cond_signal pthread_cond_broadcast sem_init
sem_wait sem_post open open64 openat openat64 __open_2 __open64_2 creat close read write pread
pread64 pwrite pwrite64 __read_chk __pread_chk __pread64_chk preadv pwritev readv writev lseek
lseek64 fsync fdatasync sync_file_range ftruncate ftruncate64 truncate fallocate posix_fallocate
link rename renameat unlink unlinkat mkdir mkdirat rmdir opendir readdir stat stat64 fstat fstat64
fstatat flock fcntl fcntl64 fopen fopen64 freopen mmap mmap64 munmap mprotect madvise socket
connect accept accept4 bind listen send recv sendto recvfrom poll epoll_create1 select fork vfork
execve posix_spawn system popen kill signal sigaction getrandom getentropy arc4random rand srand
random srandom rand_r drand48 syscall getenv getpid getcontext makecontext swapcontext setcontext
sysconf
""".split())
BANNED_MANGLED = re.compile(
    r"_ZNSt6chrono3_V2\d+(?:system|steady|high_resolution)_clock3nowEv"
    r"|_ZNSt6thread|_ZNSt13random_device|_ZNSt18condition_variable"
    r"|_ZNSt11this_thread|_ZSt\d+(?:__async|async)|_ZNSt10filesystem|_ZNKSt10filesystem"
    r"|_ZNSt13basic_filebuf|_ZNSt14basic_[io]fstream|_ZNSt13basic_fstream")


def symbols(archive):
    """(object file, symbol) pairs that the archive expects from elsewhere."""
    command = ["nm", "--undefined-only", "--print-file-name", "--format=posix", str(archive)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for line in output.splitlines():
        place, _, rest = line.partition(": ")
        if rest:
            member = re.search(r"\[([^\]]+)\]", place)
            yield (member.group(1) if member else place), rest.split()[0].split("@")[0]


def check_archive(archive):
    room = re.sub(r"^libluna_|\.a$", "", archive.name)
    if room in FREE_ROOMS:
        return []
    allowed = ALLOWED.get(room, set())
    return [f"luna_{room}: {member} uses {symbol}; go through runtime"
            for member, symbol in symbols(archive)
            if symbol not in allowed and (symbol in BANNED or BANNED_MANGLED.match(symbol))]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archives", nargs="*", type=pathlib.Path)
    findings = []
    for archive in parser.parse_args().archives:
        if archive.suffix == ".a":  # rooms without sources have no archive
            findings += check_archive(archive)
    for finding in findings:
        print(finding)
    print(f"check_symbols: {len(findings)} finding(s)" if findings else "check_symbols: clean")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
