#include "simulation/sim_kernel/sim_kernel.h"

#include <set>

#include "support/words.h"
#include "unit/simulation/sim_kernel/sim_world.h"

namespace luna::sim_kernel {
namespace {

using Outcome = journal::AppendResult::Outcome;

using manifest::Words;

class SimKernelTest : public SimWorld {
 protected:
  std::unique_ptr<SimKernel> Open(const SimFaults& faults = {}) {
    return SimKernel::Open(store_, world_, "sim:u", {}, faults).value();
  }
  static journal::AppendResult Append(journal::Stream& stream, std::string_view record) {
    const journal::StreamState state = stream.state();
    return stream.Append(state.epoch, state.tail, std::span(&record, 1), Durability::kDevice);
  }
};

TEST_F(SimKernelTest, ManyServersShareAUniverse) {
  const auto a = Open();
  const auto b = Open();
  EXPECT_NE(a->server(), b->server());
  EXPECT_EQ(a->universe_id(), b->universe_id());
  EXPECT_NE(SimKernel::Open(store_, world_, "sim:v").value()->universe_id(), a->universe_id());
  const auto stream = a->journal().Open("s", {}).value();
  EXPECT_EQ(Append(*stream, "one").outcome, Outcome::kOk);
  EXPECT_TRUE(b->journal().Exists("s").value());
  EXPECT_EQ(b->location(), "sim:u");
}

TEST_F(SimKernelTest, OpeningSaysWhatIsWrong) {
  const kernel::KernelOptions existing{.create_if_missing = false, .background = {}};
  const auto reason = [&](const std::string& location, const SimFaults& faults = {}) {
    return SimKernel::Open(store_, world_, location, existing, faults).error().reason();
  };
  EXPECT_EQ(reason("sim:none"), Reason::kUniverseMissing);
  EXPECT_EQ(reason("file:u"), Reason::kBadOption);
  EXPECT_EQ(reason("sim:u", {.lost_request_per_mille = kAlways}), Reason::kUnreachable);
  const ServerId dead = wire().Join({});
  wire().Kill(dead);
  EXPECT_EQ(SimKernel::OpenAs(dead, store_, world_, "sim:u").error().reason(), Reason::kShutDown);
}

TEST_F(SimKernelTest, CheckpointsNeedAnEmptyPlaceAlsoWhenAskedForTwice) {
  const auto kernel = Open();
  wire().SetFaults(kernel->server(),
                   {.lost_reply_per_mille = 700, .timeout_millis = 10, .tries = 100});
  ASSERT_TRUE(kernel->BeginCheckpoint("sim:copy").ok());
  EXPECT_EQ(kernel->BeginCheckpoint("sim:copy").error().reason(), Reason::kForeignDirectory);
  EXPECT_EQ(kernel->BeginCheckpoint("/copy").error().reason(), Reason::kBadOption);
  EXPECT_EQ(kernel->FinishCheckpoint("/copy").error().reason(), Reason::kBadOption);
  EXPECT_EQ(SimKernel::Open(store_, world_, "sim:copy").error().reason(),
            Reason::kForeignDirectory);
  ASSERT_TRUE(kernel->FinishCheckpoint("sim:copy").ok());
  EXPECT_EQ(SimKernel::Open(store_, world_, "sim:copy").value()->universe_id(),
            kernel->universe_id());
}

// --- Hints ---

TEST_F(SimKernelTest, AWatcherIsToldOfAppendsOfOthers) {
  const auto writer = Open();
  const auto reader = Open({.reply_delay = {.least = 5, .most = 5}});
  const auto stream = writer->journal().Open("s", {}).value();
  const auto watch = reader->WatchTail("s");
  EXPECT_FALSE(watch->Wait(50 * kMilli));
  const auto writing = Spawn([&] {
    SleepMillis(100);
    EXPECT_EQ(Append(*stream, "one").outcome, Outcome::kOk);
  });
  const uint64_t start = NowMillis();
  EXPECT_TRUE(watch->Wait(1'000 * kMilli));
  EXPECT_EQ(NowMillis(), start + 105);
  EXPECT_FALSE(watch->Wait(0));  // told once
  writing->Join();
}

TEST_F(SimKernelTest, AHintMayBeLostAndTheRecordIsThereAllTheSame) {
  const auto writer = Open();
  const auto reader = Open({.lost_hint_per_mille = kAlways});
  const auto stream = writer->journal().Open("s", {}).value();
  const auto watch = reader->WatchTail("s");
  EXPECT_EQ(Append(*stream, "one").outcome, Outcome::kOk);
  EXPECT_FALSE(watch->Wait(1'000 * kMilli));
  const auto follower = reader->journal().Open("s", {}).value();
  EXPECT_EQ(follower->Read(0).value()->Next().value()->payload, "one");
}

TEST_F(SimKernelTest, ADeadServersWatcherIsReleased) {
  const auto kernel = Open();
  const auto watch = kernel->WatchTail("s");
  const auto killer = Spawn([&] {
    SleepMillis(10);
    wire().Kill(kernel->server());
  });
  EXPECT_FALSE(watch->Wait(UINT64_MAX));
  killer->Join();
}

// --- The manifest, shared ---

TEST_F(SimKernelTest, ServersCommitToOneManifestOnARestlessWire) {
  const SimFaults restless{.request_delay = {.least = 0, .most = 20},
                           .reply_delay = {.least = 0, .most = 20},
                           .stall_per_mille = 50,
                           .stall = {.least = 1, .most = 50}};
  constexpr int kServers = 3;
  constexpr int kWords = 20;
  int valid = 0;
  std::vector<std::unique_ptr<runtime::Thread>> servers;
  for (int server = 0; server < kServers; ++server) {
    servers.push_back(Spawn([&] {
      const auto kernel = Open(restless);
      Words words;
      const auto manifest = kernel->OpenManifest("m", "meta", words).value();
      for (int word = 0; word < kWords; ++word) {
        valid += manifest->Commit("+" + std::to_string(word)).value() ? 1 : 0;
      }
    }));
  }
  for (const auto& server : servers) {
    server->Join();
  }
  EXPECT_EQ(valid, kWords);
  Words words;
  const auto kernel = Open();
  EXPECT_TRUE(kernel->OpenManifest("m", "meta", words).ok());
  EXPECT_EQ(words.words.size(), static_cast<size_t>(kWords));
}

// --- Determinism ---

// Three servers with jobs, a manifest and all faults at once; the hash of all that happened.
uint64_t LiveThrough(uint64_t seed) {
  static constexpr SimFaults kFaults{.request_delay = {.least = 0, .most = 20},
                                     .reply_delay = {.least = 0, .most = 20},
                                     .lost_request_per_mille = 20,
                                     .lost_reply_per_mille = 20,
                                     .late_per_mille = 20,
                                     .late = {.least = 1, .most = 500},
                                     .stall_per_mille = 50,
                                     .stall = {.least = 1, .most = 50},
                                     .slow_read_per_mille = 50,
                                     .slow_read = {.least = 1, .most = 100},
                                     .timeout_millis = 200};
  simulation::SimulatedRuntime world(seed);
  SimStore store(world, world.trace(), seed);
  world.Run([&] {
    std::vector<std::unique_ptr<runtime::Thread>> servers;
    for (int server = 0; server < 3; ++server) {
      servers.push_back(world.Spawn("server", runtime::ThreadClass::kForeground, [&, server] {
        const auto kernel = SimKernel::Open(store, world, "sim:u", {}, kFaults).value();
        kernel->background().Register("nothing", [](const auto&, auto&) {});
        Words words;
        const auto manifest = kernel->OpenManifest("m", "meta", words);
        for (int word = 0; word < 10 && manifest.ok(); ++word) {
          const auto committed = (*manifest)->Commit("+" + std::to_string(10 * server + word));
          world.trace().Add(committed.ok() ? "committed" : "failed");
          kernel->background().Spawn({.kind = "nothing", .payload = ""});
        }
      }));
    }
    for (const auto& server : servers) {
      server->Join();
    }
  });
  return world.trace().hash();
}

TEST(SimKernelSeeds, OneSeedIsOneHistoryAndAnotherSeedAnother) {
  constexpr uint64_t kSeeds = 20;
  std::set<uint64_t> hashes;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const uint64_t hash = LiveThrough(seed);
    EXPECT_EQ(LiveThrough(seed), hash) << "seed " << seed;
    hashes.insert(hash);
  }
  EXPECT_EQ(hashes.size(), kSeeds);
}

}  // namespace
}  // namespace luna::sim_kernel
