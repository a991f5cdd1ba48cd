#include "workload/workload.h"

#include <algorithm>
#include <cmath>

#include "workload/failure.h"

namespace luna::bench {

uint64_t Cell::Scaled(uint64_t count) const {
  return std::max<uint64_t>(
      1, static_cast<uint64_t>(std::llround(static_cast<double>(count) * scale)));
}

const std::vector<Group>& Groups() {
  static const std::vector<Group> groups{
      {.name = "index", .workloads = {"load-index"}, .run = LoadIndex},
      {.name = "fill-random", .workloads = {"fill-random"}, .run = FillRandom},
      {.name = "fill-batch", .workloads = {"fill-batch"}, .run = FillBatch},
      {.name = "overwrite", .workloads = {"overwrite"}, .run = Overwrite},
      {.name = "reads",
       .workloads = {"read-cached", "read-absent", "read-zipf", "seek-10", "seek-10-new",
                     "scan-full"},
       .run = Reads},
      {.name = "commit-durable-1",
       .workloads = {"commit-durable-1"},
       .device = true,
       .run = CommitDurable1},
      {.name = "commit-durable-16",
       .workloads = {"commit-durable-16"},
       .device = true,
       .run = CommitDurable16},
      {.name = "read-while-writing", .workloads = {"read-while-writing"}, .run = ReadWhileWriting},
      {.name = "transfer-1", .workloads = {"transfer-1"}, .transfers = true, .run = Transfer1},
      {.name = "transfer-2", .workloads = {"transfer-2"}, .transfers = true, .run = Transfer2},
  };
  return groups;
}

void Load(Engine& engine, const Cell& cell, uint64_t count) {
  constexpr uint64_t kBatch = 1000;
  for (uint64_t begin = 0; begin < count; begin += kBatch) {
    const uint64_t end = std::min(count, begin + kBatch);
    std::vector<Key> keys;
    std::vector<Value> values;
    std::vector<Write> writes;
    keys.reserve(kBatch);
    values.reserve(kBatch);
    for (uint64_t i = begin; i < end; ++i) {
      writes.push_back({.table = 0,
                        .key = keys.emplace_back(i, cell.keys).view(),
                        .value = values.emplace_back(i, 0).view()});
    }
    engine.Commit(writes);
  }
}

void VerifyAll(Engine& engine, const Cell& cell, const std::vector<uint32_t>& versions) {
  const auto cursor = engine.NewCursor(0);
  uint64_t count = 0;
  std::string last;
  for (cursor->Seek({}); cursor->Valid(); cursor->Next()) {
    const Claim claim = Verify(cursor->key(), cursor->value(), cell.keys);
    Check(last < cursor->key(), "a scan is not in order");
    last = cursor->key();
    Check(claim.index < versions.size(), "a record that was never written");
    Check(claim.version == versions[claim.index],
          "a record has another version than the last written");
    ++count;
  }
  Check(count == versions.size(), "records are missing after the workload");
}

}  // namespace luna::bench
