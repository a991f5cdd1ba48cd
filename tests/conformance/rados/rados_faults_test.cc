// What RADOS adds to the contract: several processes on one stream, clients that the cluster
// evicts, OSDs that go and come back. A client of its own stands for a process.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "conformance/kernel_conformance.h"
#include "conformance/rados/rados_ground.h"
#include "kernel/rados/ownership.h"
#include "kernel/rados/rados_journal.h"
#include "kernel/rados/rados_storage.h"

namespace luna::conformance {

namespace {

using journal::AppendResult;
using journal::Epoch;
using journal::Sequence;
using journal::Stream;
using journal::StreamState;
using Outcome = AppendResult::Outcome;
using Records = std::vector<std::string>;

constexpr journal::StreamOptions kSmall{.segment_bytes = 16 << 10};
constexpr uint64_t kSecond = 1'000'000'000;

// What the writers of one stream were told. Safe.
class Ledger {
 public:
  void Accepted(Sequence sequence, const std::string& record) {
    base::MutexLock lock(mutex_);
    EXPECT_TRUE(accepted_.emplace(sequence, record).second) << "two at " << sequence;
  }
  // Every accepted record is at its place, and nothing is there twice.
  void Check(Stream& stream) {
    const Records found = ReadAll(stream, 0);
    EXPECT_EQ(std::set<std::string>(found.begin(), found.end()).size(), found.size());
    base::MutexLock lock(mutex_);
    for (const auto& [sequence, record] : accepted_) {
      ASSERT_LE(sequence, found.size());
      ASSERT_EQ(found[sequence - 1], record) << sequence;
    }
  }
  size_t size() const {
    base::MutexLock lock(mutex_);
    return accepted_.size();
  }

 private:
  mutable base::Mutex mutex_;
  std::map<Sequence, std::string> accepted_ GUARDED_BY(mutex_);
};

// One process of those that want to lead: takes the stream over, appends until it is deposed, and
// goes on as a zombie for a while.
class Rival {
 public:
  Rival(RadosGround& ground, int number, Ledger& ledger)
      : name_(std::to_string(number)),
        ledger_(ledger),
        journal_(rados::NewRadosJournal(ground.OpenSpace())) {
    Reopen();
  }

  void Lead(int appends) {
    const StreamState seen = stream_->state();
    const Epoch epoch = seen.epoch + 1;
    const Result<Sequence> fenced = stream_->Fence(seen.epoch, {}, epoch);
    if (!fenced.ok()) {
      EXPECT_EQ(fenced.error().reason(), Reason::kFenced) << fenced.error().ToString();
      return;
    }
    Sequence tail = *fenced;
    for (int i = 0; i < appends; ++i) {
      const std::string record =
          name_ + "." + std::to_string(count_++) + std::string(static_cast<size_t>(i) * 97, 'x');
      const std::string_view view = record;
      const AppendResult result = stream_->Append(epoch, tail, std::span(&view, 1), {});
      if (result.outcome == Outcome::kOk) {
        EXPECT_FALSE(deposed_ == epoch) << "a deposed leader appended";
        EXPECT_EQ(result.tail, ++tail);
        ledger_.Accepted(tail, record);
      } else if (result.outcome == Outcome::kFenced) {
        EXPECT_GT(result.epoch, epoch);
        deposed_ = epoch;
      } else {
        ASSERT_EQ(result.outcome, Outcome::kUnknown);
        Reopen();
        return;
      }
    }
  }

 private:
  void Reopen() {
    stream_.reset();
    stream_ = journal_->Open("s", kSmall).value();
  }

  const std::string name_;
  Ledger& ledger_;
  const std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<Stream> stream_;
  uint64_t count_ = 0;
  Epoch deposed_ = 0;
};

// Lets them lead in turns for as long as `beside` runs.
void LetRivalsFight(RadosGround& ground, int rivals, const std::function<void()>& beside) {
  Ledger ledger;
  std::atomic<bool> stop = false;
  std::vector<std::unique_ptr<runtime::Thread>> threads;
  for (int number = 0; number < rivals; ++number) {
    threads.push_back(
        ground.runtime().Spawn("rival", runtime::ThreadClass::kForeground, [&, number] {
          Rival rival(ground, number, ledger);
          for (int term = 0; !stop.load(); ++term) {
            rival.Lead(5 + (term * 7 + number * 3) % 20);
          }
        }));
  }
  beside();
  stop.store(true);
  for (const auto& thread : threads) {
    thread->Join();
  }
  EXPECT_GT(ledger.size(), 20u);
  const auto journal = rados::NewRadosJournal(ground.OpenSpace());
  ledger.Check(*journal->Open("s", kSmall).value());
}

// The script of the cluster: kill-osd and revive-osd.
void Cluster(const std::string& command, int osd) {
  const char* const script = std::getenv("LUNA_CEPH_SCRIPT");
  ASSERT_NE(script, nullptr);
  const std::string conf = RadosGround::Conf();
  const std::string line = std::string(script) + " " + command + " " +
                           conf.substr(0, conf.rfind('/')) + " " + std::to_string(osd);
  EXPECT_EQ(std::system(line.c_str()), 0) << line;
}

TEST(RadosRivals, DeposeEachOtherAndNothingAcceptedIsLost) {
  RadosGround ground;
  LetRivalsFight(ground, 4, [&] { ground.runtime().Sleep(5 * kSecond); });
}

TEST(RadosRivals, AZombieIsFencedForGood) {
  RadosGround ground;
  const auto first = rados::NewRadosJournal(ground.OpenSpace());
  const auto second = rados::NewRadosJournal(ground.OpenSpace());
  const auto zombie = first->Open("s", kSmall).value();
  EXPECT_EQ(AppendOne(*zombie, "one").tail, 1u);
  const auto leader = second->Open("s", kSmall).value();
  EXPECT_EQ(leader->Fence(1, 0, 2).error().reason(), Reason::kFenced);  // it has moved on
  EXPECT_EQ(leader->Fence(1, 1, 2).value(), 1u);
  const std::string_view late = "late";
  EXPECT_EQ(zombie->Append(1, 1, std::span(&late, 1), {}).outcome, Outcome::kFenced);
  EXPECT_EQ(zombie->Fence(1, {}, 3).error().reason(), Reason::kFenced);
  // Also over segments that are rolled, released and gone.
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(AppendOne(*leader, std::to_string(i)).outcome, Outcome::kOk);
    ASSERT_TRUE(leader->Roll().ok());
    ASSERT_TRUE(leader->Release(leader->state().tail).ok());
    EXPECT_EQ(zombie->Append(1, 1, std::span(&late, 1), {}).outcome, Outcome::kFenced);
  }
  EXPECT_TRUE(ReadAll(*leader, leader->state().released).empty());
}

TEST(RadosRivals, TwoWritersOfOneEpochTakeTurns) {
  RadosGround ground;
  const auto first = rados::NewRadosJournal(ground.OpenSpace());
  const auto second = rados::NewRadosJournal(ground.OpenSpace());
  const auto a = first->Open("s", kSmall).value();
  const auto b = second->Open("s", kSmall).value();  // voids what a knows, silently
  const std::string_view record = "record";
  EXPECT_EQ(a->Append(1, 0, std::span(&record, 1), {}).outcome, Outcome::kOk);
  const AppendResult moved = b->Append(1, 0, std::span(&record, 1), {});
  EXPECT_EQ(moved.outcome, Outcome::kMoved);
  EXPECT_EQ(moved.tail, 1u);
  EXPECT_EQ(b->Append(1, 1, std::span(&record, 1), {}).outcome, Outcome::kOk);
  ASSERT_TRUE(b->Roll().ok());
  EXPECT_EQ(a->Append(1, 1, std::span(&record, 1), {}).outcome, Outcome::kMoved);
  EXPECT_EQ(a->Append(1, 2, std::span(&record, 1), {}).outcome, Outcome::kOk);
  EXPECT_EQ(ReadAll(*b, 0).size(), 3u);
}

TEST(RadosOwner, AUniverseIsOpenOnceAndAnywhereAfterItsClose) {
  RadosGround ground;
  auto kernel = OpenAt(ground.url(), ground.runtime()).value();
  const base::Id128 id = kernel->universe_id();
  const auto second = OpenAt(ground.url(), ground.runtime());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().reason(), Reason::kUniverseLocked);
  ASSERT_TRUE(PutIn(kernel->storage(), "one", "bytes").ok());
  kernel.reset();
  kernel = OpenAt(ground.url(), ground.runtime(), false).value();
  EXPECT_EQ(kernel->universe_id(), id);
  EXPECT_EQ(kernel->storage().List("b").value(), Records{"one"});
}

TEST(RadosOwner, ASilentOwnerIsEvicted) {
  RadosGround ground;
  OpenAt(ground.url(), ground.runtime()).value().reset();
  // A client that owns the universe and does not beat, as one that is paused.
  const std::shared_ptr<rados::Space> paused = ground.OpenSpace();
  const std::string addresses = paused->client().Addresses().value();
  ASSERT_GE(paused->Write(std::string(rados::kUniverseObject),
                          [&](rados::WriteOperation& operation) {
                            operation.Set("owner", "paused").Set("addresses", addresses);
                          }),
            0);
  const auto journal = rados::NewRadosJournal(paused);
  const auto stream = journal->Open("s", kSmall).value();
  ASSERT_EQ(AppendOne(*stream, "one").outcome, Outcome::kOk);

  const auto kernel = OpenAt(ground.url(), ground.runtime()).value();
  const auto taken = kernel->journal().Open("s", kSmall).value();
  const AppendResult late = AppendOne(*stream, "late");
  EXPECT_EQ(late.outcome, Outcome::kFailed);
  ASSERT_TRUE(late.error.has_value());
  EXPECT_EQ(late.error->reason(), Reason::kFenced);
  EXPECT_EQ(PutIn(*rados::NewRadosStorage(paused), "late", "x").error().reason(), Reason::kFenced);
  EXPECT_EQ(ReadAll(*taken, 0), Records{"one"});
}

TEST(RadosOwner, ANamespaceOfOthersIsLeftAlone) {
  RadosGround ground;
  EXPECT_EQ(OpenAt(ground.url(), ground.runtime(), false).error().reason(),
            Reason::kUniverseMissing);
  ASSERT_GE(ground.OpenSpace()->Write(
                "foreign", [](rados::WriteOperation& operation) { operation.WriteAll("x"); }),
            0);
  EXPECT_EQ(OpenAt(ground.url(), ground.runtime()).error().reason(), Reason::kForeignDirectory);
}

// On OSDs that are killed: the cluster must keep what it wrote on a disk.

TEST(RadosFaults, RivalsWhileOsdsAreKilledAndRevived) {
  RadosGround ground;
  LetRivalsFight(ground, 3, [&] {
    for (int round = 0; round < 6; ++round) {
      Cluster("kill-osd", round % 3);
      ground.runtime().Sleep(2 * kSecond);
      Cluster("revive-osd", round % 3);
      ground.runtime().Sleep(2 * kSecond);
    }
  });
}

// For longer than an operation is waited for: those without an answer are repeated, and some of
// them had been stored.
TEST(RadosFaults, RivalsWhileTooFewOsdsAreLeft) {
  RadosGround ground;
  LetRivalsFight(ground, 3, [&] {
    for (int round = 0; round < 2; ++round) {
      Cluster("kill-osd", round);
      Cluster("kill-osd", round + 1);
      ground.runtime().Sleep(7 * kSecond);
      Cluster("revive-osd", round);
      Cluster("revive-osd", round + 1);
      ground.runtime().Sleep(3 * kSecond);
    }
  });
}

// Ratios of the space in use from which on the cluster calls itself full.
void CallFullFrom(const char* near, const char* backfill, const char* full) {
  const std::string ceph = "ceph -c " + RadosGround::Conf() + " osd set-";
  for (const std::string& line :
       {ceph + "nearfull-ratio " + near, ceph + "backfillfull-ratio " + backfill,
        ceph + "full-ratio " + full}) {
    EXPECT_EQ(std::system((line + " >/dev/null 2>&1").c_str()), 0) << line;
  }
}

TEST(RadosFaults, AFullClusterRefusesAndStillReadsAndRemoves) {
  RadosGround ground;
  const auto space = ground.OpenSpace();
  const auto journal = rados::NewRadosJournal(space);
  const auto storage = rados::NewRadosStorage(space);
  const auto stream = journal->Open("s", kSmall).value();
  ASSERT_TRUE(PutIn(*storage, "one", "bytes").ok());
  CallFullFrom("0.00001", "0.00002", "0.00003");
  Records expected;
  AppendResult result;
  for (int i = 0; i < 300; ++i) {
    result = AppendOne(*stream, std::to_string(i));
    if (result.outcome != Outcome::kOk) {
      break;
    }
    expected.push_back(std::to_string(i));
    ground.runtime().Sleep(kSecond / 10);
  }
  EXPECT_EQ(result.outcome, Outcome::kFailed);
  ASSERT_TRUE(result.error.has_value());
  EXPECT_EQ(result.error->reason(), Reason::kDiskFull);
  EXPECT_EQ(PutIn(*storage, "two", "bytes").error().reason(), Reason::kDiskFull);
  EXPECT_EQ(ReadAll(*stream, 0), expected);
  EXPECT_TRUE(storage->Remove("b", "one").ok());
  CallFullFrom("0.85", "0.9", "0.95");
  for (int i = 0; i < 300 && result.outcome != Outcome::kOk; ++i) {
    ground.runtime().Sleep(kSecond / 10);
    result = AppendOne(*stream, "room again");
  }
  expected.push_back("room again");
  EXPECT_EQ(ReadAll(*stream, 0), expected);
}

TEST(RadosFaults, WithoutEnoughOsdsAnAppendIsUnknownAndStaysWhatItTurnsOutToBe) {
  RadosGround ground;
  const auto space = ground.OpenSpace("", "&timeout=4");
  const auto journal = rados::NewRadosJournal(space);
  auto stream = journal->Open("s", kSmall).value();
  ASSERT_EQ(AppendOne(*stream, "one").outcome, Outcome::kOk);
  Cluster("kill-osd", 0);
  Cluster("kill-osd", 1);
  const AppendResult unknown = AppendOne(*stream, "two");
  EXPECT_EQ(unknown.outcome, Outcome::kUnknown);
  EXPECT_EQ(AppendOne(*stream, "three").error->reason(), Reason::kSyncFailed);
  EXPECT_EQ(stream->Roll().error().reason(), Reason::kSyncFailed);
  EXPECT_EQ(journal->Exists("s").error().reason(), Reason::kUnreachable);
  Cluster("revive-osd", 0);
  Cluster("revive-osd", 1);

  stream.reset();
  const auto patient = rados::NewRadosJournal(ground.OpenSpace());
  const auto opened = patient->Open("s", kSmall).value();
  const Records found = ReadAll(*opened, 0);
  EXPECT_TRUE(found == Records{"one"} || found == (Records{"one", "two"}));
  EXPECT_EQ(opened->state().tail, found.size());
  ground.runtime().Sleep(2 * kSecond);  // time for what may still be under way
  Records expected = found;
  expected.push_back("four");
  EXPECT_EQ(AppendOne(*opened, "four").outcome, Outcome::kOk);
  EXPECT_EQ(ReadAll(*opened, 0), expected);
}

}  // namespace

}  // namespace luna::conformance
