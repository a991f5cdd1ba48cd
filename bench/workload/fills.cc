// Workloads that write: fill-random, fill-batch, overwrite.
#include <algorithm>

#include "workload/failure.h"
#include "workload/workload.h"

namespace luna::bench {

std::vector<Measure> FillRandom(const Cell& cell) {
  const auto engine = OpenEngine(cell.engine, cell.setup);
  const uint64_t count = cell.Scaled(kRecords);
  Histogram latencies;
  Meter meter;
  uint64_t before = Now();
  for (uint64_t i = 0; i < count; ++i) {
    engine->Put(Key(i, cell.keys), Value(i, 0));
    const uint64_t now = Now();
    latencies.Add(now - before);
    before = now;
  }
  const Measure measure = meter.Stop("fill-random", count, latencies);
  VerifyAll(*engine, cell, std::vector<uint32_t>(count, 0));
  return {measure};
}

std::vector<Measure> FillBatch(const Cell& cell) {
  constexpr uint64_t kBatch = 100;
  const auto engine = OpenEngine(cell.engine, cell.setup);
  const uint64_t count = (cell.Scaled(kRecords) + kBatch - 1) / kBatch * kBatch;
  Histogram latencies;
  std::vector<Key> keys(kBatch, Key(0, cell.keys));
  std::vector<Value> values(kBatch, Value(0, 0));
  std::vector<Write> writes(kBatch);
  Meter meter;
  uint64_t before = Now();
  for (uint64_t begin = 0; begin < count; begin += kBatch) {
    for (uint64_t i = 0; i < kBatch; ++i) {
      keys[i] = Key(begin + i, cell.keys);
      values[i] = Value(begin + i, 0);
      writes[i] = {.table = 0, .key = keys[i], .value = values[i]};
    }
    engine->Commit(writes);
    const uint64_t now = Now();
    latencies.Add(now - before);
    before = now;
  }
  const Measure measure = meter.Stop("fill-batch", count, latencies);
  VerifyAll(*engine, cell, std::vector<uint32_t>(count, 0));
  return {measure};
}

std::vector<Measure> Overwrite(const Cell& cell) {
  const auto engine = OpenEngine(cell.engine, cell.setup);
  const uint64_t count = cell.Scaled(kRecords);
  Load(*engine, cell, count);
  engine->Compact();
  Settle();
  const std::vector<uint32_t> picks = PickUniform(count, count, 5);
  std::vector<uint32_t> versions(count, 0);
  Histogram latencies;
  Meter meter;
  uint64_t before = Now();
  for (const uint32_t pick : picks) {
    engine->Put(Key(pick, cell.keys), Value(pick, ++versions[pick]));
    const uint64_t now = Now();
    latencies.Add(now - before);
    before = now;
  }
  const Measure measure = meter.Stop("overwrite", count, latencies);
  VerifyAll(*engine, cell, versions);
  return {measure};
}

}  // namespace luna::bench
