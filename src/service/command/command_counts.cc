#include "service/command/command_counts.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>

#include "base/assert.h"

namespace luna::command {
namespace {

constexpr int kLeastWidth = 9;  // of a duration that is not in the first bucket
constexpr int kStepBits = 3;
constexpr size_t kSteps = size_t{1} << kStepBits;
constexpr auto kRelaxed = std::memory_order_relaxed;

// One thread adds, others read: no locked instruction is needed.
void Bump(std::atomic<uint64_t>& counter, uint64_t by = 1) {
  counter.store(counter.load(kRelaxed) + by, kRelaxed);
}

size_t HashOf(const Command& command) {
  const auto address = reinterpret_cast<uintptr_t>(&command);
  return static_cast<size_t>((static_cast<uint64_t>(address) * 0x9e3779b97f4a7c15u) >> 32);
}

}  // namespace

size_t DurationBuckets::Of(uint64_t nanos) {
  const auto width = static_cast<int>(std::bit_width(nanos));
  if (width < kLeastWidth) {
    return 0;
  }
  const size_t step = (nanos >> (width - 1 - kStepBits)) & (kSteps - 1);
  return std::min(kCount - 1, 1 + static_cast<size_t>(width - kLeastWidth) * kSteps + step);
}

uint64_t DurationBuckets::UpperBound(size_t bucket) {
  if (bucket == 0) {
    return (uint64_t{1} << (kLeastWidth - 1)) - 1;
  }
  if (bucket >= kCount - 1) {
    return std::numeric_limits<uint64_t>::max();
  }
  const int width = kLeastWidth + static_cast<int>((bucket - 1) / kSteps);
  const uint64_t step = (bucket - 1) % kSteps;
  return ((kSteps + step + 1) << (width - 1 - kStepBits)) - 1;
}

uint64_t CommandFigures::Quantile(double fraction) const {
  uint64_t total = 0;
  for (const uint64_t bucket : buckets) {
    total += bucket;
  }
  const double wanted = std::ceil(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(total));
  const uint64_t rank = std::max<uint64_t>(1, static_cast<uint64_t>(wanted));
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < buckets.size(); ++bucket) {
    seen += buckets[bucket];
    if (seen >= rank) {
      // The last bucket has no bound: where it begins is what is known.
      return DurationBuckets::UpperBound(std::min(bucket, buckets.size() - 2));
    }
  }
  return 0;
}

uint64_t CommandFigures::ShorterThan(int exponent) const {
  const size_t end = 1 + static_cast<size_t>(exponent - kLeastWidth + 1) * kSteps;
  uint64_t count = 0;
  for (size_t bucket = 0; bucket < std::min(end, buckets.size() - 1); ++bucket) {
    count += buckets[bucket];
  }
  return count;
}

struct CommandShard::Cell {
  std::atomic<uint64_t> calls = 0;
  std::atomic<uint64_t> failures = 0;
  std::atomic<uint64_t> rejected = 0;
  std::atomic<uint64_t> nanos = 0;
  std::array<std::atomic<uint64_t>, DurationBuckets::kCount> buckets = {};
};

CommandShard::CommandShard(CommandCounts& counts) : counts_(counts), cells_(counts.places()) {}

CommandShard::~CommandShard() {
  for (const auto& cell : cells_) {
    delete cell.load(kRelaxed);
  }
}

CommandShard::Cell* CommandShard::CellOf(const Command& command) {
  const size_t place = counts_.PlaceOf(command);
  if (place == CommandCounts::kNowhere) {
    return nullptr;
  }
  Cell* cell = cells_[place].load(kRelaxed);
  if (cell == nullptr) {
    cell = new Cell;
    cells_[place].store(cell, std::memory_order_release);
  }
  return cell;
}

void CommandShard::Ran(const Command& command, uint64_t nanos, bool succeeded,
                       std::string_view reply) {
  Cell* cell = CellOf(command);
  if (cell != nullptr) {
    Bump(cell->calls);
    Bump(cell->nanos, nanos);
    Bump(cell->buckets[DurationBuckets::Of(nanos)]);
  }
  if (!succeeded) {
    FailedLater(command, reply);
  }
}

void CommandShard::FailedLater(const Command& command, std::string_view reply) {
  if (Cell* cell = CellOf(command); cell != nullptr) {
    Bump(cell->failures);
  }
  counts_.CountError(reply);
}

void CommandShard::Rejected(const Command* command, std::string_view reply) {
  if (Cell* cell = command == nullptr ? nullptr : CellOf(*command); cell != nullptr) {
    Bump(cell->rejected);
  }
  counts_.CountError(reply);
}

void CommandShard::Looked(uint64_t hits, uint64_t misses) {
  Bump(hits_, hits);
  Bump(misses_, misses);
}

void CommandShard::Add(size_t place, CommandFigures& figures) const {
  const Cell* cell = cells_[place].load(std::memory_order_acquire);
  if (cell == nullptr) {
    return;
  }
  figures.calls += cell->calls.load(kRelaxed);
  figures.failures += cell->failures.load(kRelaxed);
  figures.rejected += cell->rejected.load(kRelaxed);
  figures.nanos += cell->nanos.load(kRelaxed);
  for (size_t bucket = 0; bucket < figures.buckets.size(); ++bucket) {
    figures.buckets[bucket] += cell->buckets[bucket].load(kRelaxed);
  }
}

CommandCounts::CommandCounts(const CommandTable& table) {
  for (const Command* row : table.all()) {
    AddRows(*row);
  }
  rows_.resize(std::bit_ceil(listed_.size() * 4 + 1));
  for (const Command* row : listed_) {
    Insert(*row);
  }
}

CommandCounts::~CommandCounts() = default;

void CommandCounts::AddRows(const Command& row) {
  listed_.push_back(&row);
  for (const Command& subcommand : row.subcommands) {
    AddRows(subcommand);
  }
}

void CommandCounts::Insert(const Command& row) {
  size_t place = HashOf(row) & (rows_.size() - 1);
  while (rows_[place] != nullptr) {
    place = (place + 1) & (rows_.size() - 1);
  }
  rows_[place] = &row;
}

size_t CommandCounts::PlaceOf(const Command& command) const {
  size_t place = HashOf(command) & (rows_.size() - 1);
  while (rows_[place] != &command) {
    if (rows_[place] == nullptr) {
      return kNowhere;
    }
    place = (place + 1) & (rows_.size() - 1);
  }
  return place;
}

CommandShard& CommandCounts::NewShard() {
  auto shard = std::make_unique<CommandShard>(*this);
  const base::MutexLock lock(mutex_);
  shards_.push_back(std::move(shard));
  return *shards_.back();
}

void CommandCounts::CountError(std::string_view reply) {
  constexpr size_t kLongestWord = 64;
  if (!reply.starts_with('-')) {
    return;
  }
  const std::string_view word = reply.substr(1, reply.find_first_of(" \r") - 1);
  const base::MutexLock lock(mutex_);
  const auto found = errors_.find(word);
  if (found != errors_.end()) {
    ++found->second;
  } else if (errors_.size() < kErrorWords && word.size() <= kLongestWord) {
    errors_.emplace(word, 1);
  } else {
    ++errors_["OTHER"];
  }
}

CommandFigures CommandCounts::Sum(size_t place) const {
  CommandFigures figures;
  figures.command = rows_[place];
  for (const auto& shard : shards_) {
    shard->Add(place, figures);
  }
  return figures;
}

std::vector<CommandFigures> CommandCounts::Figures() const {
  std::vector<CommandFigures> all;
  const base::MutexLock lock(mutex_);
  for (const Command* row : listed_) {
    const size_t place = PlaceOf(*row);
    CommandFigures figures = Sum(place);
    if (const auto found = before_.find(place); found != before_.end()) {
      const CommandFigures& before = found->second;
      figures.calls -= before.calls;
      figures.failures -= before.failures;
      figures.rejected -= before.rejected;
      figures.nanos -= before.nanos;
      for (size_t bucket = 0; bucket < figures.buckets.size(); ++bucket) {
        figures.buckets[bucket] -= before.buckets[bucket];
      }
    }
    if (figures.calls + figures.failures + figures.rejected > 0) {
      all.push_back(figures);
    }
  }
  return all;
}

std::vector<std::pair<std::string, uint64_t>> CommandCounts::Errors() const {
  const base::MutexLock lock(mutex_);
  return {errors_.begin(), errors_.end()};
}

std::pair<uint64_t, uint64_t> CommandCounts::SumLooked() const {
  std::pair<uint64_t, uint64_t> sum = {0, 0};
  for (const auto& shard : shards_) {
    sum.first += shard->hits();
    sum.second += shard->misses();
  }
  return sum;
}

std::pair<uint64_t, uint64_t> CommandCounts::HitsAndMisses() const {
  const base::MutexLock lock(mutex_);
  const auto sum = SumLooked();
  return {sum.first - looked_before_.first, sum.second - looked_before_.second};
}

void CommandCounts::Reset() {
  const base::MutexLock lock(mutex_);
  for (const Command* row : listed_) {
    const size_t place = PlaceOf(*row);
    before_[place] = Sum(place);
  }
  looked_before_ = SumLooked();
  errors_.clear();
}

}  // namespace luna::command
