// A leader whose merges are done by workers, each with threads of its own.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "cluster/worker/worker.h"
#include "threads/server_node.h"

namespace luna::threads {
namespace {

// Does not compress.
std::string Value(uint64_t seed) {
  std::string bytes(60'000, '\0');
  uint64_t state = seed + 1;
  for (char& byte : bytes) {
    state = state * 6364136223846793005 + 1442695040888963407;
    byte = static_cast<char>(state >> 56);
  }
  return bytes;
}

TEST(Offloading, WorkersMergeWhatSeveralThreadsWrite) {
  constexpr uint64_t kWriters = 2;
  constexpr uint64_t kKeys = 50;
  SharedPlace place;
  ServerNode leader(place, {.name = "a:1", .offload = true});
  leader.Start();
  ASSERT_TRUE(place.Becomes([&] { return leader.leads(); }));
  std::vector<std::unique_ptr<kernel::Kernel>> kernels;
  std::vector<std::unique_ptr<worker::Worker>> workers;
  for (const char* const name : {"w1", "w2"}) {
    kernels.push_back(place.NewKernel());
    workers.push_back(std::make_unique<worker::Worker>(
        *kernels.back(),
        worker::WorkerOptions{.name = name, .threads = 2, .look_nanos = 20 * kMillisecond}));
    workers.back()->Start();
  }
  std::atomic<bool> ended{false};
  const auto watcher = place.Spawn("watch", [&] {
    while (!ended) {
      for (const auto& worker : workers) {
        EXPECT_TRUE(worker->standing().running.size() <= 2);
      }
      leader.AskEverything();
      place.runtime().Sleep(kMillisecond);
    }
  });
  EXPECT_TRUE(leader.serving.led.With([&](Collection& collection) {
    for (uint64_t round = 0; round < 2; ++round) {  // each key twice
      std::vector<std::unique_ptr<runtime::Thread>> writers;
      for (uint64_t writer = 0; writer < kWriters; ++writer) {
        writers.push_back(place.Spawn("write", [&, writer, round] {
          for (uint64_t i = writer; i < kKeys; i += kWriters) {
            EXPECT_TRUE(collection.Put("k" + std::to_string(i), Value(round * kKeys + i)).ok());
          }
        }));
      }
      for (const auto& writer : writers) {
        writer->Join();
      }
      EXPECT_TRUE(collection.Flush().ok());
    }
    EXPECT_TRUE(collection.Compact().ok());
    for (uint64_t i = 0; i < kKeys; ++i) {
      EXPECT_EQ(collection.Get("k" + std::to_string(i)).value(), Value(kKeys + i));
    }
  }));
  ended = true;
  watcher->Join();
  uint64_t done = 0;
  for (const auto& worker : workers) {
    worker->Stop();
    done += worker->standing().jobs_done;
  }
  EXPECT_GT(done, 0u);
  EXPECT_EQ(leader.server->standing().offloaded.done, done);
  leader.server->Stop();
}

}  // namespace
}  // namespace luna::threads
