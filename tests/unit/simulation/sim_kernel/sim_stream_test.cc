#include "simulation/sim_kernel/sim_stream.h"

#include <set>

#include "simulation/sim_kernel/sim_journal.h"
#include "unit/simulation/sim_kernel/sim_world.h"

namespace luna::sim_kernel {
namespace {

using journal::AppendResult;
using Outcome = AppendResult::Outcome;
using Words = std::vector<std::string>;

constexpr journal::StreamOptions kOptions{.segment_bytes = 64 << 10};

class SimStreamTest : public SimWorld {
 protected:
  // A server with a stream open.
  struct Opened {
    std::shared_ptr<Endpoint> endpoint;
    std::unique_ptr<journal::Journal> journal;
    std::unique_ptr<journal::Stream> stream;

    void Reopen() {
      stream.reset();
      stream = journal->Open("s", kOptions).value();
    }
    AppendResult Append(Epoch epoch, Sequence tail, std::string_view record) {
      return stream->Append(epoch, tail, std::span(&record, 1), Durability::kDevice);
    }
  };
  Opened Open(const SimFaults& faults = {}) {
    Opened opened{.endpoint = Server(), .journal = {}, .stream = {}};
    opened.journal = NewSimJournal(opened.endpoint);
    opened.Reopen();
    Set(opened, faults);
    return opened;
  }
  void Set(const Opened& opened, const SimFaults& faults) {
    wire().SetFaults(opened.endpoint->server(), faults);
  }
  static SimFaults Late(uint32_t millis) {
    return {.late_per_mille = kAlways,
            .late = {.least = millis, .most = millis},
            .timeout_millis = 100};
  }
};

// --- Unknown outcomes ---

TEST_F(SimStreamTest, AnUnknownAppendWasApplied) {
  Opened a = Open({.lost_reply_per_mille = kAlways, .timeout_millis = 100});
  const AppendResult result = a.Append(1, 0, "one");
  EXPECT_EQ(result.outcome, Outcome::kUnknown);
  EXPECT_EQ(result.error->reason(), Reason::kSyncFailed);
  EXPECT_EQ(Records("s"), Words{"one"});
}

TEST_F(SimStreamTest, AnUnknownAppendWasNotApplied) {
  Opened a = Open({.lost_request_per_mille = kAlways, .timeout_millis = 100});
  EXPECT_EQ(a.Append(1, 0, "one").outcome, Outcome::kUnknown);
  SleepMillis(1'000'000);
  EXPECT_TRUE(Records("s").empty());
}

TEST_F(SimStreamTest, AnUnknownAppendIsAppliedLate) {
  Opened a = Open(Late(500));
  EXPECT_EQ(a.Append(1, 0, "one").outcome, Outcome::kUnknown);
  EXPECT_TRUE(Records("s").empty());
  SleepMillis(501);
  EXPECT_EQ(Records("s"), Words{"one"});
}

TEST_F(SimStreamTest, AnUnknownAppendIsRefusedLateAfterAFence) {
  Opened b = Open();
  Opened a = Open(Late(500));
  EXPECT_EQ(a.Append(1, 0, "one").outcome, Outcome::kUnknown);
  EXPECT_EQ(b.stream->Fence(1, {}, 2).value(), 0u);
  SleepMillis(501);
  EXPECT_EQ(Records("s"), Words{});
  EXPECT_EQ(b.Append(2, 0, "two").outcome, Outcome::kOk);
}

TEST_F(SimStreamTest, AnUnknownAppendIsVoidOnceTheStreamWasOpenedAnew) {
  Opened a = Open(Late(500));
  EXPECT_EQ(a.Append(1, 0, "one").outcome, Outcome::kUnknown);
  Set(a, {});
  a.Reopen();
  EXPECT_EQ(a.stream->state().tail, 0u);
  SleepMillis(501);
  EXPECT_TRUE(Records("s").empty());
  EXPECT_EQ(a.Append(1, 0, "again").outcome, Outcome::kOk);
}

// Taking the turn is tried twice, and the first try arrives when the stream was opened anew.
TEST_F(SimStreamTest, ALateOpeningDoesNotTakeTheTurnBack) {
  Opened a = Open();
  a.stream.reset();
  Set(a, {.request_delay = {.least = 5, .most = 5}});
  const auto changes = Spawn([&] {
    SleepMillis(2);
    Set(a, Late(700));
    SleepMillis(50);
    Set(a, {});
  });
  a.Reopen();
  changes->Join();
  EXPECT_EQ(wire().travelling(), 1u);
  Set(a, Late(900));
  EXPECT_EQ(a.Append(1, 0, "given up").outcome, Outcome::kUnknown);
  Set(a, {});
  a.Reopen();
  EXPECT_EQ(wire().travelling(), 2u);
  SleepMillis(2'000);
  EXPECT_TRUE(Records("s").empty());
  EXPECT_EQ(wire().travelling(), 0u);
  EXPECT_EQ(a.Append(1, 0, "one").outcome, Outcome::kOk);
}

TEST_F(SimStreamTest, AfterAnUnknownOutcomeOnlyReadingWorks) {
  Opened a = Open({.lost_reply_per_mille = kAlways, .timeout_millis = 100});
  EXPECT_EQ(a.Append(1, 0, "one").outcome, Outcome::kUnknown);
  Set(a, {});
  const AppendResult later = a.Append(1, 1, "two");
  EXPECT_EQ(later.outcome, Outcome::kFailed);
  EXPECT_EQ(later.error->reason(), Reason::kSyncFailed);
  EXPECT_EQ(a.stream->Persist(Durability::kDevice).error().reason(), Reason::kSyncFailed);
  EXPECT_EQ(a.stream->Fence(1, {}, 2).error().reason(), Reason::kSyncFailed);
  EXPECT_EQ(a.stream->Release(1).error().reason(), Reason::kSyncFailed);
  EXPECT_EQ(a.stream->Roll().error().reason(), Reason::kSyncFailed);
  EXPECT_EQ(a.stream->Read(0).value()->Next().value()->payload, "one");
  a.Reopen();
  EXPECT_EQ(a.stream->state().tail, 1u);
  EXPECT_EQ(a.Append(1, 1, "two").outcome, Outcome::kOk);
}

// --- Several servers ---

TEST_F(SimStreamTest, ServersShareAStreamAndEpochsSayWhoAppends) {
  Opened a = Open();
  Opened b = Open();
  EXPECT_EQ(a.Append(1, 0, "one").outcome, Outcome::kOk);  // although b has taken the turn
  const AppendResult behind = b.Append(1, 0, "refused");
  EXPECT_EQ(behind.outcome, Outcome::kMoved);
  EXPECT_EQ(behind.tail, 1u);
  EXPECT_EQ(b.stream->Fence(1, 1, 5).value(), 1u);
  const AppendResult fenced = a.Append(1, 1, "refused");
  EXPECT_EQ(fenced.outcome, Outcome::kFenced);
  EXPECT_EQ(fenced.epoch, 5u);
  EXPECT_EQ(a.stream->state().epoch, 5u);
  EXPECT_EQ(b.Append(5, 1, "two").outcome, Outcome::kOk);
  EXPECT_EQ(Records("s"), (Words{"one", "two"}));
}

TEST_F(SimStreamTest, OfTwoFencesAtOnceOneWins) {
  const SimFaults delays{.request_delay = {.least = 1, .most = 20}};
  std::set<int> winners;
  for (Epoch epoch = 1; epoch <= 20; ++epoch) {
    Opened a = Open(delays);
    Opened b = Open(delays);
    bool a_won = false;
    const auto rival = Spawn([&] { a_won = a.stream->Fence(epoch, {}, epoch + 1).ok(); });
    const bool b_won = b.stream->Fence(epoch, {}, epoch + 1).ok();
    rival->Join();
    EXPECT_NE(a_won, b_won);
    winners.insert(a_won ? 1 : 2);
  }
  EXPECT_EQ(winners.size(), 2u);
}

TEST_F(SimStreamTest, AFenceWithoutAnAnswerIsRepeatedAndToldOnce) {
  Opened a = Open({.lost_reply_per_mille = kAlways, .timeout_millis = 100});
  Opened b = Open();
  const auto healer = Spawn([&] {
    SleepMillis(150);
    EXPECT_EQ(b.Append(2, 0, "by the new epoch").outcome, Outcome::kOk);
    Set(a, {});
  });
  EXPECT_EQ(a.stream->Fence(1, {}, 2).value(), 0u);
  healer->Join();
}

TEST_F(SimStreamTest, AFenceThatAppendsIsRepeatedAndDoneOnce) {
  Opened a = Open({.lost_reply_per_mille = kAlways, .timeout_millis = 100});
  const auto healer = Spawn([&] {
    SleepMillis(150);
    Set(a, {});
  });
  const std::string_view record = "first";
  EXPECT_EQ(a.stream->FenceAndAppend(1, 0, 2, std::span(&record, 1)).value(), 1u);
  healer->Join();
  EXPECT_EQ(Records("s"), Words{"first"});
  EXPECT_EQ(a.Append(2, 1, "second").outcome, Outcome::kOk);
}

TEST_F(SimStreamTest, AFullStoreTakesNeitherTheFenceNorTheRecord) {
  Opened a = Open();
  store_.SetFull(true);
  const std::string_view record = "first";
  EXPECT_EQ(a.stream->FenceAndAppend(1, 0, 2, std::span(&record, 1)).error().reason(),
            Reason::kDiskFull);
  EXPECT_EQ(a.stream->state().epoch, 1u);
  EXPECT_TRUE(Records("s").empty());
}

TEST_F(SimStreamTest, AFenceThatExpectsATailComparesItWhenItArrives) {
  Opened a = Open();
  Opened b = Open({.request_delay = {.least = 50, .most = 50}});
  const auto candidate =
      Spawn([&] { EXPECT_EQ(b.stream->Fence(1, 0, 2).error().reason(), Reason::kFenced); });
  SleepMillis(10);
  EXPECT_EQ(a.Append(1, 0, "renewal").outcome, Outcome::kOk);
  candidate->Join();
  EXPECT_EQ(a.Append(1, 1, "still there").outcome, Outcome::kOk);
}

TEST_F(SimStreamTest, ACutServersAppendEndsUnknownAndItIsAppliedWhenTheCutEnds) {
  Opened a = Open({.timeout_millis = 100});
  wire().SetCut(a.endpoint->server(), Cut::kHold);
  EXPECT_EQ(a.Append(1, 0, "one").outcome, Outcome::kUnknown);
  EXPECT_TRUE(Records("s").empty());
  wire().SetCut(a.endpoint->server(), Cut::kNone);
  EXPECT_EQ(Records("s"), Words{"one"});
}

TEST_F(SimStreamTest, AKilledServersAppendIsAppliedLaterUnlessFenced) {
  for (const bool fenced : {false, true}) {
    Opened next = Open();
    Opened dying = Open({.request_delay = {.least = 100, .most = 100}});
    const journal::StreamState state = next.stream->state();
    const auto killer = Spawn([&] {
      SleepMillis(10);
      wire().Kill(dying.endpoint->server());
      if (fenced) {
        EXPECT_TRUE(next.stream->Fence(state.epoch, {}, state.epoch + 1).ok());
      }
    });
    EXPECT_EQ(dying.Append(state.epoch, state.tail, "last words").outcome, Outcome::kUnknown);
    const uint64_t before = Records("s").size();
    killer->Join();
    SleepMillis(200);
    EXPECT_EQ(Records("s").size(), before + (fenced ? 0 : 1));
  }
}

TEST_F(SimStreamTest, WhatADeadServerDoesFailsAtOnce) {
  Opened a = Open();
  wire().Kill(a.endpoint->server());
  const AppendResult result = a.Append(1, 0, "one");
  EXPECT_EQ(result.outcome, Outcome::kFailed);
  EXPECT_EQ(result.error->reason(), Reason::kShutDown);
  EXPECT_EQ(a.stream->Fence(1, {}, 2).error().reason(), Reason::kShutDown);
  EXPECT_EQ(a.stream->Release(1).error().reason(), Reason::kShutDown);
}

// --- Refusals ---

TEST_F(SimStreamTest, AFullStoreRefusesAndGoesOn) {
  Opened a = Open();
  store_.SetFull(true);
  const AppendResult result = a.Append(1, 0, "one");
  EXPECT_EQ(result.outcome, Outcome::kFailed);
  EXPECT_EQ(result.error->reason(), Reason::kDiskFull);
  EXPECT_EQ(a.journal->Open("new", kOptions).error().reason(), Reason::kDiskFull);
  store_.SetFull(false);
  EXPECT_EQ(a.Append(1, 0, "one").outcome, Outcome::kOk);
}

TEST_F(SimStreamTest, ARemovedStreamIsGoneForThoseWhoHaveItOpen) {
  Opened a = Open();
  Opened b = Open();
  b.stream.reset();
  ASSERT_TRUE(b.journal->Remove("s").ok());
  b.Reopen();  // another one of that name
  const AppendResult result = a.Append(1, 0, "one");
  EXPECT_EQ(result.outcome, Outcome::kFailed);
  EXPECT_EQ(result.error->reason(), Reason::kStreamMissing);
  EXPECT_EQ(a.stream->Fence(1, {}, 2).error().reason(), Reason::kStreamMissing);
  EXPECT_EQ(a.stream->Roll().error().reason(), Reason::kStreamMissing);
  EXPECT_TRUE(Records("s").empty());
}

TEST_F(SimStreamTest, BadOptionsAreRefused) {
  Opened a = Open();
  for (const uint64_t bytes : {uint64_t{0}, uint64_t{8191}, (uint64_t{1} << 30) + 1}) {
    EXPECT_EQ(a.journal->Open("t", {.segment_bytes = bytes}).error().reason(), Reason::kBadOption);
  }
  EXPECT_EQ(a.stream->Fence(1, {}, 1).error().reason(), Reason::kBadOption);
  const std::string large(journal::kMaxRecordBytes + 1, 'x');
  EXPECT_EQ(a.Append(1, 0, large).error->reason(), Reason::kTransactionTooLarge);
}

}  // namespace
}  // namespace luna::sim_kernel
