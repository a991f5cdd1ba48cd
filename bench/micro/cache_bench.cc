// Costs of the block cache: a hit in a small and in a large cache, a miss with insertion.
#include <benchmark/benchmark.h>

#include <memory>
#include <random>

#include "engine/cache/block_cache.h"

namespace luna {
namespace {

class Block final : public cache::CachedBlock {
 public:
  size_t bytes() const override { return 4096; }
};

void Hit(benchmark::State& state) {
  base::MemoryBudget budget(uint64_t{8} << 30);
  cache::BlockCache blocks(budget, uint64_t{4} << 30);
  const auto count = static_cast<uint64_t>(state.range(0));
  for (uint64_t i = 0; i < count; ++i) {
    blocks.Insert({1, i * 4096}, std::make_shared<const Block>());
  }
  std::mt19937_64 random(1);
  for (auto _ : state) {
    benchmark::DoNotOptimize(blocks.Get({1, random() % count * 4096}));
  }
}
BENCHMARK(Hit)->Arg(1000)->Arg(100000);

void MissAndInsert(benchmark::State& state) {
  base::MemoryBudget budget(uint64_t{1} << 30);
  cache::BlockCache blocks(budget, uint64_t{64} << 20);
  uint64_t offset = 0;
  for (auto _ : state) {
    offset += 4096;
    if (blocks.Get({1, offset}) == nullptr) {
      blocks.Insert({1, offset}, std::make_shared<const Block>());
    }
  }
}
BENCHMARK(MissAndInsert);

}  // namespace
}  // namespace luna

BENCHMARK_MAIN();
