// Workloads with device durability or several threads: commit-durable-*, read-while-writing,
// transfer-*.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include "workload/failure.h"
#include "workload/workload.h"

namespace luna::bench {
namespace {

// Runs `body(thread, latencies)` on threads; their latencies together.
Histogram OnThreads(uint64_t threads, const std::function<void(uint64_t, Histogram&)>& body) {
  std::vector<Histogram> latencies(threads);
  std::vector<std::thread> running;
  for (uint64_t i = 0; i < threads; ++i) {
    running.emplace_back([&, i] { body(i, latencies[i]); });
  }
  Histogram all;
  for (uint64_t i = 0; i < threads; ++i) {
    running[i].join();
    all.Add(latencies[i]);
  }
  return all;
}

// Single puts, each flushed to the device before it returns, for a fixed time.
Measure CommitDurable(const Cell& cell, const char* workload, uint64_t threads) {
  constexpr uint64_t kNanos = 1'000'000'000;
  const auto engine = OpenEngine(cell.engine, cell.setup);
  std::atomic<uint32_t> next{0};
  Meter meter;
  const uint64_t begin = Now();
  const auto deadline = begin + std::min(cell.Scaled(kNanos), kNanos);
  const Histogram latencies = OnThreads(threads, [&](uint64_t, Histogram& mine) {
    for (uint64_t before = Now(); before < deadline;) {
      const uint32_t index = next.fetch_add(1);
      engine->Put(Key(index, cell.keys), Value(index, 0));
      const uint64_t now = Now();
      mine.Add(now - before);
      before = now;
    }
  });
  const Measure measure = meter.Stop(workload, latencies.count(), latencies);
  VerifyAll(*engine, cell, std::vector<uint32_t>(next.load(), 0));
  return measure;
}

// Transfers among accounts: a value's version is its balance, and no money may come or go.
Measure Transfers(const Cell& cell, const char* workload, uint64_t threads) {
  constexpr uint64_t kBalance = 1000;
  const auto engine = OpenEngine(cell.engine, cell.setup);
  const uint64_t accounts = cell.Scaled(100'000);
  const uint64_t count = cell.Scaled(60'000) / threads;
  for (uint64_t i = 0; i < accounts; ++i) {
    engine->Put(Key(i, cell.keys), Value(i, kBalance));
  }
  Settle();
  Meter meter;
  const Histogram latencies = OnThreads(threads, [&](uint64_t thread, Histogram& mine) {
    const std::vector<uint32_t> picks = PickUniform(accounts, 2 * count, 11 + thread);
    uint64_t before = Now();
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t from = picks[2 * i];
      const uint64_t to = picks[2 * i + 1] == from ? (from + 1) % accounts : picks[2 * i + 1];
      const Key from_key(from, cell.keys);
      const Key to_key(to, cell.keys);
      engine->Transfer(from_key, to_key,
                       [&](std::string_view old_from, std::string_view old_to,
                           std::string& new_from, std::string& new_to) {
                         const Claim payer = Verify(from_key, old_from, cell.keys);
                         const Claim payee = Verify(to_key, old_to, cell.keys);
                         const uint64_t amount = std::min<uint64_t>(payer.version, 1 + i % 7);
                         new_from = Value(from, payer.version - amount).view();
                         new_to = Value(to, payee.version + amount).view();
                       });
      const uint64_t now = Now();
      mine.Add(now - before);
      before = now;
    }
  });
  const Measure measure = meter.Stop(workload, latencies.count(), latencies);
  uint64_t sum = 0;
  const auto cursor = engine->NewCursor(0);
  for (cursor->Seek({}); cursor->Valid(); cursor->Next()) {
    sum += Verify(cursor->key(), cursor->value(), cell.keys).version;
  }
  Check(sum == accounts * kBalance, "the sum of all balances changed");
  return measure;
}

// Overwrites records at a fixed rate, whatever the reads do, until told to stop.
void WriteAtRate(Engine& engine, const Cell& cell, std::vector<std::atomic<uint32_t>>& versions,
                 const std::atomic<bool>& stop) {
  constexpr uint64_t kPerMillisecond = 20;
  const std::vector<uint32_t> picks = PickUniform(versions.size(), 1 << 20, 13);
  const auto begin = std::chrono::steady_clock::now();
  uint64_t written = 0;
  for (uint64_t millis = 1; !stop.load(); ++millis) {
    for (; written < millis * kPerMillisecond; ++written) {
      const uint32_t pick = picks[written % picks.size()];
      const uint32_t version = versions[pick].load() + 1;
      engine.Put(Key(pick, cell.keys), Value(pick, version));
      versions[pick].store(version);
    }
    std::this_thread::sleep_until(begin + std::chrono::milliseconds(millis));
  }
}

}  // namespace

std::vector<Measure> CommitDurable1(const Cell& cell) {
  return {CommitDurable(cell, "commit-durable-1", 1)};
}

std::vector<Measure> CommitDurable16(const Cell& cell) {
  return {CommitDurable(cell, "commit-durable-16", 16)};
}

std::vector<Measure> Transfer1(const Cell& cell) {
  return {Transfers(cell, "transfer-1", 1)};
}

std::vector<Measure> Transfer2(const Cell& cell) {
  return {Transfers(cell, "transfer-2", 2)};
}

std::vector<Measure> ReadWhileWriting(const Cell& cell) {
  const auto engine = OpenEngine(cell.engine, cell.setup);
  const uint64_t records = cell.Scaled(kRecords);
  Load(*engine, cell, records);
  engine->Compact();
  Settle();
  std::vector<std::atomic<uint32_t>> versions(records);
  std::atomic<bool> stop{false};
  const std::vector<uint32_t> picks = PickUniform(records, records, 17);
  const auto reader = engine->NewReader();
  for (const uint32_t pick : picks) {
    std::string_view value;
    Check(reader->Get(Key(pick, cell.keys), value), "a record is missing");
  }
  Meter meter;
  std::thread writer([&] { WriteAtRate(*engine, cell, versions, stop); });
  Histogram latencies;
  uint64_t before = Now();
  for (const uint32_t pick : picks) {
    const uint32_t acknowledged = versions[pick].load();
    std::string_view value;
    const Key key(pick, cell.keys);
    Check(reader->Get(key, value), "a record is missing");
    Check(Verify(key, value, cell.keys).version >= acknowledged,
          "a read missed an acknowledged write");
    const uint64_t now = Now();
    latencies.Add(now - before);
    before = now;
  }
  stop.store(true);
  writer.join();
  const Measure measure = meter.Stop("read-while-writing", picks.size(), latencies);
  VerifyAll(*engine, cell, std::vector<uint32_t>(versions.begin(), versions.end()));
  return {measure};
}

}  // namespace luna::bench
