// options.h: the settings of a universe and of single calls. Plain data; four matter: the location,
// memory_budget_bytes, durability and space_amp_target. Everything else is derived or rarely
// touched. docs/guide/options.md has a row for each; a test keeps the two equal.
// Thread rule: plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "luna/status.h"

namespace luna {

// A version of the database: 46 bits of milliseconds since 1970 and an 18-bit counter. Never
// reused.
using Timestamp = uint64_t;

// What an acknowledged commit survives. A commit may raise the universe's level, never lower it.
enum class Durability : uint8_t {
  kRelaxed,  // nothing for up to relaxed_interval: commits wait in memory, then as kProcess
  kProcess,  // the end of the process (kill -9), not of the machine
  kDevice,   // power loss: written and flushed before the answer
};

enum class Isolation : uint8_t {
  kSerializable,  // what was read (points, ranges, absences) must still hold at commit
  kSnapshot,      // only write-write conflicts are refused; write skew is possible
};

// A 128-bit name a caller gives a commit, so that its outcome can be asked for after a lost reply.
struct TransactionId {
  uint64_t high = 0;
  uint64_t low = 0;
  bool operator==(const TransactionId&) const = default;
  auto operator<=>(const TransactionId&) const = default;
};

struct Options {
  // Where the universe lives: "file:PATH", a bare path, "memory:", or "rados:POOL?conf=FILE" where
  // Luna was built with librados. No default.
  std::string location = {};
  // Everything Luna holds in memory: memtables, caches, transactions, buffers. ≥ 64 MiB. More means
  // fewer reads from disk and less rewriting.
  uint64_t memory_budget_bytes = uint64_t{256} << 20;
  // The least durability of every commit.
  Durability durability = Durability::kDevice;
  // Stored bytes ÷ live bytes that compaction works towards; 1.1 to 3. Lower: less disk, more
  // rewriting.
  double space_amp_target = 1.25;

  // Make the universe when the location is empty. Off: open fails with kUniverseMissing.
  bool create_if_missing = true;
  // How long kRelaxed commits may wait in memory; 1 ms to 10 s.
  std::chrono::milliseconds relaxed_interval{100};
  // How long reads at past times stay possible; 0 keeps only what open snapshots need.
  std::chrono::milliseconds history_retention{0};
  // The periodic sweep that merges what the debt-driven compaction left; 1 s to 7 days.
  std::chrono::seconds compaction_interval{1800};
  // Size at which a memtable is frozen and flushed; 0 derives it from the budget. 64 KiB to 1 GiB.
  uint64_t memtable_bytes = 0;
  // Size of table files that compaction writes; 0 derives it. 64 KiB to 1 GiB.
  uint64_t table_bytes = 0;
  // Uncompressed size of a block; 1 KiB to 64 KiB.
  uint32_t block_bytes = 8192;
  // Filter bits per key, 0 (none) to 20.
  uint32_t filter_bits_per_key = 12;
  // Threads for compaction, 1 to 16.
  uint32_t compaction_threads = 1;

  // kBadOption naming the field, its value and its range.
  Status Validate() const;
};

// When a written value expires: never, some time after its commit, or at a time.
struct Expiry {
  std::chrono::milliseconds after{0};  // from the commit; 0: not so
  uint64_t at_millis = 0;              // since 1970; 0: not so. A past time: it is gone at once

  Expiry() = default;
  template <typename Rep, typename Period>  // NOLINTNEXTLINE(google-explicit-constructor)
  Expiry(std::chrono::duration<Rep, Period> after) : after(after) {}
  static Expiry At(uint64_t millis) {
    Expiry expiry;
    expiry.at_millis = millis;
    return expiry;
  }
  // Milliseconds since 1970 for a commit at `commit_millis`; 0 = never.
  uint64_t From(uint64_t commit_millis) const {
    return after.count() == 0 ? at_millis : commit_millis + static_cast<uint64_t>(after.count());
  }
  bool operator==(const Expiry&) const = default;
};

struct ReadOptions {
  // Read at this past time instead of now; within history_retention or an open snapshot.
  std::optional<Timestamp> at = {};
  // kNotInMemory instead of waiting for a device: for threads that must not. The same read without
  // it, elsewhere, brings the answer.
  bool memory_only = false;
};

struct WriteOptions {
  // Raises the universe's durability for this commit.
  std::optional<Durability> durability = {};
  // What Put writes expires this long after commit; 0 = never. Increment and Append keep the expiry
  // that is there.
  std::chrono::milliseconds time_to_live{0};
};

struct TransactionOptions {
  Isolation isolation = Isolation::kSerializable;
  std::optional<Durability> durability = {};
  // Given by the caller to make the outcome askable (Database::GetOutcome) for ten minutes.
  std::optional<TransactionId> id = {};
};

// Which part of a collection an iterator shows, and in which order.
struct ScanOptions {
  std::string begin = {};            // first key, inclusive
  std::string end = {};              // first key not shown; empty = no bound
  std::string prefix = {};           // only keys with this prefix, together with begin and end
  bool reverse = false;              // from the largest key down
  uint64_t limit = 0;                // at most this many entries; 0 = no limit
  std::optional<Timestamp> at = {};  // as in ReadOptions; not inside a transaction
};

}  // namespace luna
