// Workloads that read data that was loaded, compacted and read once: everything is in the caches.
#include <algorithm>
#include <cstring>

#include "workload/failure.h"
#include "workload/workload.h"

namespace luna::bench {
namespace {

constexpr uint64_t kSteps = 10;

// Reads records by index; `version` is in all of them.
Measure Points(Engine& engine, const Cell& cell, const char* workload,
               const std::vector<uint32_t>& picks) {
  const auto reader = engine.NewReader();
  Histogram latencies;
  Meter meter;
  uint64_t before = Now();
  for (const uint32_t pick : picks) {
    std::string_view value;
    Check(reader->Get(Key(pick, cell.keys), value), "a record is missing");
    VerifyVersion(pick, 0, value);
    const uint64_t now = Now();
    latencies.Add(now - before);
    before = now;
  }
  return meter.Stop(workload, picks.size(), latencies);
}

Measure Absent(Engine& engine, const Cell& cell, uint64_t records) {
  const auto reader = engine.NewReader();
  Histogram latencies;
  Meter meter;
  uint64_t before = Now();
  for (uint64_t i = 0; i < records; ++i) {
    std::string_view value;
    Check(!reader->Get(Key(records + i, cell.keys), value), "a record that was never written");
    const uint64_t now = Now();
    latencies.Add(now - before);
    before = now;
  }
  return meter.Stop("read-absent", records, latencies);
}

// The entries a seek and its steps show; `ordered` has all keys.
void CheckSteps(Cursor& cursor, const Cell& cell, const std::vector<Key>& ordered, size_t place) {
  const size_t end = std::min(ordered.size(), place + kSteps + 1);
  for (cursor.Seek(ordered[place]); place < end; ++place, cursor.Next()) {
    Check(cursor.Valid(), "a scan ended early");
    Check(cursor.key() == ordered[place].view(), "a scan shows another key than the next");
    Check(Verify(cursor.key(), cursor.value(), cell.keys).version == 0, "another version");
  }
}

// A seek and ten steps, on one iterator or on a new one each time.
Measure Seeks(Engine& engine, const Cell& cell, const std::vector<Key>& ordered, bool anew) {
  const std::vector<uint32_t> picks = PickUniform(ordered.size(), ordered.size() / 4 + 1, 9);
  auto cursor = engine.NewCursor(0);
  Histogram latencies;
  Meter meter;
  uint64_t before = Now();
  for (const uint32_t pick : picks) {
    if (anew) {
      cursor = engine.NewCursor(0);
    }
    CheckSteps(*cursor, cell, ordered, pick);
    const uint64_t now = Now();
    latencies.Add(now - before);
    before = now;
  }
  return meter.Stop(anew ? "seek-10-new" : "seek-10", picks.size(), latencies);
}

Measure Scans(Engine& engine, const std::vector<Key>& ordered) {
  constexpr int kPasses = 3;
  Histogram latencies;
  Meter meter;
  for (int pass = 0; pass < kPasses; ++pass) {
    const uint64_t before = Now();
    const auto cursor = engine.NewCursor(0);
    size_t place = 0;
    for (cursor->Seek({}); cursor->Valid(); cursor->Next(), ++place) {
      Check(place < ordered.size() && cursor->key() == ordered[place].view(),
            "a scan shows another key than the next");
      Claim claim;
      std::memcpy(&claim, cursor->value().data(), sizeof(claim));
      VerifyVersion(claim.index, 0, cursor->value());
    }
    Check(place == ordered.size(), "a scan ended early");
    latencies.Add(Now() - before);
  }
  return meter.Stop("scan-full", kPasses * ordered.size(), latencies);
}

}  // namespace

std::vector<Measure> Reads(const Cell& cell) {
  const auto engine = OpenEngine(cell.engine, cell.setup);
  const uint64_t records = cell.Scaled(kRecords);
  Load(*engine, cell, records);
  engine->Compact();
  Settle();
  std::vector<Key> ordered;
  std::vector<uint32_t> all(records);
  for (uint64_t i = 0; i < records; ++i) {
    ordered.emplace_back(i, cell.keys);
    all[i] = static_cast<uint32_t>(i);
  }
  std::sort(ordered.begin(), ordered.end(),
            [](const Key& a, const Key& b) { return a.view() < b.view(); });
  Points(*engine, cell, "warm-up", all);
  return {Points(*engine, cell, "read-cached", PickUniform(records, records, 7)),
          Absent(*engine, cell, records),
          Points(*engine, cell, "read-zipf", PickZipf(records, records, 8)),
          Seeks(*engine, cell, ordered, false),
          Seeks(*engine, cell, ordered, true),
          Scans(*engine, ordered)};
}

}  // namespace luna::bench
