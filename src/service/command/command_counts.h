// CommandCounts: how often each command ran, how long it took, and with which errors. Every thread
// that runs commands counts in a shard of its own with plain stores, so that counting costs a few
// nanoseconds; who reads adds the shards up.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "service/command/command_table.h"

namespace luna::command {

// Durations in buckets: below 256 ns one, then 8 a power of two up to 2^36 ns (69 s), then one.
// Thread rule: immutable.
class DurationBuckets {
 public:
  static constexpr size_t kCount = 226;
  static size_t Of(uint64_t nanos);
  static uint64_t UpperBound(size_t bucket);  // the largest duration in it; of the last: no bound
};

// What is known of one command since the last Reset.
// Thread rule: plain values.
struct CommandFigures {
  const Command* command = nullptr;
  uint64_t calls = 0;     // that ran
  uint64_t failures = 0;  // of them
  uint64_t rejected = 0;  // refused before they ran
  uint64_t nanos = 0;     // of all calls together
  std::array<uint64_t, DurationBuckets::kCount> buckets = {};

  // Nanoseconds within which `fraction` (0..1) of the calls ended, to 12.5 %; 0 without calls.
  uint64_t Quantile(double fraction) const;
  // Calls shorter than 2^`exponent` ns, 8 <= exponent <= 36.
  uint64_t ShorterThan(int exponent) const;
};

class CommandCounts;

// Thread rule: owned by one thread at a time, which counts; only Add is safe.
class CommandShard {
 public:
  explicit CommandShard(CommandCounts& counts);
  ~CommandShard();

  // `reply`: of a command that failed; "" if it was not shown.
  void Ran(const Command& command, uint64_t nanos, bool succeeded, std::string_view reply);
  // A command that is unknown (null) or was refused before it ran.
  void Rejected(const Command* command, std::string_view reply);
  // A call that had been counted as a success failed later: its round could not commit.
  void FailedLater(const Command& command, std::string_view reply);
  // Keys that reading commands found and did not find.
  void Looked(uint64_t hits, uint64_t misses);

  void Add(size_t place, CommandFigures& figures) const;
  uint64_t hits() const { return hits_.load(std::memory_order_relaxed); }
  uint64_t misses() const { return misses_.load(std::memory_order_relaxed); }

 private:
  struct Cell;
  Cell* CellOf(const Command& command);

  CommandCounts& counts_;
  std::vector<std::atomic<Cell*>> cells_;  // by place; null: never ran here
  std::atomic<uint64_t> hits_ = 0;
  std::atomic<uint64_t> misses_ = 0;
};

// Thread rule: safe.
class CommandCounts {
 public:
  static constexpr size_t kNowhere = ~size_t{0};
  static constexpr size_t kErrorWords = 128;  // kept apart; what comes after them is "OTHER"

  explicit CommandCounts(const CommandTable& table);
  ~CommandCounts();

  // For one more thread; lives as long as the counts.
  CommandShard& NewShard();
  // Counts the first word of an error reply.
  void CountError(std::string_view reply);

  // Commands that were called or refused since Reset, by name.
  std::vector<CommandFigures> Figures() const;
  // Errors by first word since Reset.
  std::vector<std::pair<std::string, uint64_t>> Errors() const;
  std::pair<uint64_t, uint64_t> HitsAndMisses() const;
  void Reset();

  // The place of a row of the table, below `places()`; kNowhere for others.
  size_t PlaceOf(const Command& command) const;
  size_t places() const { return rows_.size(); }

 private:
  void AddRows(const Command& row);
  void Insert(const Command& row);
  std::pair<uint64_t, uint64_t> SumLooked() const REQUIRES(mutex_);
  CommandFigures Sum(size_t place) const REQUIRES(mutex_);

  std::vector<const Command*> listed_;  // by name
  std::vector<const Command*> rows_;    // open hashing by address; its size is a power of two
  mutable base::Mutex mutex_;
  std::vector<std::unique_ptr<CommandShard>> shards_ GUARDED_BY(mutex_);
  std::map<size_t, CommandFigures> before_ GUARDED_BY(mutex_);  // at the last Reset, by place
  std::pair<uint64_t, uint64_t> looked_before_ GUARDED_BY(mutex_) = {0, 0};
  std::map<std::string, uint64_t, std::less<>> errors_ GUARDED_BY(mutex_);
};

}  // namespace luna::command
