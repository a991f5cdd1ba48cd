// Costs of the memtable, per entry: insertion, lookups of present and absent keys, steps both ways.
// Keys are 16 bytes. "shared" keys have their first eight bytes in common, so that heads decide
// nothing; "random" ones differ there.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/hash.h"
#include "engine/memtable/memtable.h"

namespace luna {
namespace {

enum Order : int64_t { kRandom, kSorted, kShared };

std::vector<std::string> Keys(size_t count, int64_t order) {
  std::mt19937_64 random(1);
  std::vector<std::string> keys(count);
  for (size_t i = 0; i < count; ++i) {
    char text[32];
    const unsigned long long number = order == kSorted ? i * 1000 : random() % 1000000000000;
    std::snprintf(text, sizeof(text), order == kRandom ? "%012llu0000" : "user%012llu", number);
    keys[i] = text;
  }
  return keys;
}

std::unique_ptr<memtable::Memtable> Filled(const std::vector<std::string>& keys) {
  auto table = std::make_unique<memtable::Memtable>(size_t{64} << 20);
  const std::string value(100, 'v');
  Timestamp timestamp = 0;
  for (const std::string& key : keys) {
    table->Add({.key = key, .timestamp = ++timestamp, .value = value});
  }
  return table;
}

void Insert(benchmark::State& state) {
  const std::vector<std::string> keys = Keys(static_cast<size_t>(state.range(0)), state.range(1));
  size_t bytes = 0;
  for (auto _ : state) {
    const std::unique_ptr<memtable::Memtable> table = Filled(keys);
    bytes = table->bytes();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["bytes/entry"] = static_cast<double>(bytes) / static_cast<double>(keys.size());
}
BENCHMARK(Insert)
    ->Args({1000000, kRandom})
    ->Args({1000000, kSorted})
    ->Args({1000000, kShared})
    ->Args({100000, kRandom})
    ->Unit(benchmark::kMillisecond);

void Get(benchmark::State& state) {
  const std::vector<std::string> keys = Keys(1000000, state.range(0));
  const std::unique_ptr<memtable::Memtable> table = Filled(keys);
  std::mt19937_64 random(2);
  for (auto _ : state) {
    const std::string& key = keys[random() % keys.size()];
    benchmark::DoNotOptimize(table->Get(key, base::Hash(key), entry::kMaxTimestamp));
  }
}
BENCHMARK(Get)->Arg(kRandom)->Arg(kShared);

void GetAbsent(benchmark::State& state) {
  const std::vector<std::string> keys = Keys(500000, kRandom);
  const std::unique_ptr<memtable::Memtable> table = Filled(keys);
  std::string key = "000000000000absn";
  uint64_t number = 0;
  for (auto _ : state) {
    number += 7919;
    std::memcpy(key.data(), &number, sizeof(number));
    benchmark::DoNotOptimize(table->Get(key, base::Hash(key), entry::kMaxTimestamp));
  }
}
BENCHMARK(GetAbsent);

void Seek(benchmark::State& state) {
  const std::vector<std::string> keys = Keys(1000000, kRandom);
  const std::unique_ptr<memtable::Memtable> table = Filled(keys);
  const std::unique_ptr<entry::EntryIterator> iterator = table->NewIterator();
  std::mt19937_64 random(2);
  for (auto _ : state) {
    iterator->Seek(keys[random() % keys.size()], entry::kMaxTimestamp);
    benchmark::DoNotOptimize(iterator->entry());
  }
}
BENCHMARK(Seek);

void Steps(benchmark::State& state) {
  const std::unique_ptr<memtable::Memtable> table = Filled(Keys(1000000, state.range(1)));
  const std::unique_ptr<entry::EntryIterator> iterator = table->NewIterator();
  const bool forward = state.range(0) != 0;
  for (auto _ : state) {
    if (!iterator->Valid()) {
      forward ? iterator->SeekToFirst() : iterator->SeekToLast();
    } else {
      forward ? iterator->Next() : iterator->Prev();
    }
    benchmark::DoNotOptimize(iterator->entry());
  }
}
BENCHMARK(Steps)->Args({1, kRandom})->Args({0, kRandom})->Args({1, kSorted})->Args({0, kSorted});

}  // namespace
}  // namespace luna

BENCHMARK_MAIN();
