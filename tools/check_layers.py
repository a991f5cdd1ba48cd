#!/usr/bin/env python3
"""Who may include whom: the luna_module calls are the whole truth, downward only.

Finds: undeclared, mutual and upward dependencies; includes of rooms that are not declared;
third-party and operating-system headers outside their rooms; public headers that include anything
of src.
"""

import pathlib
import re

import tree

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)

# Header prefix → places that may include it. Replacing a library is a one-room change.
THIRD_PARTY = {
    "lz4": ("src/engine/table/",),
    "zstd": ("src/engine/table/",),
    "xxhash.h": ("src/base/",),
    "openssl/": ("src/runtime/tls/",),
    "jemalloc/": ("apps/lunad/",),
    "toml++/": ("src/service/server/config.cc",),
    "spdlog/": ("src/service/server/log_sink.cc",),
    "rados/": ("src/kernel/rados/",),
    "grpc": ("src/cluster/grpc_transport/",),
    "peer.pb.h": ("src/cluster/wire/codec.cc",),
    "google/protobuf/": (),
    "CLI/": ("apps/",),
    "httplib.h": ("src/service/server/http_page.cc",),
    "prometheus/": ("src/service/server/metrics_page.cc",),
    "histedit.h": ("apps/luna/prompt.cc",),
    "gtest/": ("tests/",),
    "hiredis/": ("tests/apps/clients/",),
    "benchmark/": ("bench/",),
    "rocksdb/": ("bench/",),
    "leveldb/": ("bench/",),
    "lmdb.h": ("bench/",),
}

OUTSIDE = ("apps/", "tests/", "bench/")
# The world has one door: these headers lead out of it.
WORLD = {
    "src/runtime/posix/": (
        "unistd.h", "fcntl.h", "dirent.h", "malloc.h", "pthread.h", "sched.h", "sys/", "linux/",
        "netinet/", "netdb.h", "arpa/", "poll.h", "time.h", "thread", "mutex", "signal.h",
        "condition_variable", "filesystem", "fstream", "random", "semaphore", "shared_mutex",
        "future", "barrier", "latch", "stop_token"),
    "src/simulation/": ("ucontext.h", "sys/mman.h", "unistd.h"),
    "src/base/mutex.h": ("mutex",),
    "src/base/": ("cpuid.h", "wmmintrin.h", "x86intrin.h"),
}
STANDARD = set("""
algorithm any array atomic bit bitset cassert cctype cerrno cfenv cfloat charconv chrono cinttypes
climits cmath compare complex concepts coroutine csetjmp csignal cstdarg cstddef cstdint cstdio
cstdlib cstring ctime cwchar deque exception expected forward_list functional initializer_list
iomanip ios iosfwd istream iterator limits list locale map memory memory_resource new numbers
numeric optional ostream queue ranges ratio set source_location span sstream stack stdexcept
streambuf string string_view strstream system_error tuple type_traits typeindex typeinfo
unordered_map unordered_set utility valarray variant vector version
""".split())
VENDOR_INTRINSICS = ("immintrin.h", "emmintrin.h", "nmmintrin.h", "smmintrin.h", "xmmintrin.h")


def _starts(name, prefixes):
    return any(name == p or (p.endswith("/") and name.startswith(p)) for p in prefixes)


def check_graph(rooms):
    """Declared dependencies exist, go downward and have no cycle."""
    findings = []
    rank = {floor: number for number, floor in enumerate(tree.FLOORS)}
    for room in rooms.values():
        for name in room.depends:
            if name not in rooms:
                findings.append(f"src/{room.folder}: depends on {name}, which is no room")
            elif rank[rooms[name].floor] > rank[room.floor]:
                findings.append(f"src/{room.folder}: depends upward on {rooms[name].folder}")
    return findings + _cycles(rooms)


def _cycles(rooms):
    findings, done = [], set()

    def visit(name, path):
        if name in path:
            findings.append("mutual dependency: " + " -> ".join(path[path.index(name):] + [name]))
        elif name in rooms and name not in done:
            for below in rooms[name].depends:
                if below != name:
                    visit(below, path + [name])
            done.add(name)

    for name in sorted(rooms):
        visit(name, [])
    return findings


def _check_quoted(where, header, room, by_folder):
    """An include of our own: "luna/…", "support/…" in tests, or a room's header."""
    if header.startswith("luna/"):
        return None
    if where.startswith("include/"):
        return f'{where}: public header includes "{header}"; "luna/…" and standard only'
    folder = pathlib.PurePosixPath(header).parent
    if where.startswith(OUTSIDE):
        return None  # a header that does not exist fails to compile
    target = by_folder.get(folder)
    if target is None:
        return f'{where}: includes "{header}", which lies in no room (write it from src/)'
    if room is None:
        return f"{where}: lies in no room; its folder needs a luna_module call"
    if target.name not in (room.name, "base") and target.name not in room.depends:
        return f'{where}: includes "{header}", but {room.name} does not declare {target.name}'
    return None


def _check_angled(where, header, room):
    """A third-party, operating-system or standard header."""
    for prefix, places in THIRD_PARTY.items():
        if header.startswith(prefix):
            allowed = where.startswith(places)
            return None if allowed else f"{where}: <{header}> belongs in {places[0]}"
    if header.startswith("fmt/"):
        listed = room is not None and any(name.startswith("fmt") for name in room.libraries)
        allowed = listed or where.startswith(OUTSIDE)
        return None if allowed else f"{where}: <{header}>, but its room does not list fmt"
    if header in STANDARD or where.startswith(OUTSIDE):
        return None
    if header in VENDOR_INTRINSICS and where.startswith("src/"):
        return None
    for place, headers in WORLD.items():
        if where.startswith(place) and _starts(header, headers):
            return None
    return f"{where}: <{header}> leads to the world or to an unlisted library"


def check_includes(root, rooms):
    findings = []
    by_folder = {room.folder: room for room in rooms.values()}
    for path in tree.files(root):
        where = tree.relative(root, path)
        room = None
        if where.startswith("src/"):
            room = by_folder.get(pathlib.PurePosixPath(where).parent.relative_to("src"))
        for kind, header in INCLUDE.findall(path.read_text()):
            finding = (_check_quoted(where, header, room, by_folder) if kind == '"'
                       else _check_angled(where, header, room))
            if finding:
                findings.append(finding)
    return findings


def check(root):
    rooms = tree.rooms(root)
    return check_graph(rooms) + check_includes(root, rooms)


if __name__ == "__main__":
    tree.main(check)
