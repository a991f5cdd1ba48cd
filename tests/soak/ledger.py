"""What was written and what was acknowledged, kept outside of the server.

Every key has one writer and carries a sequence, which grows with each write. What is read must not
be older than the last acknowledged write, nor newer than the last one sent. The two keys of a pair
are written in one MULTI and must be equal. An expiring key must not be seen a second after its end.

The same is kept in a file, 8 bytes for each acknowledged write: the number of the key and the
sequence, little endian. Replayed, the file must say what memory says.
"""

import struct
import time
import zlib

RECORD = struct.Struct("<II")
LATE_SECONDS = 1.0
EARLY_SECONDS = 0.25
SIZES = (100, 1024)


def value_of(key, sequence):
    """The value of a sequence: itself, a checksum over key and sequence, filler made of both."""
    checksum = zlib.crc32(b"%s %d" % (key, sequence))
    head = b"%d %08x " % (sequence, checksum)
    filler = b"%08x" % (checksum ^ 0xffffffff)
    size = SIZES[sequence % len(SIZES)]
    return (head + filler * (size // 8 + 1))[:size]


def sequence_of(value):
    """The sequence that a value carries; None of no value, -1 of one that nobody here wrote."""
    if value is None:
        return None
    head = value.split(b" ", 1)[0]
    return int(head) if head.isdigit() else -1


class Entry:
    """One key, or a pair of keys, or an expiring key."""

    def __init__(self, number, keys):
        self.number = number
        self.keys = keys
        self.sent = 0
        self.acknowledged = 0
        self.ends = {}  # of an expiring key: sequence -> the earliest and the latest end

    def values(self):
        return [value_of(key, self.sent) for key in self.keys]

    def problem(self, values, newest, asked, answered):
        """What is wrong with what was read between `asked` and `answered`, or None."""
        name = self.keys[0].decode()
        if len({sequence_of(value) for value in values}) > 1:
            return f"{name}: the keys of a pair differ: {[sequence_of(value) for value in values]}"
        sequence = sequence_of(values[0])
        where = f"{name}: acknowledged {self.acknowledged}, sent {newest}, read {sequence}"
        if sequence is None:
            return None if self._may_be_absent(answered + EARLY_SECONDS) else f"{where}: lost"
        if any(value_of(key, sequence) != value for key, value in zip(self.keys, values)):
            return f"{where}: the value is not what was written: {values[0][:60]!r}"
        if sequence < self.acknowledged:
            return f"{where}: older than acknowledged"
        if sequence > newest:
            return f"{where}: newer than sent"
        if sequence in self.ends and asked > self.ends[sequence][1] + LATE_SECONDS:
            late = asked - self.ends[sequence][1]
            return f"{where}: seen {late:.1f} s after it expired"
        return None

    def _may_be_absent(self, moment):
        if self.acknowledged == 0:
            return True
        # Any write that may be in force and may have ended explains the absence.
        return any(sequence >= self.acknowledged and moment >= earliest
                   for sequence, (earliest, _) in self.ends.items())

    def acknowledge(self, sequence):
        self.acknowledged = sequence
        if len(self.ends) > 1:
            self.ends = {s: end for s, end in self.ends.items() if s >= sequence}


class Ledger:
    """The keys of one writer. Owned by its thread; by the one who checks while that one rests."""

    def __init__(self, name, directory, singles, pairs, expiring):
        self.entries = []
        self.path = directory / f"ledger-{name}.bin"
        self._file = open(self.path, "wb")  # closed by `close`
        for kind, count in (("s", singles), ("p", pairs), ("e", expiring)):
            for place in range(count):
                stem = f"ledger:{name}:{kind}:{place}"
                keys = [f"{stem}:{side}" for side in "ab"] if kind == "p" else [stem]
                self.entries.append(Entry(len(self.entries), [key.encode() for key in keys]))
        self.expiring = self.entries[singles + pairs:]
        self._expiring_from = singles + pairs

    def expires(self, entry):
        return entry.number >= self._expiring_from

    def record(self, acknowledged):
        """Appends (entry, sequence) for each."""
        self._file.write(b"".join(RECORD.pack(e.number, sequence) for e, sequence in acknowledged))
        self._file.flush()

    def check(self, connection):
        """Reads every key; returns (keys read, problems). What is found is the new ground."""
        problems, keys = [], 0
        for first in range(0, len(self.entries), 100):
            part = self.entries[first:first + 100]
            words = [key for entry in part for key in entry.keys]
            asked = time.monotonic()
            values = connection.call("MGET", *words) if words else []
            answered = time.monotonic()
            if not isinstance(values, list):
                return keys, [f"MGET of the ledger was answered with {values!r}"]
            keys += len(values)
            for entry in part:
                taken, values = values[:len(entry.keys)], values[len(entry.keys):]
                problem = entry.problem(taken, entry.sent, asked, answered)
                found = max(sequence_of(taken[0]) or 0, 0)
                if problem:
                    problems.append(problem)
                if problem or found > entry.acknowledged:  # a loss is told once
                    entry.acknowledge(found)
                    self.record([(entry, found)])
        return keys, problems

    def replay(self):
        """Problems of the file: what it acknowledges must be what memory acknowledges."""
        last = {}
        for number, sequence in RECORD.iter_unpack(self.path.read_bytes()):
            last[number] = sequence
        return [f"{self.path.name}: {entry.keys[0].decode()} is {last.get(entry.number, 0)} in the "
                f"file, {entry.acknowledged} in memory" for entry in self.entries
                if last.get(entry.number, 0) != entry.acknowledged]

    def close(self):
        self._file.close()
