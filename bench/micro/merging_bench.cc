// Costs of merging, per entry: what the tree and the visibility rules add to the sources' own
// steps.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "engine/entry/merging_iterator.h"
#include "engine/entry/visible_iterator.h"

namespace luna {
namespace {

using entry::EntryIterator;

// The cheapest source there is: entries in a vector.
class Source final : public EntryIterator {
 public:
  explicit Source(std::vector<std::string> keys) : keys_(std::move(keys)) {}
  void SeekToFirst() override { Show(0); }
  void SeekToLast() override { Show(keys_.size() - 1); }
  void Seek(std::string_view key, Timestamp) override {
    Show(static_cast<size_t>(std::lower_bound(keys_.begin(), keys_.end(), key) - keys_.begin()));
  }
  void SeekForPrev(std::string_view key, Timestamp) override {
    Show(static_cast<size_t>(std::upper_bound(keys_.begin(), keys_.end(), key) - keys_.begin()) -
         1);
  }
  void Next() override { Show(place_ + 1); }
  void Prev() override { Show(place_ - 1); }
  Status status() const override { return {}; }

 private:
  void Show(size_t place) {
    place_ = place;
    valid_ = place < keys_.size();
    if (valid_) {
      entry_.key = keys_[place];
      entry_.timestamp = 1;
    }
  }
  std::vector<std::string> keys_;
  size_t place_ = 0;
};

// `count` sources of `total` keys: dealt out in turn, or nearly all to the first.
std::unique_ptr<EntryIterator> Merged(size_t count, bool dominant, const char* format) {
  constexpr size_t kTotal = 200000;
  std::vector<std::vector<std::string>> keys(count);
  for (size_t i = 0; i < kTotal; ++i) {
    char text[32];
    std::snprintf(text, sizeof(text), format, static_cast<unsigned long long>(i * 1000));
    const size_t source =
        dominant ? (i % 16 != 0 ? 0 : i / 16 % count) : i * 0x9e3779b9 / 64 % count;
    keys[source].push_back(text);
  }
  std::vector<std::unique_ptr<EntryIterator>> sources;
  for (std::vector<std::string>& of_source : keys) {
    sources.push_back(std::make_unique<Source>(std::move(of_source)));
  }
  return entry::NewMergingIterator(std::move(sources));
}

void Merge(benchmark::State& state) {
  const auto merged = Merged(static_cast<size_t>(state.range(0)), state.range(1) != 0,
                             state.range(2) != 0 ? "user%012llu" : "%012llu0000");
  for (auto _ : state) {
    merged->Valid() ? merged->Next() : merged->SeekToFirst();
    benchmark::DoNotOptimize(merged->entry());
  }
}
BENCHMARK(Merge)
    ->ArgNames({"sources", "dominant", "shared"})
    ->Args({1, 1, 0})
    ->Args({2, 1, 0})
    ->Args({8, 1, 0})
    ->Args({8, 1, 1})
    ->Args({2, 0, 0})
    ->Args({8, 0, 0})
    ->Args({8, 0, 1});

void Visible(benchmark::State& state) {
  entry::VisibleIterator visible(Merged(static_cast<size_t>(state.range(0)), true, "%012llu0000"),
                                 {}, entry::kMaxTimestamp, {});
  const bool forward = state.range(1) != 0;
  for (auto _ : state) {
    if (!visible.Valid()) {
      forward ? visible.SeekToFirst() : visible.SeekToLast();
    } else {
      forward ? visible.Next() : visible.Prev();
    }
    benchmark::DoNotOptimize(visible.entry());
  }
}
BENCHMARK(Visible)
    ->ArgNames({"sources", "forward"})
    ->Args({1, 1})
    ->Args({8, 1})
    ->Args({1, 0})
    ->Args({8, 0});

}  // namespace
}  // namespace luna

BENCHMARK_MAIN();
