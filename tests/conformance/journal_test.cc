#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>

#include "base/try.h"
#include "conformance/journal_conformance.h"
#include "kernel/journal/local_journal.h"
#include "runtime/posix/posix_runtime.h"
#include "simulation/simulated_runtime.h"

namespace luna::conformance {
namespace {

using journal::AppendResult;
using journal::Journal;
using journal::Sequence;
using journal::Stream;
using journal::StreamState;
using simulation::Operation;
using simulation::SimulatedRuntime;
using simulation::Survival;
using simulation::When;
using Records = std::vector<std::string>;

class PosixPlace : public JournalPlace {
 public:
  PosixPlace() {
    std::string pattern = std::filesystem::temp_directory_path() / "luna-journal-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
  }
  ~PosixPlace() override { std::filesystem::remove_all(root_); }
  std::unique_ptr<Journal> Open() override {
    return journal::OpenLocalJournal(*runtime_, root_ + "/journal").value();
  }
  std::string link_target() const override { return root_ + "/copy"; }
  std::unique_ptr<Journal> OpenLinked() override {
    return journal::OpenLocalJournal(*runtime_, root_ + "/copy").value();
  }

 private:
  const std::unique_ptr<runtime::Runtime> runtime_ = posix::NewPosixRuntime();
  std::string root_;
};

class MemoryPlace : public JournalPlace {
 public:
  std::unique_ptr<Journal> Open() override {
    return journal::OpenLocalJournal(runtime_, "/luna/journal").value();
  }
  std::string link_target() const override { return "/copy/journal"; }
  std::unique_ptr<Journal> OpenLinked() override {
    return journal::OpenLocalJournal(runtime_, "/copy/journal").value();
  }

 private:
  SimulatedRuntime runtime_{1};
};

template <typename Place>
std::unique_ptr<JournalPlace> Make() {
  return std::make_unique<Place>();
}

INSTANTIATE_TEST_SUITE_P(Posix, JournalConformance, testing::Values(&Make<PosixPlace>));
INSTANTIATE_TEST_SUITE_P(Memory, JournalConformance, testing::Values(&Make<MemoryPlace>));

// --- K1: append ---

TEST_P(JournalConformance, NewStreamIsEmptyAtEpochOne) {
  const StreamState state = stream_->state();
  EXPECT_EQ(state.epoch, 1u);
  EXPECT_EQ(state.tail, 0u);
  EXPECT_EQ(state.released, 0u);
  EXPECT_TRUE(Read().empty());
}

TEST_P(JournalConformance, ACopyBeginsBehindRecordsThatItsOriginalReleased) {
  journal::StreamOptions options = kSmall;
  options.first_epoch = 7;
  options.released = 40;
  {
    const auto copy = journal_->Open("copy", options).value();
    EXPECT_EQ(copy->state().epoch, 7u);
    EXPECT_EQ(copy->state().released, 40u);
    EXPECT_EQ(copy->state().tail, 40u);
    const std::string_view record = "41";
    ASSERT_EQ(copy->Append(7, 40, std::span(&record, 1), Durability::kDevice).outcome,
              Outcome::kOk);
    EXPECT_EQ(Read(*copy, 40), Records{"41"});
    EXPECT_EQ(copy->Read(39).error().reason(), Reason::kLostData);
  }
  // Of one that is there they mean nothing.
  options.released = 90;
  const auto again = journal_->Open("copy", options).value();
  EXPECT_EQ(again->state().released, 40u);
  EXPECT_EQ(again->state().tail, 41u);
  EXPECT_EQ(again->state().epoch, 7u);
  EXPECT_EQ(Read(*again, 40), Records{"41"});
}

TEST_P(JournalConformance, AcceptedBatchesFormADensePrefix) {
  Records expected;
  for (int i = 0; i < 40; ++i) {
    Records batch;
    for (int k = 0; k <= i % 4; ++k) {
      batch.push_back("record " + std::to_string(i) + "." + std::to_string(k) +
                      std::string(i * 20, '.'));
    }
    const auto durability = static_cast<Durability>(i % 3);
    const AppendResult result = Append(batch, durability);
    ASSERT_EQ(result.outcome, Outcome::kOk);
    expected.insert(expected.end(), batch.begin(), batch.end());
    ASSERT_EQ(result.tail, expected.size());
    ASSERT_EQ(stream_->state().tail, expected.size());
  }
  EXPECT_EQ(Read(), expected);
  EXPECT_EQ(Read(17), Records(expected.begin() + 17, expected.end()));
  ASSERT_TRUE(stream_->Persist(Durability::kDevice).ok());
  Reopen();
  EXPECT_EQ(stream_->state().tail, expected.size());
  EXPECT_EQ(Read(), expected);
}

TEST_P(JournalConformance, MovedTailIsRefusedAndNeverApplied) {
  ASSERT_EQ(Append({"one", "two"}).outcome, Outcome::kOk);
  for (const Sequence tail : {Sequence{0}, Sequence{1}, Sequence{3}, Sequence{1000}}) {
    const AppendResult result = AppendAt(1, tail, {"refused"});
    EXPECT_EQ(result.outcome, Outcome::kMoved);
    EXPECT_EQ(result.tail, 2u);
  }
  EXPECT_EQ(Read(), (Records{"one", "two"}));
  Reopen();
  EXPECT_EQ(Read(), (Records{"one", "two"}));
}

// --- Followers ---

TEST_P(JournalConformance, AFollowerSeesAppendsAndFencesAndIsNotNoticed) {
  const auto follower = journal_->Follow("s").value();
  EXPECT_EQ(follower->Look()->tail, 0u);
  EXPECT_EQ(follower->Look()->epoch, 1u);
  ASSERT_EQ(Append({"a", "b"}).outcome, Outcome::kOk);
  EXPECT_EQ(follower->Look()->tail, 2u);
  const auto reader = follower->Read(1).value();
  EXPECT_EQ(reader->Next()->value().payload, "b");
  EXPECT_FALSE(reader->Next()->has_value());
  ASSERT_EQ(Append({"c"}).outcome, Outcome::kOk);  // the same appender goes on
  EXPECT_EQ(reader->Next()->value().payload, "c");
  ASSERT_TRUE(stream_->Fence(1, 3, 4).ok());
  EXPECT_EQ(follower->Look()->epoch, 4u);
  EXPECT_EQ(follower->Look()->tail, 3u);
}

TEST_P(JournalConformance, AFollowerOutlastsWhoeverHasTheStreamOpen) {
  const auto follower = journal_->Follow("s").value();
  ASSERT_EQ(Append({"a"}).outcome, Outcome::kOk);
  EXPECT_EQ(follower->Look()->tail, 1u);
  stream_.reset();
  EXPECT_EQ(follower->Look()->tail, 1u);
  EXPECT_EQ(follower->Read(0).value()->Next()->value().payload, "a");
  stream_ = journal_->Open("s", kSmall).value();
  ASSERT_EQ(Append({"b"}).outcome, Outcome::kOk);
  EXPECT_EQ(follower->Look()->tail, 2u);
  EXPECT_EQ(follower->Read(1).value()->Next()->value().payload, "b");
  // One that comes when the stream is closed, too; and it may be opened while it is followed.
  stream_.reset();
  const auto late = journal_->Follow("s").value();
  EXPECT_EQ(late->Look()->tail, 2u);
  stream_ = journal_->Open("s", kSmall).value();
  ASSERT_EQ(Append({"c"}).outcome, Outcome::kOk);
  EXPECT_EQ(late->Look()->tail, 3u);
}

TEST_P(JournalConformance, WhatWasReleasedOrIsMissingCannotBeFollowed) {
  const auto missing = journal_->Follow("no-such-stream").value();
  EXPECT_EQ(missing->Look().error().reason(), Reason::kStreamMissing);
  EXPECT_EQ(journal_->Follow("No").error().reason(), Reason::kBadName);
  const auto follower = journal_->Follow("s").value();
  while (stream_->state().released == 0) {
    ASSERT_EQ(Append({std::string(6000, 'x')}).outcome, Outcome::kOk);
    ASSERT_TRUE(stream_->Release(stream_->state().tail).ok());
  }
  const auto fresh = journal_->Follow("s").value();
  const journal::StreamState state = fresh->Look().value();
  EXPECT_EQ(state.released, stream_->state().released);
  EXPECT_EQ(fresh->Read(0).error().reason(), Reason::kLostData);
  EXPECT_TRUE(fresh->Read(state.released).ok());
  stream_.reset();
  ASSERT_TRUE(journal_->Remove("s").ok());
  EXPECT_EQ(journal_->Follow("s").value()->Look().error().reason(), Reason::kStreamMissing);
}

TEST_P(JournalConformance, EmptyRecordsAreRecords) {
  ASSERT_EQ(Append({"", "", "x"}).outcome, Outcome::kOk);
  EXPECT_EQ(Read(), (Records{"", "", "x"}));
}

TEST_P(JournalConformance, TooLargeIsFailedAndTheStreamGoesOn) {
  const AppendResult result = Append({std::string(100'000, 'x')});
  EXPECT_EQ(result.outcome, Outcome::kFailed);
  EXPECT_EQ(result.error->reason(), Reason::kTransactionTooLarge);
  EXPECT_EQ(Append({"small"}).outcome, Outcome::kOk);
  EXPECT_EQ(Read(), Records{"small"});
}

// --- K3: read ---

TEST_P(JournalConformance, ReaderGoesOnFromTheTail) {
  const auto reader = stream_->Read(0).value();
  for (int i = 0; i < 50; ++i) {
    EXPECT_FALSE(reader->Next().value().has_value());
    const std::string text = std::to_string(i) + std::string(900, 'x');
    ASSERT_EQ(Append({text}, static_cast<Durability>(i % 3)).outcome, Outcome::kOk);
    EXPECT_EQ(reader->Next().value()->payload, text);
  }
}

// --- K4: release ---

TEST_P(JournalConformance, ReleasedSpaceIsReusedAndNothingElseIsLost) {
  Sequence tail = 0;
  for (int i = 0; i < 200; ++i) {
    tail = Append({std::to_string(i) + std::string(1000, 'x')}, Durability::kProcess).tail;
    ASSERT_EQ(tail, static_cast<Sequence>(i + 1));
    if (i % 10 == 9) {
      ASSERT_TRUE(stream_->Release(tail - 5).ok());
      ASSERT_TRUE(stream_->Release(tail - 5).ok());  // idempotent
      ASSERT_TRUE(stream_->Release(1).ok());         // and never goes back
    }
    ASSERT_LE(stream_->state().released, tail > 5 ? tail - 5 : 0);
    ASSERT_LE(stream_->state().retained_bytes, 64u << 10);
  }
  const Sequence released = stream_->state().released;
  EXPECT_GT(released, 150u);
  EXPECT_EQ(stream_->Read(0).error().reason(), Reason::kLostData);
  Reopen();
  EXPECT_EQ(stream_->state().released, released);
  EXPECT_EQ(stream_->state().tail, tail);
  EXPECT_EQ(Read(released).size(), tail - released);
  ASSERT_TRUE(stream_->Release(UINT64_MAX).ok());
  EXPECT_EQ(Append({"on"}).tail, tail + 1);
}

// --- Names, roll, link ---

TEST_P(JournalConformance, StreamsAreListedAndRemoved) {
  journal_->Open("a.b-1", kSmall).value();
  EXPECT_EQ(journal_->List().value(), (Records{"a.b-1", "s"}));
  EXPECT_TRUE(journal_->Exists("a.b-1").value());
  EXPECT_FALSE(journal_->Exists("nobody").value());
  ASSERT_TRUE(journal_->Remove("a.b-1").ok());
  EXPECT_EQ(journal_->List().value(), Records{"s"});
  EXPECT_EQ(journal_->Remove("a.b-1").error().reason(), Reason::kStreamMissing);
  EXPECT_EQ(journal_->Open("a.b-1", kSmall).value()->state().tail, 0u);
}

TEST_P(JournalConformance, OnlyWhoMayMakesAStream) {
  EXPECT_EQ(journal_->Open("t", {.create = false}).error().reason(), Reason::kStreamMissing);
  EXPECT_FALSE(journal_->Exists("t").value());
  ASSERT_TRUE(journal_->Open("t", {}).ok());
  EXPECT_TRUE(journal_->Open("t", {.create = false}).ok());
  ASSERT_TRUE(journal_->Remove("t").ok());
  EXPECT_EQ(journal_->Open("t", {.create = false}).error().reason(), Reason::kStreamMissing);
}

TEST_P(JournalConformance, BadNamesAreRefused) {
  for (const std::string name : {"", ".", "..", "A", "a/b", "a b", "a\n"}) {
    EXPECT_EQ(journal_->Open(name, kSmall).error().reason(), Reason::kBadName) << name;
  }
}

TEST_P(JournalConformance, StreamsAreIndependent) {
  const auto other = journal_->Open("other", kSmall).value();
  ASSERT_EQ(Append({"mine"}).outcome, Outcome::kOk);
  EXPECT_TRUE(Read(*other).empty());
  EXPECT_EQ(other->Fence(1, 0, 9).value(), 0u);
  EXPECT_EQ(stream_->state().epoch, 1u);
}

TEST_P(JournalConformance, RollKeepsEverything) {
  Records expected;
  for (int i = 0; i < 8; ++i) {
    ASSERT_EQ(Append({std::to_string(i)}, static_cast<Durability>(i % 3)).outcome, Outcome::kOk);
    expected.push_back(std::to_string(i));
    ASSERT_TRUE(stream_->Roll().ok());
  }
  EXPECT_EQ(Read(), expected);
  Reopen();
  EXPECT_EQ(Read(), expected);
}

TEST_P(JournalConformance, LinkIsAnIndependentJournal) {
  for (int i = 0; i < 60; ++i) {
    ASSERT_EQ(Append({std::to_string(i) + std::string(1000, 'x')}, Durability::kProcess).outcome,
              Outcome::kOk);
  }
  ASSERT_TRUE(stream_->Fence(1, {}, 3).ok());
  ASSERT_EQ(Append({"waits in memory"}, Durability::kRelaxed).outcome, Outcome::kOk);
  const Records expected = Read();
  ASSERT_TRUE(journal_->Link("s", place_->link_target()).ok());

  // The source goes on: releases, reuses, appends. The copy does not notice, nor the other way.
  for (int i = 0; i < 100; ++i) {
    const Sequence tail = Append({std::string(1000, 'S')}, Durability::kProcess).tail;
    ASSERT_TRUE(stream_->Release(tail).ok());
  }
  const auto linked = place_->OpenLinked();
  const auto copy = linked->Open("s", kSmall).value();
  EXPECT_EQ(Read(*copy), expected);
  EXPECT_EQ(copy->state().epoch, 3u);
  const std::string record(1000, 'C');
  for (int i = 0; i < 100; ++i) {
    const std::string_view records[] = {record};
    ASSERT_EQ(copy->Append(3, copy->state().tail, records, Durability::kProcess).outcome,
              Outcome::kOk);
    if (i == 50) {
      ASSERT_TRUE(copy->Release(copy->state().tail).ok());
    }
  }
  EXPECT_EQ(copy->state().tail, expected.size() + 100);
  const StreamState state = stream_->state();
  for (const std::string& text : Read(state.released)) {
    ASSERT_EQ(text, std::string(1000, 'S'));
  }
}

TEST_P(JournalConformance, ClosedStreamIsLinkedToo) {
  ASSERT_EQ(Append({"one"}).outcome, Outcome::kOk);
  ASSERT_TRUE(stream_->Roll().ok());
  stream_.reset();
  ASSERT_TRUE(journal_->Link("s", place_->link_target()).ok());
  EXPECT_EQ(journal_->Link("nobody", place_->link_target()).error().reason(),
            Reason::kStreamMissing);
  const auto linked = place_->OpenLinked();
  EXPECT_EQ(Read(*linked->Open("s", kSmall).value()), Records{"one"});
}

// --- Failing disks ---

constexpr journal::StreamOptions kSmallSegments{.segment_bytes = 16 << 10};

class FailingDisk : public testing::Test {
 protected:
  FailingDisk() { Reopen(); }
  void Reopen() {
    stream_.reset();
    journal_ = journal::OpenLocalJournal(runtime_, "/journal").value();
    stream_ = journal_->Open("s", kSmallSegments).value();
  }
  AppendResult Append(std::string_view record, Durability durability = Durability::kProcess) {
    const std::string_view records[] = {record};
    const StreamState state = stream_->state();
    return stream_->Append(state.epoch, state.tail, records, durability);
  }
  Records Read() {
    Records records;
    const auto reader = stream_->Read(0).value();
    while (const auto record = reader->Next().value()) {
      records.emplace_back(record->payload);
    }
    return records;
  }
  void FailNext(Operation operation, Reason reason, bool takes_effect = false) {
    runtime_.faults().Inject({.operation = operation,
                              .reason = reason,
                              .path_part = ".segment",
                              .takes_effect = takes_effect});
  }

  SimulatedRuntime runtime_{1};
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Stream> stream_;
};

using Outcome = AppendResult::Outcome;

TEST_F(FailingDisk, FullDiskRefusesAndGoesOnWhenThereIsRoom) {
  ASSERT_EQ(Append("first").outcome, Outcome::kOk);
  runtime_.faults().DiskFullAfterBytes(20'000);
  Records expected = {"first"};
  AppendResult result;
  do {
    const std::string record = std::to_string(expected.size()) + std::string(500, 'x');
    result = Append(record, Durability::kDevice);
    if (result.outcome == Outcome::kOk) {
      expected.push_back(record);
    }
  } while (result.outcome == Outcome::kOk && expected.size() < 1000);
  EXPECT_EQ(result.outcome, Outcome::kFailed);
  EXPECT_EQ(result.error->reason(), Reason::kDiskFull);
  EXPECT_EQ(result.tail, expected.size());
  EXPECT_EQ(Read(), expected);
  runtime_.faults().ClearFaults();
  ASSERT_EQ(Append("room again", Durability::kDevice).outcome, Outcome::kOk);
  expected.push_back("room again");
  runtime_.faults().Restart(Survival::kMixed, 3);
  Reopen();
  EXPECT_EQ(Read(), expected);
}

TEST_F(FailingDisk, RefusedWriteNeverComesToLight) {
  for (const bool takes_effect : {false, true}) {
    for (const Survival survival : {Survival::kAllLost, Survival::kAllKept, Survival::kMixed}) {
      const Records before = Read();
      ASSERT_EQ(Append("kept", Durability::kDevice).outcome, Outcome::kOk);
      FailNext(Operation::kWrite, Reason::kDiskFull, takes_effect);
      const AppendResult result = Append("refused", Durability::kDevice);
      ASSERT_EQ(result.outcome, Outcome::kFailed);
      EXPECT_EQ(result.error->reason(), Reason::kDiskFull);
      runtime_.faults().Restart(survival, 5);
      Reopen();
      EXPECT_EQ(Read().size(), before.size() + 1);
      EXPECT_EQ(Read().back(), "kept");
    }
  }
}

TEST_F(FailingDisk, RefusedBehindWaitingRecordsNeverComesToLight) {
  ASSERT_EQ(Append("waits", Durability::kRelaxed).outcome, Outcome::kOk);
  FailNext(Operation::kWrite, Reason::kDiskFull, /*takes_effect=*/true);
  ASSERT_EQ(Append("refused").outcome, Outcome::kFailed);
  EXPECT_EQ(Read(), Records{"waits"});
  ASSERT_TRUE(stream_->Persist(Durability::kDevice).ok());
  EXPECT_EQ(Read(), Records{"waits"});
  runtime_.faults().Restart(Survival::kAllKept);
  Reopen();
  EXPECT_EQ(Read(), Records{"waits"});
}

TEST_F(FailingDisk, FailedSyncPoisonsUntilReopened) {
  ASSERT_EQ(Append("safe", Durability::kDevice).outcome, Outcome::kOk);
  FailNext(Operation::kSync, Reason::kSyncFailed);
  const AppendResult unknown = Append("unknown", Durability::kDevice);
  EXPECT_EQ(unknown.outcome, Outcome::kUnknown);
  EXPECT_EQ(unknown.error->reason(), Reason::kSyncFailed);
  const AppendResult later = Append("later");
  EXPECT_EQ(later.outcome, Outcome::kFailed);
  EXPECT_EQ(later.error->reason(), Reason::kSyncFailed);
  EXPECT_EQ(stream_->Persist(Durability::kDevice).error().reason(), Reason::kSyncFailed);
  EXPECT_EQ(stream_->Roll().error().reason(), Reason::kSyncFailed);
  EXPECT_EQ(stream_->Release(1).error().reason(), Reason::kSyncFailed);
  EXPECT_EQ(stream_->Fence(1, {}, 2).error().reason(), Reason::kSyncFailed);
  EXPECT_EQ(Read(), Records{"safe"});
  runtime_.faults().Restart(Survival::kAllLost);
  Reopen();
  EXPECT_EQ(Read(), Records{"safe"});
  EXPECT_EQ(Append("on").outcome, Outcome::kOk);
}

TEST_F(FailingDisk, UnknownFateOfAWipeIsUnknown) {
  runtime_.faults().Inject({.operation = Operation::kWrite,
                            .reason = Reason::kIoError,
                            .from_then_on = true,
                            .path_part = ".segment",
                            .takes_effect = true});
  EXPECT_EQ(Append("x").outcome, Outcome::kUnknown);
  runtime_.faults().ClearFaults();
  EXPECT_EQ(Append("y").outcome, Outcome::kFailed);
}

TEST_F(FailingDisk, FailedRollLeavesTheStreamWhole) {
  for (const Operation operation : {Operation::kCreate, Operation::kRename}) {
    const size_t before = Read().size();
    ASSERT_EQ(Append("x", Durability::kDevice).outcome, Outcome::kOk);
    runtime_.faults().Inject({.operation = operation, .reason = Reason::kIoError});
    EXPECT_FALSE(stream_->Roll().ok());
    Reopen();
    EXPECT_EQ(Read().size(), before + 1);
    ASSERT_TRUE(stream_->Roll().ok());
  }
}

TEST_F(FailingDisk, FailedReleaseLeavesNoGap) {
  for (int i = 0; i < 60; ++i) {
    ASSERT_EQ(Append(std::string(1000, 'x')).outcome, Outcome::kOk);
  }
  for (const Operation operation :
       {Operation::kRename, Operation::kSyncDirectory, Operation::kRemove}) {
    for (int i = 0; i < 30; ++i) {
      ASSERT_EQ(Append(std::string(1000, 'x')).outcome, Outcome::kOk);
    }
    runtime_.faults().Inject({.operation = operation, .reason = Reason::kIoError});
    const Status first = stream_->Release(stream_->state().tail - 20);
    const Status second = stream_->Release(stream_->state().tail);
    EXPECT_NE(first.ok(), second.ok());
    runtime_.faults().ClearFaults();
    ASSERT_TRUE(stream_->Release(stream_->state().tail).ok());
    const Sequence released = stream_->state().released;
    Reopen();
    EXPECT_EQ(stream_->state().released, released);
  }
}

// --- Power cuts ---

// What the workload was promised.
struct Promises {
  Records accepted;       // in order; of what sits at each sequence
  Sequence durable = 0;   // these are on the device for sure
  Sequence released = 0;  // asked to be
  journal::Epoch epoch = 1;
  std::string in_doubt;  // the batch after `accepted` whose outcome is unknown
  uint64_t next = 0;     // number of the next record
};

// Appends, rolls, fences, releases until something fails. Numbers go on over lives.
Status Work(runtime::Runtime& runtime, Promises& promises) {
  promises.in_doubt.clear();
  const auto journal = TRY(journal::OpenLocalJournal(runtime, "/journal"));
  const auto stream = TRY(journal->Open("s", kSmallSegments));
  for (int i = 0; i < 60; ++i) {
    const std::string text = std::to_string(promises.next++) + std::string((i * 379) % 3000, 'x');
    const auto durability = static_cast<Durability>(i % 5 == 0 ? 2 : i % 2);
    const std::string_view records[] = {text};
    const StreamState state = stream->state();
    const AppendResult result = stream->Append(state.epoch, state.tail, records, durability);
    if (result.outcome != Outcome::kOk) {
      if (result.outcome == Outcome::kUnknown) {
        promises.in_doubt = text;
      }
      return *result.error;
    }
    promises.accepted.push_back(text);
    if (durability == Durability::kDevice) {
      promises.durable = result.tail;
    }
    if (i % 12 == 11) {
      promises.released = std::max(promises.released, promises.durable - 3);
      TRY(stream->Release(promises.released));
    }
    if (i == 20) {
      TRY(stream->Fence(state.epoch, state.tail + 1, state.epoch + 1));
      promises.epoch = state.epoch + 1;
    }
    if (i == 27) {
      TRY(stream->Roll());
      promises.durable = stream->state().tail;
    }
  }
  return {};
}

// Opens after a crash and compares; then `promises` is what is there.
void Check(runtime::Runtime& runtime, Promises& promises) {
  const auto journal = journal::OpenLocalJournal(runtime, "/journal").value();
  const auto opened = journal->Open("s", kSmallSegments);
  ASSERT_TRUE(opened.ok()) << opened.error().ToString();
  const auto& stream = *opened;
  const StreamState state = stream->state();
  ASSERT_GE(state.tail, promises.durable);
  ASSERT_LE(state.released, promises.released);
  ASSERT_GE(state.epoch, promises.epoch);
  ASSERT_LE(state.epoch, promises.epoch + 1);
  ASSERT_LE(state.tail, promises.accepted.size() + (promises.in_doubt.empty() ? 0 : 1));
  if (!promises.in_doubt.empty()) {
    promises.accepted.push_back(promises.in_doubt);
  }
  Sequence sequence = state.released;
  const auto reader = stream->Read(state.released).value();
  for (;;) {
    const auto record = reader->Next();
    ASSERT_TRUE(record.ok()) << record.error().ToString();
    if (!record->has_value()) {
      break;
    }
    ASSERT_EQ((*record)->sequence, ++sequence);
    ASSERT_EQ((*record)->payload, promises.accepted[sequence - 1]);
  }
  ASSERT_EQ(sequence, state.tail);
  promises.accepted.resize(state.tail);
  promises.durable = state.tail;  // opening made it so
  promises.released = std::max(promises.released, state.released);
  promises.epoch = state.epoch;
}

TEST(JournalCrash, PowerCutAtEveryPointLosesNothingPromised) {
  uint64_t points = 0;
  {
    SimulatedRuntime runtime(1);
    Promises promises;
    ASSERT_TRUE(Work(runtime, promises).ok());
    points = runtime.faults().points();
  }
  ASSERT_GT(points, 120u);
  for (const Survival survival : {Survival::kAllLost, Survival::kAllKept, Survival::kMixed}) {
    for (const When when : {When::kBefore, When::kAfter}) {
      for (uint64_t point = 1; point <= points; ++point) {
        SCOPED_TRACE("point " + std::to_string(point) + " survival " +
                     std::to_string(static_cast<int>(survival)) + " when " +
                     std::to_string(static_cast<int>(when)));
        SimulatedRuntime runtime(point);
        Promises promises;
        runtime.faults().CutAtPoint(point, when);
        // The last two points are those of the close: its sync and its seal.
        EXPECT_EQ(Work(runtime, promises).ok(), point + 2 > points);
        runtime.faults().Restart(survival, point);
        ASSERT_NO_FATAL_FAILURE(Check(runtime, promises));
      }
    }
  }
}

TEST(JournalCrash, ManyLivesInARow) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SimulatedRuntime runtime(seed);
    Promises promises;
    for (uint64_t life = 0; life < 12; ++life) {
      SCOPED_TRACE("seed " + std::to_string(seed) + " life " + std::to_string(life));
      const uint64_t cut = 1 + runtime.random().Next() % 150;
      runtime.faults().CutAtPoint(runtime.faults().points() + cut,
                                  life % 2 == 0 ? When::kBefore : When::kAfter);
      static_cast<void>(Work(runtime, promises));
      runtime.faults().Restart(Survival::kMixed, seed * 100 + life);
      ASSERT_NO_FATAL_FAILURE(Check(runtime, promises));
    }
  }
}

TEST(JournalCrash, SmallRecordsInSharedSectors) {
  // Many frames in one sector and unsynced ones beyond: every subset of sectors may survive.
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SimulatedRuntime runtime(seed);
    Promises promises;
    for (int life = 0; life < 4; ++life) {
      {
        const auto journal = journal::OpenLocalJournal(runtime, "/journal").value();
        const auto stream = journal->Open("s", kSmallSegments).value();
        const uint64_t count = 1 + runtime.random().Next() % 40;
        for (uint64_t i = 0; i < count; ++i) {
          // The same short text in each life: identical frames would be confused if they could.
          const std::string text(runtime.random().Next() % 2 * 90 + 10, 'a');
          const std::string_view records[] = {text};
          const bool device = runtime.random().Next() % 8 == 0;
          const AppendResult result =
              stream->Append(1, stream->state().tail, records,
                             device ? Durability::kDevice : Durability::kProcess);
          ASSERT_EQ(result.outcome, Outcome::kOk);
          promises.accepted.push_back(text);
          promises.durable = device ? result.tail : promises.durable;
        }
        runtime.faults().CutPower();
      }
      runtime.faults().Restart(Survival::kMixed, seed * 10 + life);
      ASSERT_NO_FATAL_FAILURE(Check(runtime, promises));
    }
  }
}

}  // namespace
}  // namespace luna::conformance
