// What every Kernel promises as a whole, K1 to K8 in short: the rooms' own suites go deeper.
#include "kernel/kernel.h"

#include <gtest/gtest.h>

#include <atomic>

#include "conformance/kernel_conformance.h"
#include "conformance/local_ground.h"
#include "conformance/manifest_conformance.h"
#include "simulation/simulated_runtime.h"

namespace luna::conformance {

namespace {

using journal::AppendResult;
using kernel::Kernel;
using Names = std::vector<std::string>;
using Outcome = AppendResult::Outcome;
using Set = std::set<std::string>;

class FilePlace : public KernelPlace {
 public:
  runtime::Runtime& runtime() override { return ground_.runtime(); }
  std::string url() const override { return "file:" + ground_.directory() + "/u"; }
  std::string checkpoint() const override { return ground_.directory() + "/copy"; }

 private:
  PosixGround ground_;
};

class MemoryPlace : public KernelPlace {
 public:
  runtime::Runtime& runtime() override { return *runtime_; }
  std::string url() const override { return "memory:"; }
  std::string checkpoint() const override { return "/copy"; }

 private:
  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
};

template <typename Place>
std::unique_ptr<KernelPlace> Make() {
  return std::make_unique<Place>();
}

INSTANTIATE_TEST_SUITE_P(File, KernelConformance, testing::Values(&Make<FilePlace>));
INSTANTIATE_TEST_SUITE_P(Memory, KernelConformance, testing::Values(&Make<MemoryPlace>));

TEST_P(KernelConformance, K1AcceptedAppendsFormADensePrefixRefusedOnesLeaveNoTrace) {
  const auto stream = Stream();
  EXPECT_EQ(AppendOne(*stream, "one").tail, 1u);
  const std::string_view late = "late";
  const journal::Epoch epoch = stream->state().epoch;
  EXPECT_EQ(stream->Append(epoch, 0, std::span(&late, 1), Durability::kDevice).outcome,
            Outcome::kMoved);
  EXPECT_EQ(stream->Append(epoch + 1, 1, std::span(&late, 1), Durability::kDevice).outcome,
            Outcome::kFenced);
  EXPECT_EQ(AppendOne(*stream, "two").tail, 2u);
  EXPECT_EQ(ReadAll(*stream, 0), (Names{"one", "two"}));
}

TEST_P(KernelConformance, K2AFenceShutsOutSmallerEpochsAndComparesTheTail) {
  const auto stream = Stream();
  AppendOne(*stream, "one");
  const journal::Epoch epoch = stream->state().epoch;
  EXPECT_EQ(stream->Fence(epoch, 0, epoch + 1).error().reason(), Reason::kFenced);
  EXPECT_EQ(stream->Fence(epoch, 1, epoch + 1).value(), 1u);
  const std::string_view delayed = "delayed";
  const AppendResult result = stream->Append(epoch, 1, std::span(&delayed, 1), Durability::kDevice);
  EXPECT_EQ(result.outcome, Outcome::kFenced);
  EXPECT_EQ(result.epoch, epoch + 1);
  EXPECT_EQ(AppendOne(*stream, "two").outcome, Outcome::kOk);
  EXPECT_EQ(ReadAll(*stream, 0), (Names{"one", "two"}));
}

TEST_P(KernelConformance, K3ReadersSeeWhatIsAcknowledgedFromAnyPlace) {
  const auto stream = Stream();
  for (int i = 1; i <= 100; ++i) {
    AppendOne(*stream, std::string(2'000, 'x') + std::to_string(i));
    ASSERT_EQ(ReadAll(*stream, static_cast<uint64_t>(i) - 1).size(), 1u);
  }
  EXPECT_EQ(ReadAll(*stream, 40).size(), 60u);
}

TEST_P(KernelConformance, K4ReleaseIsIdempotentAndNeverTakesMore) {
  const auto stream = Stream();
  for (int i = 0; i < 100; ++i) {
    AppendOne(*stream, std::string(4'000, 'x'));
  }
  ASSERT_TRUE(stream->Release(50).ok());
  ASSERT_TRUE(stream->Release(50).ok());
  ASSERT_TRUE(stream->Release(10).ok());
  const journal::StreamState state = stream->state();
  EXPECT_GT(state.released, 0u);
  EXPECT_LE(state.released, 50u);
  EXPECT_EQ(ReadAll(*stream, 50).size(), 50u);
  EXPECT_EQ(stream->Read(0).error().reason(), Reason::kLostData);
}

TEST_P(KernelConformance, K5AManifestPositionIsUsedOnce) {
  Words words;
  const auto manifest = kernel_->OpenManifest("m", "meta", words).value();
  Set positions;
  for (const char* edit : {"+a", "+b", "-a", "+c"}) {
    EXPECT_TRUE(manifest
                    ->Commit(edit,
                             [&](manifest::Position position) {
                               EXPECT_TRUE(positions.insert(std::to_string(position)).second);
                             })
                    .value());
    EXPECT_TRUE(manifest->Snapshot().ok());
  }
  EXPECT_EQ(positions.size(), 4u);
  EXPECT_EQ(words.words, (Set{"b", "c"}));
}

TEST_P(KernelConformance, K6ObjectsAreWrittenOnce) {
  ASSERT_TRUE(PutIn(kernel_->storage(), "one", "bytes").ok());
  EXPECT_EQ(PutIn(kernel_->storage(), "one", "other").error().reason(), Reason::kObjectExists);
  EXPECT_EQ(kernel_->storage().List("b").value(), Names{"one"});
}

TEST_P(KernelConformance, K8JobsRun) {
  std::atomic<int> runs = 0;
  kernel_->background().Register(
      "count", [&](const background::Job&, background::JobContext&) { runs.fetch_add(1); });
  for (int i = 0; i < 10; ++i) {
    kernel_->background().Spawn({.kind = "count", .payload = std::to_string(i)});
  }
  kernel_->background().Drain();
  EXPECT_EQ(runs.load(), 10);
}

TEST_P(KernelConformance, ACheckpointIsAUniverseOfTheSameIdWithWhatWasLinked) {
  Words words;
  const auto manifest = kernel_->OpenManifest("m", "meta", words).value();
  ASSERT_TRUE(manifest->Commit("+a").value());
  ASSERT_TRUE(manifest->Snapshot().ok());
  ASSERT_TRUE(manifest->Commit("+b").value());
  ASSERT_TRUE(PutIn(kernel_->storage(), "one", "bytes").ok());
  const auto stream = Stream();
  AppendOne(*stream, "record");

  ASSERT_TRUE(kernel_->BeginCheckpoint(Target()).ok());
  ASSERT_TRUE(manifest->Link(Target()).ok());
  ASSERT_TRUE(kernel_->storage().Link("b", "one", Target()).ok());
  ASSERT_TRUE(kernel_->journal().Link("s", Target()).ok());
  EXPECT_EQ(OpenAt(Target(), kernel_->runtime()).error().reason(), Reason::kForeignDirectory);
  ASSERT_TRUE(kernel_->FinishCheckpoint(Target()).ok());
  AppendOne(*stream, "later");
  ASSERT_TRUE(kernel_->storage().Remove("b", "one").ok());
  ASSERT_TRUE(manifest->Commit("+later").value());

  const auto copy = OpenAt(Target(), kernel_->runtime(), false).value();
  EXPECT_EQ(copy->universe_id(), kernel_->universe_id());
  Words copied;
  EXPECT_TRUE(copy->OpenManifest("m", "meta", copied).ok());
  EXPECT_EQ(copied.words, (Set{"a", "b"}));
  EXPECT_EQ(copy->storage().List("b").value(), Names{"one"});
  const auto copied_stream = copy->journal().Open("s", {.segment_bytes = 64 << 10}).value();
  EXPECT_EQ(ReadAll(*copied_stream, 0), Names{"record"});
}

TEST_P(KernelConformance, ACheckpointNeedsAnEmptyPlace) {
  ASSERT_TRUE(kernel_->BeginCheckpoint(Target()).ok());
  EXPECT_EQ(kernel_->BeginCheckpoint(Target()).error().reason(), Reason::kForeignDirectory);
}

TEST(FileKernel, KeepsEverythingOverReopening) {
  PosixGround ground;
  const std::string path = ground.directory() + "/u";
  base::Id128 id;
  {
    const auto kernel = OpenAt(path, ground.runtime()).value();
    id = kernel->universe_id();
    Words words;
    EXPECT_TRUE(kernel->OpenManifest("m", "meta", words).value()->Commit("+a").value());
    ASSERT_TRUE(PutIn(kernel->storage(), "one", "bytes").ok());
    AppendOne(*kernel->journal().Open("s", {}).value(), "record");
  }
  const auto kernel = OpenAt(path, ground.runtime(), false).value();
  EXPECT_EQ(kernel->universe_id(), id);
  Words words;
  EXPECT_TRUE(kernel->OpenManifest("m", "meta", words).ok());
  EXPECT_EQ(words.words, Set{"a"});
  EXPECT_EQ(kernel->journal().List().value(), (Names{"m", "s"}));
  EXPECT_EQ(kernel->storage().ListBuckets().value(), Names{"b"});
}

TEST(KernelFaults, ErrorsOfTheDiskComeThroughByTheirReason) {
  using simulation::Operation;
  for (const auto& [operation, reason] : {std::pair{Operation::kLock, Reason::kReadOnly},
                                          {Operation::kCreate, Reason::kReadOnly},
                                          {Operation::kCreate, Reason::kDiskFull},
                                          {Operation::kSync, Reason::kSyncFailed},
                                          {Operation::kRename, Reason::kIoError}}) {
    FaultyGround ground;
    ground.faults().Inject({.operation = operation, .reason = reason});
    const auto kernel = OpenAt("/u", ground.runtime());
    ASSERT_FALSE(kernel.ok()) << simulation::Name(operation);
    EXPECT_EQ(kernel.error().reason(), reason);
    EXPECT_NE(kernel.error().message().find("/u"), std::string::npos);
    ground.faults().ClearFaults();
    EXPECT_TRUE(OpenAt("/u", ground.runtime()).ok()) << simulation::Name(operation);
  }
}

TEST(KernelCrash, AnInterruptedCreationIsCompleted) {
  uint64_t points = 0;
  {
    FaultyGround ground;
    ASSERT_TRUE(OpenAt("/deep/u", ground.runtime()).ok());
    points = ground.faults().points();
  }
  ASSERT_GT(points, 5u);
  ForEveryCrash(points, [&](const Crash& crash) {
    FaultyGround ground;
    ground.faults().CutAtPoint(crash.point, crash.when);
    EXPECT_FALSE(OpenAt("/deep/u", ground.runtime()).ok());
    ground.faults().Restart(crash.survival, crash.point);
    base::Id128 id;
    {
      const auto kernel = OpenAt("/deep/u", ground.runtime()).value();
      id = kernel->universe_id();
    }
    ground.faults().Restart(simulation::Survival::kAllLost);
    EXPECT_EQ(OpenAt("/deep/u", ground.runtime(), false).value()->universe_id(), id);
  });
}

Status MakeCheckpoint(Kernel& kernel) {
  TRY(kernel.BeginCheckpoint("/copy"));
  TRY(kernel.storage().Link("b", "one", "/copy"));
  TRY(kernel.journal().Link("s", "/copy"));
  return kernel.FinishCheckpoint("/copy");
}

// A universe at /u with an object and a record, as it is when a checkpoint begins.
Result<std::unique_ptr<Kernel>> Furnish(runtime::Runtime& runtime) {
  auto kernel = TRY(OpenAt("/u", runtime));
  TRY(PutIn(kernel->storage(), "one", "bytes"));
  const auto stream = TRY(kernel->journal().Open("s", {.segment_bytes = 64 << 10}));
  EXPECT_EQ(AppendOne(*stream, "record").outcome, Outcome::kOk);
  return kernel;
}

TEST(KernelCrash, AnInterruptedCheckpointDoesNotOpenAndAFinishedOneIsWhole) {
  uint64_t first = 0;
  uint64_t points = 0;
  {
    FaultyGround ground;
    const auto kernel = Furnish(ground.runtime()).value();
    first = ground.faults().points();
    ASSERT_TRUE(MakeCheckpoint(*kernel).ok());
    points = ground.faults().points() - first;
  }
  ForEveryCrash(points, [&](const Crash& crash) {
    FaultyGround ground;
    auto kernel = Furnish(ground.runtime()).value();
    ground.faults().CutAtPoint(first + crash.point, crash.when);
    const bool finished = MakeCheckpoint(*kernel).ok();
    kernel.reset();
    ground.faults().Restart(crash.survival, crash.point);
    const auto copy = OpenAt("/copy", ground.runtime(), false);
    EXPECT_TRUE(copy.ok() || !finished);
    if (!copy.ok()) {
      const Reason reason = copy.error().reason();
      EXPECT_TRUE(reason == Reason::kUniverseMissing || reason == Reason::kForeignDirectory)
          << copy.error().ToString();
      return;
    }
    EXPECT_EQ((*copy)->storage().List("b").value(), Names{"one"});
    const auto stream = (*copy)->journal().Open("s", {.segment_bytes = 64 << 10}).value();
    EXPECT_EQ(ReadAll(*stream, 0), Names{"record"});
  });
}

// Writers and jobs of one Kernel under a seed; the hash of all that happened.
uint64_t LiveThrough(uint64_t seed) {
  static constexpr int kWriters = 3;
  static constexpr int kWords = 8;
  simulation::SimulatedRuntime world(seed);
  world.Run([&world] {
    const auto kernel = OpenAt("/u", world).value();
    Words words;
    const auto manifest = kernel->OpenManifest("m", "meta", words).value();
    kernel->background().Register(
        "snapshot", [&](const auto&, auto&) { EXPECT_TRUE(manifest->Snapshot().ok()); });
    kernel->background().SpawnEvery(1'000, {.kind = "snapshot", .payload = ""});
    int valid = 0;  // fibers share a thread
    std::vector<std::unique_ptr<runtime::Thread>> writers;
    for (int writer = 0; writer < kWriters; ++writer) {
      writers.push_back(world.Spawn("writer", runtime::ThreadClass::kForeground, [&] {
        for (int word = 0; word < kWords; ++word) {
          valid += manifest->Commit("+" + std::to_string(word)).value() ? 1 : 0;
          kernel->background().Spawn({.kind = "snapshot", .payload = std::to_string(word % 2)});
        }
      }));
    }
    for (const auto& writer : writers) {
      writer->Join();
    }
    EXPECT_EQ(valid, kWords);
    kernel->background().Shutdown();
  });
  world.Run([&world] {
    Words words;
    const auto kernel = OpenAt("/u", world, false).value();
    EXPECT_TRUE(kernel->OpenManifest("m", "meta", words).ok());
    EXPECT_EQ(words.words.size(), static_cast<size_t>(kWords));
  });
  return world.trace().hash();
}

TEST(KernelSimulation, OneSeedIsOneHistory) {
  Set hashes;
  constexpr uint64_t kSeeds = 20;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const uint64_t hash = LiveThrough(seed);
    EXPECT_EQ(LiveThrough(seed), hash);
    hashes.insert(std::to_string(hash));
  }
  EXPECT_EQ(hashes.size(), kSeeds);
}

}  // namespace

}  // namespace luna::conformance
