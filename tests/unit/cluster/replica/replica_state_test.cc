#include "cluster/replica/replica_state.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace luna::replica {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

Settings NoJitter() {
  return {.lease_nanos = kSecond, .drift_per_million = 10'000, .jitter_nanos = 0};
}

template <class Wanted>
const Wanted* Only(const Actions& actions) {
  return actions.size() == 1 ? std::get_if<Wanted>(&actions.front()) : nullptr;
}

template <class Wanted>
const Wanted* Find(const Actions& actions) {
  for (const Action& action : actions) {
    if (const auto* wanted = std::get_if<Wanted>(&action)) {
      return wanted;
    }
  }
  return nullptr;
}

// A replica that saw record 7 of epoch 3 at one second.
class ReplicaStateTest : public testing::Test {
 protected:
  explicit ReplicaStateTest(const Settings& settings = NoJitter()) : state_(settings, 1) {}

  Actions At(uint64_t now, const Event& event) { return state_.Handle(now, event); }
  void See(Lease lease = Lease::kRunning) {
    At(kSecond, SawTail{.epoch = 3, .tail = 7, .lease = lease, .leader = "a"});
  }
  // Leads under epoch 4 from `now` on; LeaderStart was sent then.
  void Lead(uint64_t now) {
    See();
    ASSERT_NE(Find<FenceStream>(At(now, Tick{})), nullptr);
    ASSERT_NE(Only<CatchUp>(At(now, FenceOk{7})), nullptr);
    ASSERT_NE(Only<AppendLeaderStart>(At(now, CaughtUp{})), nullptr);
    EXPECT_TRUE(At(now, AppendSent{AppendKind::kLeaderStart}).empty());
    ASSERT_NE(Only<Serve>(At(now, AppendAcked{})), nullptr);
    ASSERT_EQ(state_.role(), Role::kLeading);
  }
  void Append(uint64_t sent, uint64_t ended, AppendKind kind = AppendKind::kCommit) {
    EXPECT_TRUE(At(sent, AppendSent{kind}).empty());
    EXPECT_TRUE(At(ended, AppendAcked{}).empty());
  }
  Verdict Begin(uint64_t now) {
    asked_.clear();
    return state_.BeginRead(now, ticket_, asked_);
  }

  ReplicaState state_;
  ReadTicket ticket_;
  Actions asked_;
};

// --- Settings ---

TEST(ReplicaSettings, NameWhatIsOutOfRange) {
  EXPECT_TRUE(Settings{}.Validate().ok());
  const std::pair<Settings, std::string> bad[] = {
      {{.lease_nanos = 1}, "lease_nanos"},
      {{.lease_nanos = 100 * kSecond}, "lease_nanos"},
      {{.drift_per_million = 300'000}, "drift_per_million"},
      {{.lease_nanos = kSecond, .jitter_nanos = 2 * kSecond}, "jitter_nanos"},
      {{.idle_nanos = kSecond}, "idle_nanos"}};
  for (const auto& [settings, name] : bad) {
    const Status status = settings.Validate();
    ASSERT_FALSE(status.ok()) << name;
    EXPECT_EQ(status.error().reason(), Reason::kBadOption);
    EXPECT_NE(status.error().message().find(name), std::string::npos);
  }
}

TEST(ReplicaSettings, RoundTheLeaseDownAndTheWaitUp) {
  const Settings settings{.lease_nanos = 100'000'001, .drift_per_million = 10'000};
  EXPECT_EQ(settings.LeaseNanos(), 99'000'000u);
  EXPECT_EQ(settings.WaitNanos(), 101'000'002u);
}

// --- Following and election ---

TEST_F(ReplicaStateTest, LooksAtTheStreamOneLookAtATime) {
  EXPECT_NE(Only<Look>(At(0, Tick{})), nullptr);
  EXPECT_TRUE(At(kSecond, Tick{}).empty());
  At(kSecond, LookFailed{});
  EXPECT_NE(Only<Look>(At(kSecond, Tick{})), nullptr);
  See();
  EXPECT_TRUE(At(kSecond + 1, Tick{}).empty());
  EXPECT_NE(Only<Look>(At(kSecond + NoJitter().LookNanos(), Tick{})), nullptr);
  EXPECT_EQ(state_.leader(), "a");
}

TEST_F(ReplicaStateTest, AHintIsFollowedByALookThatBeganAfterIt) {
  See();
  EXPECT_NE(Only<Look>(At(kSecond + 1, Hinted{})), nullptr);
  EXPECT_EQ(state_.leader(), "a");
  EXPECT_TRUE(At(kSecond + 2, Hinted{}).empty());  // while it looks
  EXPECT_NE(Only<Look>(At(kSecond + 3, SawTail{.epoch = 3, .tail = 7})), nullptr);
  EXPECT_TRUE(At(kSecond + 4, SawTail{.epoch = 3, .tail = 7}).empty());
  EXPECT_TRUE(At(kSecond + 5, Tick{}).empty());
}

TEST_F(ReplicaStateTest, AHintThatNamesAnotherOneSaysWhoLeads) {
  See();
  EXPECT_TRUE(At(kSecond + 1, Hinted{.epoch = 3, .tail = 9, .leader = "b"}).empty());
  EXPECT_EQ(state_.leader(), "b");
  // A look that began before does not know that record.
  At(kSecond + 2, SawTail{.epoch = 3, .tail = 8, .leader = "a"});
  EXPECT_EQ(state_.leader(), "b");
  // One that does need not say it: the lead may have been given by word.
  At(kSecond + 2, SawTail{.epoch = 3, .tail = 9, .leader = "a"});
  EXPECT_EQ(state_.leader(), "b");
  EXPECT_TRUE(At(kSecond + 3, Hinted{.epoch = 3, .tail = 7, .leader = "c"}).empty());  // late
  EXPECT_EQ(state_.leader(), "b");
  At(kSecond + 4, SawTail{.epoch = 4, .tail = 9, .leader = "d"});  // that one was faster
  EXPECT_EQ(state_.leader(), "d");
}

TEST_F(ReplicaStateTest, LeadersTakeNoHints) {
  Lead(3 * kSecond);
  EXPECT_TRUE(At(3 * kSecond, Hinted{}).empty());
  EXPECT_TRUE(At(3 * kSecond, Hinted{.epoch = 4, .tail = 9, .mine = true}).empty());
}

TEST_F(ReplicaStateTest, WhoIsSaidToBeGivenTheLeadFencesThatRecord) {
  See();
  const Actions actions = At(kSecond + 1, Hinted{.epoch = 3, .tail = 9, .mine = true});
  const auto* fence = Only<FenceStream>(actions);
  ASSERT_NE(fence, nullptr);
  EXPECT_EQ(fence->expected_epoch, 3u);
  EXPECT_EQ(fence->expected_tail, 9u);
  EXPECT_EQ(fence->new_epoch, 4u);
  EXPECT_TRUE(fence->start);
  At(kSecond + 2, FenceRefused{});  // something came after it
  EXPECT_EQ(Find<FenceStream>(At(kSecond + 3, Tick{})), nullptr);
}

TEST_F(ReplicaStateTest, AHintThatComesLateFencesNothing) {
  See();
  EXPECT_EQ(Find<FenceStream>(At(kSecond + 1, Hinted{.epoch = 3, .tail = 6, .mine = true})),
            nullptr);
  EXPECT_EQ(Find<FenceStream>(At(kSecond + 2, Hinted{.epoch = 2, .tail = 9, .mine = true})),
            nullptr);
}

TEST_F(ReplicaStateTest, WhoWasRemovedTakesNoLeadThatItIsGiven) {
  At(kSecond, SawTail{.epoch = 3, .tail = 7, .leader = "a", .removed = true});
  EXPECT_EQ(Find<FenceStream>(At(kSecond + 1, Hinted{.epoch = 3, .tail = 9, .mine = true})),
            nullptr);
}

TEST_F(ReplicaStateTest, FencesAfterSilenceWithTheTailItSaw) {
  See();
  EXPECT_EQ(Find<FenceStream>(At(kSecond + NoJitter().WaitNanos() - 1, Tick{})), nullptr);
  const Actions actions = At(kSecond + NoJitter().WaitNanos(), Tick{});
  const auto* fence = Only<FenceStream>(actions);
  ASSERT_NE(fence, nullptr);
  EXPECT_EQ(fence->expected_epoch, 3u);
  EXPECT_EQ(fence->expected_tail, 7u);
  EXPECT_EQ(fence->new_epoch, 4u);
}

TEST_F(ReplicaStateTest, NeverFencesAStreamItHasNotSeen) {
  for (uint64_t now = 0; now < 10 * kSecond; now += kSecond / 4) {
    EXPECT_EQ(Find<FenceStream>(At(now, Tick{})), nullptr);
    At(now, LookFailed{});
  }
}

TEST_F(ReplicaStateTest, NeverFencesWhileItIsRemoved) {
  At(kSecond, SawTail{.epoch = 3, .tail = 7, .leader = "a", .removed = true});
  EXPECT_EQ(Find<FenceStream>(At(9 * kSecond, Tick{})), nullptr);
  At(9 * kSecond, SawTail{.epoch = 3, .tail = 8, .lease = Lease::kGivenToMe, .removed = true});
  EXPECT_EQ(Find<FenceStream>(At(12 * kSecond, Tick{})), nullptr);
  At(12 * kSecond, SawTail{.epoch = 3, .tail = 9, .leader = "a"});
  EXPECT_NE(Find<FenceStream>(At(15 * kSecond, Tick{})), nullptr);
}

TEST_F(ReplicaStateTest, WaitsFromTheFirstSightOfTheLastRecord) {
  See();
  At(kSecond + kSecond / 2, SawTail{.epoch = 3, .tail = 7});  // the same again
  EXPECT_NE(Find<FenceStream>(At(kSecond + NoJitter().WaitNanos(), Tick{})), nullptr);
}

TEST_F(ReplicaStateTest, ANewRecordOrEpochBeginsTheWaitAnew) {
  See();
  At(2 * kSecond, SawTail{.epoch = 3, .tail = 8});
  EXPECT_EQ(Find<FenceStream>(At(3 * kSecond, Tick{})), nullptr);
  At(3 * kSecond, SawTail{.epoch = 4, .tail = 8});
  EXPECT_EQ(Find<FenceStream>(At(4 * kSecond, Tick{})), nullptr);
  At(4 * kSecond, SawTail{.epoch = 3, .tail = 7});  // an older answer, late
  const Actions actions = At(3 * kSecond + NoJitter().WaitNanos(), Tick{});
  ASSERT_NE(Find<FenceStream>(actions), nullptr);
  EXPECT_EQ(Find<FenceStream>(actions)->expected_epoch, 4u);
}

TEST_F(ReplicaStateTest, AFenceThatDidNotHappenBeginsTheWaitAnew) {
  See();
  const Event ends[] = {FenceRefused{}, FenceUnknown{}};
  uint64_t now = kSecond;
  for (const Event& end : ends) {
    now += NoJitter().WaitNanos();
    ASSERT_NE(Find<FenceStream>(At(now, Tick{})), nullptr);
    EXPECT_TRUE(At(now, end).empty());
    EXPECT_NE(Only<Look>(At(now, Tick{})), nullptr);
    At(now, SawTail{.epoch = 3, .tail = 7});
    EXPECT_EQ(Find<FenceStream>(At(now + kSecond, Tick{})), nullptr);
  }
}

TEST(ReplicaState, JitterComesFromTheSeed) {
  Settings settings = NoJitter();
  settings.jitter_nanos = 200'000'000;
  const auto fences_at = [&](uint64_t seed) {
    ReplicaState state(settings, seed);
    state.Handle(0, SawTail{.epoch = 1, .tail = 1});
    uint64_t now = settings.WaitNanos();
    EXPECT_EQ(Find<FenceStream>(state.Handle(now - 1, Tick{})), nullptr);
    while (Find<FenceStream>(state.Handle(now, Tick{})) == nullptr) {
      now += 1'000'000;
    }
    EXPECT_LE(now, settings.WaitNanos() + 201'000'000);
    return now;
  };
  EXPECT_EQ(fences_at(1), fences_at(1));
  EXPECT_NE(fences_at(1), fences_at(2));
}

TEST_F(ReplicaStateTest, ARestingLeaderIsLeftAloneUntilSomebodyWantsOne) {
  See(Lease::kResting);
  EXPECT_EQ(Find<FenceStream>(At(20 * kSecond, Tick{})), nullptr);
  At(20 * kSecond, Requested{});
  EXPECT_NE(Find<FenceStream>(At(20 * kSecond, Tick{})), nullptr);
}

TEST_F(ReplicaStateTest, ARequestDoesNotShortenTheWaitForARestingLeadersLease) {
  See(Lease::kResting);
  At(kSecond, Requested{});
  EXPECT_EQ(Find<FenceStream>(At(kSecond + NoJitter().WaitNanos() - 1, Tick{})), nullptr);
}

TEST_F(ReplicaStateTest, FencesAtOnceWhatWasGivenToIt) {
  const Actions actions =
      At(kSecond, SawTail{.epoch = 3, .tail = 7, .lease = Lease::kGivenToMe, .leader = "a"});
  ASSERT_NE(Find<FenceStream>(actions), nullptr);
  EXPECT_EQ(Find<FenceStream>(actions)->expected_tail, 7u);
}

TEST_F(ReplicaStateTest, FencesAfterJitterWhatWasGivenUp) {
  See(Lease::kGivenUp);
  EXPECT_NE(Find<FenceStream>(At(kSecond, Tick{})), nullptr);
}

TEST_F(ReplicaStateTest, AnAlarmDoesNotShortenTheWaitForALease) {
  See();
  At(kSecond, Suspected{});
  EXPECT_EQ(Find<FenceStream>(At(kSecond + kSecond, Tick{})), nullptr);
}

// --- Taking over ---

TEST_F(ReplicaStateTest, CatchesUpThenLogsItsStartThenServes) {
  See();
  ASSERT_NE(Find<FenceStream>(At(3 * kSecond, Tick{})), nullptr);
  EXPECT_EQ(Begin(3 * kSecond), Verdict::kNo);
  const Actions caught = At(3 * kSecond, FenceOk{7});
  ASSERT_NE(Only<CatchUp>(caught), nullptr);
  EXPECT_EQ(Only<CatchUp>(caught)->tail, 7u);
  EXPECT_EQ(Only<CatchUp>(caught)->epoch, 4u);
  EXPECT_EQ(Begin(3 * kSecond), Verdict::kWait);
  EXPECT_FALSE(state_.MayRead(3 * kSecond));
  EXPECT_NE(Only<AppendLeaderStart>(At(4 * kSecond, CaughtUp{})), nullptr);
  At(4 * kSecond, AppendSent{AppendKind::kLeaderStart});
  EXPECT_FALSE(state_.MayRead(4 * kSecond));
  EXPECT_NE(Only<Serve>(At(4 * kSecond, AppendAcked{})), nullptr);
  EXPECT_TRUE(state_.MayRead(4 * kSecond));
}

TEST_F(ReplicaStateTest, AStartThatCameWithTheFenceServesWhenCaughtUp) {
  See();
  At(3 * kSecond, Hinted{.epoch = 3, .tail = 9, .mine = true});
  ASSERT_NE(Only<CatchUp>(At(3'200'000'000, FenceOk{.tail = 10, .started = 3 * kSecond})), nullptr);
  EXPECT_EQ(Begin(3'200'000'000), Verdict::kWait);
  EXPECT_FALSE(state_.MayRead(3'200'000'000));
  ASSERT_NE(Only<Serve>(At(3'200'000'000, CaughtUp{})), nullptr);
  EXPECT_EQ(state_.role(), Role::kLeading);
  // By when it was sent, as that of any append.
  EXPECT_EQ(state_.lease_end(), 3 * kSecond + NoJitter().LeaseNanos());
  EXPECT_TRUE(state_.MayRead(3'200'000'000));
}

TEST_F(ReplicaStateTest, AStartWithTheFenceThatEndsTooLateAllowsNoReads) {
  See();
  At(3 * kSecond, Hinted{.epoch = 3, .tail = 9, .mine = true});
  At(3 * kSecond, FenceOk{.tail = 10, .started = 3 * kSecond});
  const uint64_t late = 3 * kSecond + NoJitter().LeaseNanos();
  At(late, CaughtUp{});
  EXPECT_EQ(state_.role(), Role::kLeading);
  EXPECT_FALSE(state_.MayRead(late));
  EXPECT_NE(Only<AppendRenew>(At(late, Tick{})), nullptr);
  // The next time it leads by a fence alone.
  At(late, AppendSent{AppendKind::kRenew});
  At(late, AppendFenced{});
  At(late, SawTail{.epoch = 5, .tail = 20});
  const Actions actions = At(late + 2 * NoJitter().WaitNanos(), Tick{});
  ASSERT_NE(Find<FenceStream>(actions), nullptr);
  EXPECT_FALSE(Find<FenceStream>(actions)->start);
  At(late + 2 * NoJitter().WaitNanos(), FenceOk{20});
  EXPECT_NE(Only<AppendLeaderStart>(At(late + 2 * NoJitter().WaitNanos(), CaughtUp{})), nullptr);
}

TEST_F(ReplicaStateTest, AHostThatFailsLetsGoAndWaitsLonger) {
  See();
  At(3 * kSecond, Tick{});
  At(3 * kSecond, FenceOk{7});
  const Actions actions = At(3 * kSecond, LeadFailed{});
  ASSERT_NE(Only<StopServing>(actions), nullptr);
  EXPECT_EQ(Only<StopServing>(actions)->epoch, 4u);
  At(3 * kSecond, SawTail{.epoch = 4, .tail = 7});
  EXPECT_EQ(Find<FenceStream>(At(3 * kSecond + NoJitter().WaitNanos(), Tick{})), nullptr);
  EXPECT_NE(Find<FenceStream>(At(3 * kSecond + 2 * NoJitter().WaitNanos(), Tick{})), nullptr);
}

TEST_F(ReplicaStateTest, AStartThatIsNotLoggedIsNoStart) {
  See();
  At(3 * kSecond, Tick{});
  At(3 * kSecond, FenceOk{7});
  At(3 * kSecond, CaughtUp{});
  At(3 * kSecond, AppendSent{AppendKind::kLeaderStart});
  EXPECT_NE(Only<StopServing>(At(3 * kSecond, AppendFailed{})), nullptr);
  EXPECT_EQ(state_.role(), Role::kFollowing);
}

// --- The lease ---

TEST_F(ReplicaStateTest, TheLeaseCountsFromWhenTheAcknowledgedAppendWasSent) {
  Lead(3 * kSecond);
  const uint64_t lease = NoJitter().LeaseNanos();
  EXPECT_TRUE(state_.MayRead(3 * kSecond + lease - 1));
  EXPECT_FALSE(state_.MayRead(3 * kSecond + lease));
  At(3'500'000'000, AppendSent{AppendKind::kCommit});
  EXPECT_FALSE(state_.MayRead(3 * kSecond + lease));  // not acknowledged
  At(3'900'000'000, AppendAcked{});
  EXPECT_EQ(state_.lease_end(), 3'500'000'000 + lease);
}

TEST_F(ReplicaStateTest, AFailedAppendExtendsNothing) {
  Lead(3 * kSecond);
  const uint64_t end = state_.lease_end();
  At(3'500'000'000, AppendSent{AppendKind::kCommit});
  EXPECT_TRUE(At(3'600'000'000, AppendFailed{}).empty());
  EXPECT_EQ(state_.lease_end(), end);
  EXPECT_EQ(state_.role(), Role::kLeading);
}

TEST_F(ReplicaStateTest, RenewsWhenNothingElseIsAppended) {
  Lead(3 * kSecond);
  const uint64_t quarter = NoJitter().RenewNanos();
  EXPECT_TRUE(At(3 * kSecond + quarter - 1, Tick{}).empty());
  const Actions actions = At(3 * kSecond + quarter, Tick{});
  ASSERT_NE(Only<AppendRenew>(actions), nullptr);
  EXPECT_FALSE(Only<AppendRenew>(actions)->resting);
  EXPECT_TRUE(At(3 * kSecond + quarter, Tick{}).empty());  // asked for already
  At(3 * kSecond + quarter, AppendSent{AppendKind::kRenew});
  EXPECT_TRUE(At(3 * kSecond + 2 * quarter, Tick{}).empty());  // under way
  At(3 * kSecond + 2 * quarter, AppendAcked{});
  EXPECT_NE(Only<AppendRenew>(At(3 * kSecond + 2 * quarter, Tick{})), nullptr);
}

TEST_F(ReplicaStateTest, SaysItsNameAlsoWhileItCommits) {
  Lead(3 * kSecond);
  uint64_t now = 3 * kSecond;
  std::vector<uint64_t> named;
  for (int i = 0; i < 500; ++i) {  // a commit every 10 ms, one always under way
    At(now, AppendSent{AppendKind::kCommit});
    now += 10'000'000;
    const Actions actions = At(now, Tick{});
    if (!actions.empty()) {
      ASSERT_NE(Only<AppendRenew>(actions), nullptr);
      EXPECT_FALSE(Only<AppendRenew>(actions)->resting);
      named.push_back(now);
      At(now, AppendAcked{});
      At(now, AppendSent{AppendKind::kRenew});
    }
    At(now, AppendAcked{});
  }
  std::vector<uint64_t> once_a_lease;
  for (uint64_t at = 3 * kSecond; (at += NoJitter().NameNanos()) <= now;) {
    once_a_lease.push_back(at);
  }
  EXPECT_EQ(named, once_a_lease);
}

TEST_F(ReplicaStateTest, RestsWithoutRequestsAndAReadWakesIt) {
  Lead(3 * kSecond);
  uint64_t now = 3 * kSecond;
  bool resting = false;
  while (!resting && now < 60 * kSecond) {
    now += NoJitter().RenewNanos();
    const Actions actions = At(now, Tick{});
    ASSERT_NE(Only<AppendRenew>(actions), nullptr);
    resting = Only<AppendRenew>(actions)->resting;
    Append(now, now, AppendKind::kRenew);
  }
  EXPECT_EQ(now, 3 * kSecond + NoJitter().idle_nanos);
  now += 2 * kSecond;
  ASSERT_NE(Only<Look>(At(now, Tick{})), nullptr);  // another may lead meanwhile
  EXPECT_EQ(Begin(now), Verdict::kWait);
  ASSERT_NE(Only<AppendRenew>(asked_), nullptr);
  EXPECT_FALSE(Only<AppendRenew>(asked_)->resting);
  EXPECT_EQ(Begin(now), Verdict::kWait);
  EXPECT_TRUE(asked_.empty());  // under way
  Append(now, now, AppendKind::kRenew);
  EXPECT_EQ(Begin(now), Verdict::kYes);
  EXPECT_NE(Only<AppendRenew>(At(now + NoJitter().RenewNanos(), Tick{})), nullptr);
}

TEST_F(ReplicaStateTest, ARestingLeaderLearnsOfAnother) {
  Lead(3 * kSecond);
  EXPECT_NE(Only<StopServing>(At(4 * kSecond, SawTail{.epoch = 5, .tail = 9})), nullptr);
  EXPECT_EQ(state_.role(), Role::kFollowing);
}

TEST_F(ReplicaStateTest, ReadsAreCheckedBeforeAndAfter) {
  Lead(3 * kSecond);
  ASSERT_EQ(Begin(3 * kSecond), Verdict::kYes);
  EXPECT_EQ(state_.EndRead(3 * kSecond + 1, ticket_), Verdict::kYes);
  // Paused for longer than the lease, and resumed in the middle of the read.
  EXPECT_EQ(state_.EndRead(9 * kSecond, ticket_), Verdict::kNo);
  EXPECT_EQ(Begin(9 * kSecond), Verdict::kWait);
}

TEST_F(ReplicaStateTest, AReadOfAnEarlierEpochIsNotAnswered) {
  Lead(3 * kSecond);
  ASSERT_EQ(Begin(3 * kSecond), Verdict::kYes);
  At(3 * kSecond, AppendSent{AppendKind::kCommit});
  At(3 * kSecond, AppendUnknown{});
  At(3 * kSecond, FenceOk{8});
  At(3 * kSecond, CaughtUp{});
  At(3 * kSecond, AppendSent{AppendKind::kLeaderStart});
  ASSERT_NE(Only<Serve>(At(3 * kSecond, AppendAcked{})), nullptr);
  EXPECT_EQ(state_.EndRead(3 * kSecond, ticket_), Verdict::kNo);
}

// --- The end of leadership ---

TEST_F(ReplicaStateTest, ARefusedAppendEndsIt) {
  Lead(3 * kSecond);
  At(3 * kSecond, AppendSent{AppendKind::kCommit});
  EXPECT_NE(Only<StopServing>(At(3 * kSecond, AppendFenced{})), nullptr);
  EXPECT_FALSE(state_.MayRead(3 * kSecond));
  EXPECT_EQ(Begin(3 * kSecond), Verdict::kNo);
  EXPECT_EQ(state_.lease_end(), 0u);
}

TEST_F(ReplicaStateTest, AnUnknownAppendIsResolvedByFencingOneself) {
  Lead(3 * kSecond);
  At(3 * kSecond, AppendSent{AppendKind::kCommit});
  const Actions actions = At(3 * kSecond, AppendUnknown{});
  ASSERT_EQ(actions.size(), 2u);
  EXPECT_NE(std::get_if<StopServing>(&actions[0]), nullptr);
  const auto* fence = std::get_if<FenceStream>(&actions[1]);
  ASSERT_NE(fence, nullptr);
  EXPECT_EQ(fence->expected_epoch, 4u);
  EXPECT_FALSE(fence->expected_tail.has_value());
  EXPECT_EQ(fence->new_epoch, 5u);
  EXPECT_FALSE(state_.MayRead(3 * kSecond));
  EXPECT_NE(Only<CatchUp>(At(3 * kSecond, FenceOk{8})), nullptr);
}

TEST_F(ReplicaStateTest, ATransferEndsReadsBeforeItIsSent) {
  Lead(3 * kSecond);
  ASSERT_EQ(Begin(3 * kSecond), Verdict::kYes);
  const Actions actions = At(3 * kSecond, TransferAsked{"b"});
  ASSERT_NE(Only<AppendTransfer>(actions), nullptr);
  EXPECT_EQ(Only<AppendTransfer>(actions)->target, "b");
  EXPECT_EQ(state_.EndRead(3 * kSecond, ticket_), Verdict::kNo);
  EXPECT_FALSE(state_.MayRead(3 * kSecond));
  At(3 * kSecond, AppendSent{AppendKind::kTransfer});
  EXPECT_FALSE(state_.given().has_value());
  EXPECT_NE(Only<StopServing>(At(3 * kSecond, AppendAcked{12})), nullptr);
  EXPECT_EQ(state_.role(), Role::kFollowing);
  ASSERT_TRUE(state_.given().has_value());
  EXPECT_EQ(state_.given()->epoch, 4u);
  EXPECT_EQ(state_.given()->tail, 12u);
  EXPECT_EQ(state_.given()->target, "b");
  // It may not know yet that it is to lead; who does is looked for soon, and not in older looks.
  EXPECT_EQ(state_.leader(), "");
  EXPECT_LT(state_.look_nanos(), NoJitter().LookNanos());
  At(3 * kSecond, SawTail{.epoch = 4, .tail = 11, .leader = "a"});
  EXPECT_EQ(state_.leader(), "");
  At(3 * kSecond, SawTail{.epoch = 4, .tail = 12, .leader = "b"});
  EXPECT_EQ(state_.leader(), "");
  At(3 * kSecond, SawTail{.epoch = 5, .tail = 13, .leader = "b"});
  EXPECT_EQ(state_.leader(), "b");
  EXPECT_EQ(state_.look_nanos(), NoJitter().LookNanos());
}

TEST_F(ReplicaStateTest, WhatWasGivenIsOverWithTheNextTerm) {
  Lead(3 * kSecond);
  At(3 * kSecond, TransferAsked{"b"});
  At(3 * kSecond, AppendSent{AppendKind::kTransfer});
  At(3 * kSecond, AppendAcked{12});
  At(4 * kSecond, SawTail{.epoch = 4, .tail = 12, .leader = "b"});
  ASSERT_NE(Find<FenceStream>(At(9 * kSecond, Tick{})), nullptr);
  EXPECT_TRUE(state_.given().has_value());
  At(9 * kSecond, FenceOk{12});
  EXPECT_FALSE(state_.given().has_value());
}

TEST_F(ReplicaStateTest, ACommitUnderWayDoesNotEndATransfer) {
  Lead(3 * kSecond);
  At(3 * kSecond, AppendSent{AppendKind::kCommit});
  At(3 * kSecond, TransferAsked{"b"});
  EXPECT_TRUE(At(3 * kSecond, AppendAcked{}).empty());
  EXPECT_EQ(state_.role(), Role::kHandingOver);
  EXPECT_FALSE(state_.MayRead(3 * kSecond));
}

TEST_F(ReplicaStateTest, ATransferThatFailsOrIsUnknownStillLetsGo) {
  const Event ends[] = {AppendFailed{}, AppendUnknown{}, AppendFenced{}};
  for (const Event& end : ends) {
    ReplicaState state(NoJitter(), 1);
    state.Handle(0, SawTail{.epoch = 3, .tail = 7});
    state.Handle(2 * kSecond, Tick{});
    state.Handle(2 * kSecond, FenceOk{7});
    state.Handle(2 * kSecond, CaughtUp{});
    state.Handle(2 * kSecond, AppendSent{AppendKind::kLeaderStart});
    state.Handle(2 * kSecond, AppendAcked{});
    state.Handle(2 * kSecond, TransferAsked{});
    state.Handle(2 * kSecond, AppendSent{AppendKind::kTransfer});
    EXPECT_NE(Only<StopServing>(state.Handle(2 * kSecond, end)), nullptr);
    EXPECT_EQ(state.role(), Role::kFollowing);
  }
}

TEST_F(ReplicaStateTest, WhoIsPreparedIsGivenTheLeadWithoutARecord) {
  Lead(3 * kSecond);
  ASSERT_EQ(Begin(3 * kSecond), Verdict::kYes);
  const Actions actions = At(3 * kSecond, TransferAsked{.target = "b", .prepared = true});
  ASSERT_NE(Only<Yield>(actions), nullptr);
  EXPECT_EQ(Only<Yield>(actions)->target, "b");
  EXPECT_EQ(Only<Yield>(actions)->epoch, 4u);
  EXPECT_TRUE(state_.MayRead(3 * kSecond));  // nobody was told yet
  EXPECT_FALSE(state_.given().has_value());
  EXPECT_NE(Only<StopServing>(At(3 * kSecond, Yielded{.tail = 12, .target = "b"})), nullptr);
  EXPECT_EQ(state_.EndRead(3 * kSecond, ticket_), Verdict::kNo);
  EXPECT_FALSE(state_.MayRead(3 * kSecond));
  EXPECT_EQ(state_.role(), Role::kFollowing);
  EXPECT_EQ(state_.leader(), "b");  // it knows, or will in a moment
  ASSERT_TRUE(state_.given().has_value());
  EXPECT_EQ(state_.given()->epoch, 4u);
  EXPECT_EQ(state_.given()->tail, 12u);
  EXPECT_EQ(state_.given()->target, "b");
  EXPECT_TRUE(state_.given()->by_word);
  EXPECT_TRUE(At(3 * kSecond, Yielded{.tail = 13, .target = "b"}).empty());  // no leader any more
  EXPECT_EQ(state_.given()->tail, 12u);
}

// Whoever comes first is told by the stream.
TEST_F(ReplicaStateTest, NobodyInParticularIsGivenTheLeadByARecord) {
  Lead(3 * kSecond);
  const Actions actions = At(3 * kSecond, TransferAsked{.target = "", .prepared = true});
  EXPECT_NE(Only<AppendTransfer>(actions), nullptr);
}

TEST_F(ReplicaStateTest, WhoIsToldWhereTheStreamEndsFencesWithThat) {
  See();
  const Actions fence =
      At(kSecond + 1, Hinted{.epoch = 3, .tail = 9, .end = 700, .leader = "b", .mine = true});
  ASSERT_NE(Find<FenceStream>(fence), nullptr);
  EXPECT_EQ(Find<FenceStream>(fence)->end, 700u);
  // What comes with the fence renews its lease.
  At(kSecond + 20, FenceOk{.tail = 10, .started = kSecond + 1});
  At(kSecond + 30, CaughtUp{});
  EXPECT_EQ(state_.role(), Role::kLeading);
  EXPECT_TRUE(At(kSecond + NoJitter().RenewNanos(), Tick{}).empty());
  EXPECT_NE(Only<AppendRenew>(At(kSecond + 1 + NoJitter().RenewNanos(), Tick{})), nullptr);
}

TEST_F(ReplicaStateTest, WhoWasGivenTheLeadByWordAndDoesNotComeLosesIt) {
  Lead(3 * kSecond);
  At(3 * kSecond, TransferAsked{.target = "b", .prepared = true});
  At(3 * kSecond, Yielded{.tail = 12, .target = "b"});
  At(3 * kSecond, SawTail{.epoch = 4, .tail = 12, .leader = "a"});
  const uint64_t soon = 3 * kSecond + 2 * NoJitter().LookNanos();
  EXPECT_EQ(Find<FenceStream>(At(soon - 1, Tick{})), nullptr);
  const Actions fence = At(soon, Tick{});
  ASSERT_NE(Find<FenceStream>(fence), nullptr);
  EXPECT_EQ(Find<FenceStream>(fence)->expected_epoch, 4u);
  EXPECT_EQ(Find<FenceStream>(fence)->expected_tail, 12u);
  EXPECT_FALSE(Find<FenceStream>(fence)->start);
}

TEST_F(ReplicaStateTest, WhoWasGivenTheLeadByWordAndComesKeepsIt) {
  Lead(3 * kSecond);
  At(3 * kSecond, TransferAsked{.target = "b", .prepared = true});
  At(3 * kSecond, Yielded{.tail = 12, .target = "b"});
  At(3 * kSecond, SawTail{.epoch = 5, .tail = 13, .leader = "b"});
  const uint64_t wait = NoJitter().WaitNanos();
  EXPECT_EQ(Find<FenceStream>(At(3 * kSecond + wait - 1, Tick{})), nullptr);
  EXPECT_NE(Find<FenceStream>(At(3 * kSecond + wait, Tick{})), nullptr);
}

// Nothing is appended under an epoch that was given away, but somebody else may have fenced it.
TEST_F(ReplicaStateTest, OnlyItsOwnLastRecordIsTakenBackSoon) {
  Lead(3 * kSecond);
  At(3 * kSecond, TransferAsked{.target = "b", .prepared = true});
  At(3 * kSecond, Yielded{.tail = 12, .target = "b"});
  At(3 * kSecond, SawTail{.epoch = 5, .tail = 12, .leader = "a"});  // no record yet
  EXPECT_EQ(Find<FenceStream>(At(4 * kSecond, Tick{})), nullptr);
}

TEST_F(ReplicaStateTest, AGroupThatCannotYieldIsLetGo) {
  Lead(3 * kSecond);
  At(3 * kSecond, TransferAsked{.target = "b", .prepared = true});
  EXPECT_NE(Only<StopServing>(At(3 * kSecond, LeadFailed{})), nullptr);
  EXPECT_FALSE(state_.given().has_value());
}

TEST_F(ReplicaStateTest, OnlyALeaderTransfers) {
  See();
  EXPECT_TRUE(At(kSecond, TransferAsked{"b"}).empty());
  EXPECT_EQ(state_.role(), Role::kFollowing);
}

// --- Without clocks ---

class ConfirmTest : public ReplicaStateTest {
 protected:
  static Settings Confirm() {
    Settings settings = NoJitter();
    settings.confirm = true;
    return settings;
  }
  ConfirmTest() : ReplicaStateTest(Confirm()) {}
};

TEST_F(ConfirmTest, AnAlarmFencesAtOnceAtAnyTail) {
  See();
  EXPECT_EQ(Find<FenceStream>(At(kSecond, Tick{})), nullptr);
  At(kSecond, Suspected{});
  const Actions actions = At(kSecond, Tick{});
  ASSERT_NE(Only<FenceStream>(actions), nullptr);
  EXPECT_FALSE(Only<FenceStream>(actions)->expected_tail.has_value());
}

TEST_F(ConfirmTest, ALeaseIsNoReasonToAnswer) {
  Lead(3 * kSecond);
  EXPECT_FALSE(state_.MayRead(3 * kSecond));
}

TEST_F(ConfirmTest, AReadWaitsForAQuestionBegunAfterIt) {
  Lead(3 * kSecond);
  ASSERT_EQ(Begin(3 * kSecond), Verdict::kYes);
  const ReadTicket first = ticket_;
  ASSERT_NE(Only<ConfirmEpoch>(asked_), nullptr);
  const uint64_t question = Only<ConfirmEpoch>(asked_)->question;
  ASSERT_EQ(Begin(3 * kSecond), Verdict::kYes);  // while the first question is under way
  EXPECT_TRUE(asked_.empty());
  const ReadTicket second = ticket_;
  EXPECT_EQ(state_.EndRead(3 * kSecond, first), Verdict::kWait);
  const Actions next = At(3 * kSecond, EpochRead{.question = question, .epoch = 4});
  EXPECT_EQ(state_.EndRead(3 * kSecond, first), Verdict::kYes);
  EXPECT_EQ(state_.EndRead(3 * kSecond, second), Verdict::kWait);
  ASSERT_NE(Only<ConfirmEpoch>(next), nullptr);  // one for all that came meanwhile
  At(3 * kSecond, EpochRead{.question = Only<ConfirmEpoch>(next)->question, .epoch = 4});
  EXPECT_EQ(state_.EndRead(30 * kSecond, second), Verdict::kYes);  // however long it took
}

TEST_F(ConfirmTest, AnotherEpochEndsIt) {
  Lead(3 * kSecond);
  ASSERT_EQ(Begin(3 * kSecond), Verdict::kYes);
  EXPECT_NE(Only<StopServing>(At(3 * kSecond, EpochRead{.question = 1, .epoch = 5})), nullptr);
  EXPECT_EQ(state_.EndRead(3 * kSecond, ticket_), Verdict::kNo);
}

TEST_F(ConfirmTest, AQuestionWithoutAnswerIsAskedAgain) {
  Lead(3 * kSecond);
  ASSERT_EQ(Begin(3 * kSecond), Verdict::kYes);
  At(3 * kSecond, EpochReadFailed{1});
  const Actions again = At(3 * kSecond + 1, Tick{});
  ASSERT_NE(Only<ConfirmEpoch>(again), nullptr);
  EXPECT_EQ(state_.EndRead(3 * kSecond, ticket_), Verdict::kWait);
  At(3 * kSecond, EpochRead{.question = Only<ConfirmEpoch>(again)->question, .epoch = 4});
  EXPECT_EQ(state_.EndRead(3 * kSecond, ticket_), Verdict::kYes);
}

}  // namespace
}  // namespace luna::replica
