// What a table costs: building, point reads, seeks and scans of cached blocks. Prints one line a
// measure. Goals: get and seek ≤ 500 ns, scan ≤ 20 ns an entry, building ≤ 100 ns an entry.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "engine/table/table.h"
#include "engine/table/table_builder.h"
#include "kernel/storage/local_storage.h"
#include "runtime/posix/posix_runtime.h"

namespace {

using namespace luna;

constexpr size_t kEntries = 500'000;
constexpr size_t kOperations = 500'000;

// Keys and values are made before the clock starts.
struct Load {
  std::vector<std::string> keys;
  std::vector<std::string> absent;
  std::vector<std::string> values;
};

Load MakeLoad() {
  Load load;
  for (size_t i = 0; i < kEntries; ++i) {
    const std::string digits = std::to_string(i);
    load.keys.push_back("user:profile:" + std::string(10 - digits.size(), '0') + digits);
    load.absent.push_back(load.keys.back() + "x");
    std::string value;
    for (uint64_t state = i; value.size() < 100; state = base::Hash(digits, state)) {
      value += std::to_string(state);
    }
    value.resize(100);
    load.values.push_back(std::move(value));
  }
  return load;
}

class Stopwatch {
 public:
  explicit Stopwatch(runtime::Clock& clock) : clock_(clock), begin_(clock.MonotonicNanos()) {}
  void Print(const std::string& what, size_t operations) const {
    const uint64_t nanos = clock_.MonotonicNanos() - begin_;
    std::printf("%-28s %8.1f ns\n", what.c_str(),
                static_cast<double>(nanos) / static_cast<double>(operations));
  }

 private:
  runtime::Clock& clock_;
  const uint64_t begin_;
};

table::TableRow Build(storage::Storage& storage, runtime::Clock& clock, const Load& load,
                      table::Codec codec, const std::string& name) {
  table::TableBuilder builder(storage.Create("bench", name).value(), name,
                              base::Id128{.high = 1, .low = 2}, {.codec = codec});
  const Stopwatch watch(clock);
  for (size_t i = 0; i < kEntries; ++i) {
    builder
        .Add({.key = load.keys[i],
              .timestamp = 1'000'000 + i % 1000,
              .kind = entry::Kind::kPut,
              .type = 0,
              .expiry_millis = 0,
              .value = load.values[i]})
        .value();
  }
  watch.Print(name + ": add", kEntries);
  table::TableRow row = builder.Finish().value();
  watch.Print(name + ": add and finish", kEntries);
  std::printf("%-28s %8.1f bytes an entry\n", (name + ": size").c_str(),
              static_cast<double>(row.size) / kEntries);
  return row;
}

void Points(const table::Table& table, runtime::Clock& clock, const Load& load,
            const std::string& name) {
  size_t found = 0;
  for (const auto& [what, keys] :
       {std::pair(": get", &load.keys), std::pair(": get absent", &load.absent)}) {
    const Stopwatch watch(clock);
    for (size_t i = 0; i < kOperations; ++i) {
      const std::string& key = (*keys)[i * 7919 % kEntries];
      const auto entry = table.Get(key, base::Hash(key), entry::kMaxTimestamp);
      found += static_cast<size_t>(entry.value().has_value());
    }
    watch.Print(name + what, kOperations);
  }
  const auto iterator = table.NewIterator(true);
  const Stopwatch watch(clock);
  for (size_t i = 0; i < kOperations; ++i) {
    iterator->Seek(load.keys[i * 7919 % kEntries], entry::kMaxTimestamp);
    found += static_cast<size_t>(iterator->Valid());
  }
  watch.Print(name + ": seek", kOperations);
  if (found != 2 * kOperations) {
    std::abort();
  }
}

void Scans(const table::Table& table, runtime::Clock& clock, const std::string& name) {
  for (const bool fill_cache : {true, false}) {
    const auto iterator = table.NewIterator(fill_cache);
    const std::string what = fill_cache ? " cached" : " past the cache";
    size_t entries = 0;
    const Stopwatch forward(clock);
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      entries += iterator->entry().value.size() / 100;
    }
    forward.Print(name + ": next" + what, entries);
    const Stopwatch backward(clock);
    for (iterator->SeekToLast(); iterator->Valid(); iterator->Prev()) {
      entries += iterator->entry().value.size() / 100;
    }
    backward.Print(name + ": prev" + what, entries / 2);
  }
}

}  // namespace

// The directory to work in is the only argument.
int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: table_bench DIRECTORY\n");
    return 2;
  }
  const auto runtime = posix::NewPosixRuntime();
  const auto storage = storage::OpenLocalStorage(*runtime, argv[1]).value();
  base::MemoryBudget budget(uint64_t{1} << 30);
  const Load load = MakeLoad();
  for (const auto& [codec, name] : {std::pair(table::Codec::kNone, "none"),
                                    std::pair(table::Codec::kLz4, "lz4"),
                                    std::pair(table::Codec::kZstd, "zstd")}) {
    cache::BlockCache cache(budget, uint64_t{512} << 20);
    const table::TableContext context{
        .storage = storage.get(), .bucket = "bench", .cache = &cache, .budget = &budget};
    storage->Remove("bench", name).value();
    const auto table =
        table::Table::Open(context, Build(*storage, runtime->clock(), load, codec, name));
    Scans(*table, runtime->clock(), std::string(name) + " cold");
    Points(*table, runtime->clock(), load, name);
    Scans(*table, runtime->clock(), std::string(name) + " warm");
  }
  return 0;
}
