#include "service/follower/giving_back.h"

#include <gtest/gtest.h>

#include "unit/service/follower/guest_world.h"

namespace luna::follower {

namespace {

std::optional<command::Departing> Parsed(std::string_view array) {
  resp::ReplyParser parser;
  parser.Feed(array);
  auto reply = parser.Next().value();
  return reply.has_value() ? TakenBack(std::move(*reply)) : std::nullopt;
}

TEST(GivingBack, WhatIsGivenIsTaken) {
  const std::string bytes("*1\r\n$4\r\nPING\r\n\0\xff*", 17);
  const auto taken = Parsed(GivenBack({.client = nullptr,
                                       .introduction = "who\r\n",
                                       .unheard = 12,
                                       .bytes = bytes,
                                       .version = resp::Version::k3}));
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(taken->introduction, "who\r\n");
  EXPECT_EQ(taken->unheard, 12u);
  EXPECT_EQ(taken->bytes, bytes);
  EXPECT_EQ(taken->version, resp::Version::k3);
  EXPECT_EQ(taken->mark, "");
  const auto nobody = Parsed(GivenBack({}));
  ASSERT_TRUE(nobody.has_value());
  EXPECT_EQ(nobody->introduction + nobody->bytes, "");
  EXPECT_EQ(nobody->unheard, 0u);
  EXPECT_EQ(nobody->version, resp::Version::k2);
}

TEST(GivingBack, NothingElseIsTaken) {
  const std::string good = "*4\r\n$0\r\n\r\n$1\r\n0\r\n$1\r\n2\r\n$0\r\n\r\n";
  EXPECT_TRUE(Parsed(good).has_value());
  for (const std::string_view bad :
       {"+OK\r\n", "$0\r\n\r\n", "*0\r\n", "*3\r\n$0\r\n\r\n$1\r\n0\r\n$1\r\n2\r\n",
        "*4\r\n$0\r\n\r\n$1\r\n0\r\n$1\r\n2\r\n$-1\r\n",
        "*4\r\n$0\r\n\r\n:0\r\n$1\r\n2\r\n$0\r\n\r\n",
        "*4\r\n$0\r\n\r\n$1\r\nx\r\n$1\r\n2\r\n$0\r\n\r\n",
        "*4\r\n$0\r\n\r\n$2\r\n-1\r\n$1\r\n2\r\n$0\r\n\r\n",
        "*4\r\n$0\r\n\r\n$0\r\n\r\n$1\r\n2\r\n$0\r\n\r\n",
        "*4\r\n$0\r\n\r\n$2\r\n0x\r\n$1\r\n2\r\n$0\r\n\r\n",
        "*4\r\n$0\r\n\r\n$1\r\n0\r\n$1\r\n4\r\n$0\r\n\r\n",
        "*4\r\n$0\r\n\r\n$30\r\n999999999999999999999999999999\r\n$1\r\n2\r\n$0\r\n\r\n"}) {
    EXPECT_FALSE(Parsed(bad).has_value()) << bad;
  }
}

TEST(GivingBack, GreetingsAreKnownWithAndWithoutAMark) {
  const std::string greeting = Greeting("0123");
  EXPECT_EQ(greeting, "*3\r\n$5\r\nGROUP\r\n$5\r\nLEADS\r\n$4\r\n0123\r\n");
  const std::string plain = "*2\r\n$5\r\nGROUP\r\n$5\r\nLEADS\r\n";
  for (const std::string& whole : {greeting, plain}) {
    for (size_t size = 0; size <= whole.size(); ++size) {
      EXPECT_EQ(JudgeGreeting(std::string_view(whole).substr(0, size)),
                size < plain.size() ? IsGreeting::kPerhaps : IsGreeting::kYes)
          << size;
    }
    EXPECT_EQ(JudgeGreeting(whole + "*1\r\n"), IsGreeting::kYes);
  }
  for (const std::string_view other : {"x", "*4", "*3\r\n$5\r\nGROUP\r\n$8", "*3\r\n$3\r\nSET"}) {
    EXPECT_EQ(JudgeGreeting(other), IsGreeting::kNo) << other;
  }
}

// --- Taking back ---

// A client that asked and a leader that has what it asked for.
class TakingBack : public GuestTest {
 protected:
  void Pass(std::string_view asked, command::Departing departing = {}) {
    Arrive(std::move(departing));
    Send(*client_, asked);
    AdvanceAll(0);
    leader_ = Dial();
    AdvanceAll(0);
    Received(*leader_);
    Send(*leader_, "+OK\r\n");
    AdvanceAll(0);
    EXPECT_EQ(Received(*leader_), asked);
  }
  // The next leader's far end, after it was greeted so.
  void DialNext(std::string_view introduction, std::string_view replies, uint64_t now_nanos) {
    ASSERT_EQ(guest_->phase(), Phase::kSeeking);
    leader_ = Dial(now_nanos);
    AdvanceAll(now_nanos);
    EXPECT_EQ(Received(*leader_), kLeads + std::string(introduction));
    Send(*leader_, "+OK\r\n" + std::string(replies));
    AdvanceAll(now_nanos);
    EXPECT_EQ(guest_->phase(), Phase::kPassing);
  }

  std::unique_ptr<runtime::Socket> leader_;
};

TEST_F(TakingBack, WhoIsGivenBackGoesOnWithTheNextLeaderAndNoticesNothing) {
  Pass("one two ");
  Send(*leader_, "+one\r\n" + kMark);
  surroundings_.leader = "1.0.0.2:1";
  AdvanceAll(10);
  EXPECT_EQ(guest_->phase(), Phase::kTakingBack);
  EXPECT_EQ(Received(*client_), "+one\r\n");
  EXPECT_EQ(Received(*leader_), "$");
  EXPECT_FALSE(guest_->may_depart());
  Send(*client_, "three ");
  const std::string array = GivenBack({.client = nullptr,
                                       .introduction = "who\r\n",
                                       .unheard = 1,
                                       .bytes = "two ",
                                       .version = resp::Version::k3});
  Send(*leader_, array.substr(0, 10));
  AdvanceAll(20);
  EXPECT_EQ(guest_->phase(), Phase::kTakingBack);
  Send(*leader_, array.substr(10));
  leader_->FinishWrites();
  AdvanceAll(30);
  EXPECT_EQ(guest_->phase(), Phase::kSeeking);
  EXPECT_EQ(tallies_.returned, 1u);
  surroundings_.leader = "1.0.0.1:1";
  DialNext("who\r\n", "+hidden\r\n", 40);
  EXPECT_EQ(Received(*leader_), "two three ");
  Send(*leader_, "+two\r\n+three\r\n");
  AdvanceAll(kSecond);
  EXPECT_EQ(Received(*client_), "+two\r\n+three\r\n");
  EXPECT_EQ(tallies_.lost, 0u);
  EXPECT_EQ(tallies_.forwarded, 2u);
  EXPECT_EQ(tallies_.to_client_bytes, 6u + 14u);
}

TEST_F(TakingBack, WhoAskedNothingIsSilentAsLongAsItLikesAndMayBeGivenBackAgain) {
  Pass("one ");
  for (uint64_t now = 10; now < 10 * kSecond; now += kSecond) {
    Send(*leader_, "+one\r\n" + kMark + GivenBack({}));
    AdvanceAll(now);
    EXPECT_EQ(Received(*client_), "+one\r\n");
    EXPECT_EQ(guest_->phase(), Phase::kSilent);
    EXPECT_TRUE(guest_->may_read_here());
    AdvanceAll(now + kSecond / 2);
    EXPECT_EQ(guest_->phase(), Phase::kSilent);
    Send(*client_, "one ");
    AdvanceAll(now + kSecond / 2);
    DialNext("", "", now + kSecond / 2);
    EXPECT_EQ(Received(*leader_), "one ");
  }
  EXPECT_EQ(tallies_.returned, 10u);
}

TEST_F(TakingBack, WaitsForTheNextLeaderAsLongAsForTheFirst) {
  Pass("one ");
  Send(*leader_, kMark + GivenBack({.client = nullptr, .bytes = "one "}));
  AdvanceAll(kSecond);
  AdvanceAll(kSecond + 999);
  EXPECT_EQ(guest_->phase(), Phase::kSeeking);
  AdvanceAll(kSecond + 1000);
  EXPECT_TRUE(Received(*client_).starts_with("-TRYAGAIN "));
}

// It is asked what the client asked, whatever that is: no server speaks here.
TEST_F(TakingBack, WhoIsGivenBackMayAskWhoLeads) {
  Pass("one ");
  Send(*leader_, kMark + GivenBack({.client = nullptr, .bytes = kLeads}));
  AdvanceAll(10);
  DialNext("", "", 20);
  EXPECT_EQ(Received(*leader_), kLeads);
}

// The next leader has a moment of its own.
TEST_F(TakingBack, WhoIsGivenBackLateIsNotGivenUpWithTheNextLeader) {
  Pass("one ");
  surroundings_.leader = "1.0.0.2:1";
  AdvanceAll(0);
  Send(*leader_, kMark + GivenBack({.client = nullptr, .bytes = "one "}));
  AdvanceAll(10);
  surroundings_.leader = "1.0.0.1:1";
  leader_ = Dial(20);
  AdvanceAll(20);
  Send(*leader_, "+OK\r\n");
  EXPECT_TRUE(guest_->Advance(20));
  surroundings_.leader = "1.0.0.2:1";
  AdvanceAll(300 * kMilli);
  EXPECT_EQ(guest_->phase(), Phase::kPassing);
  AdvanceAll(550 * kMilli);
  EXPECT_EQ(guest_->phase(), Phase::kLeaving);
}

// What the leader took, what it was not sent, and what the client had not said: in this order.
TEST_F(TakingBack, WhatWasOnItsWayKeepsItsOrder) {
  Pass("a");
  const std::string much = Pattern(900, 1);
  const std::string more = Pattern(900, 2);
  Send(*client_, much);
  AdvanceAll(10);
  Send(*client_, more);
  AdvanceAll(10);  // the leader's side is full, and so is the lane
  Send(*leader_, kMark);
  AdvanceAll(10);
  const std::string taken = Received(*leader_);
  EXPECT_EQ(taken.back(), '$');
  EXPECT_LT(taken.size(), 1100u);
  EXPECT_GT(taken.size(), 900u);
  const std::string given =
      GivenBack({.client = nullptr, .bytes = taken.substr(0, taken.size() - 1)});
  const std::string_view parts = given;
  EXPECT_EQ(leader_->Write(std::span(&parts, 1)).value().bytes,
            1000u);  // more is not taken at once
  AdvanceAll(20);
  Send(*leader_, given.substr(1000));
  AdvanceAll(20);
  DialNext("", "", 30);
  std::string all;
  for (int i = 0; i < 4; ++i) {
    all += Received(*leader_);
    AdvanceAll(30);
  }
  EXPECT_TRUE(all == much + more);
}

TEST_F(TakingBack, TheClientsEndComesLast) {
  Pass("one two");
  client_->FinishWrites();
  AdvanceAll(10);
  EXPECT_EQ(Received(*leader_), "$");
  Send(*leader_, "+one\r\n" + kMark + GivenBack({.client = nullptr, .bytes = "two"}));
  AdvanceAll(20);
  DialNext("", "", 30);
  EXPECT_EQ(Received(*leader_), "two$");
  Send(*leader_, "+two\r\n");
  leader_->FinishWrites();
  AdvanceAll(40);
  EXPECT_EQ(Received(*client_), "+one\r\n+two\r\n$");
  Pass("one");
  client_->FinishWrites();
  AdvanceAll(50);
  Send(*leader_, "+one\r\n" + kMark + GivenBack({}));
  AdvanceAll(60);
  EXPECT_EQ(guest_->phase(), Phase::kGone);
  guest_.reset();
  EXPECT_EQ(Received(*client_), "+one\r\n$");
}

TEST_F(TakingBack, WhoWasGivenBackDepartsAsWhoItIs) {
  for (const bool for_leader : {false, true}) {
    Pass("one ", {.client = nullptr, .for_leader = for_leader});
    Send(*leader_, kMark + GivenBack({.client = nullptr,
                                      .introduction = "me\r\n",
                                      .unheard = 3,
                                      .bytes = "one ",
                                      .version = resp::Version::k3}));
    AdvanceAll(10);
    EXPECT_EQ(guest_->may_read_here(), !for_leader);
    ASSERT_TRUE(guest_->may_depart());
    const command::Departing departing = guest_->Depart();
    EXPECT_EQ(departing.introduction, "me\r\n");
    EXPECT_EQ(departing.unheard, 3u);
    EXPECT_EQ(departing.bytes, "one ");
    EXPECT_EQ(departing.version, resp::Version::k3);
    EXPECT_EQ(departing.for_leader, for_leader);
    EXPECT_EQ(departing.mark, "") << "it is the client, not a connection of another server";
    EXPECT_EQ(Received(*client_), "");
  }
}

TEST_F(TakingBack, ALeaderThatDoesNotSayAllOfItIsLost) {
  const std::string array = GivenBack({.client = nullptr, .bytes = "one "});
  for (const std::string& said : {std::string(), array.substr(0, 9), array.substr(0, 30)}) {
    Pass("one ");
    Send(*leader_, "+half" + kMark + said);
    AdvanceAll(0);
    EXPECT_EQ(guest_->phase(), Phase::kTakingBack);
    leader_.reset();
    AdvanceAll(0);
    EXPECT_EQ(guest_->phase(), Phase::kLeaving);
    EXPECT_EQ(Received(*client_), "+half$");
    Pass("one ");
    Send(*leader_, kMark + said);
    AdvanceAll(10);
    AdvanceAll(kSecond + 9);
    EXPECT_EQ(guest_->phase(), Phase::kTakingBack);
    AdvanceAll(kSecond + 10);
    EXPECT_EQ(guest_->phase(), Phase::kLeaving);
    EXPECT_EQ(Received(*client_), "$");
  }
  EXPECT_EQ(tallies_.lost, 6u);
  EXPECT_EQ(tallies_.returned, 0u);
}

// One that took nothing of what it was sent cannot say all that nobody began.
TEST_F(TakingBack, ALeaderThatWasGoneBeforeItsMarkWasReadIsLost) {
  Pass("one ");
  Send(*client_, "two ");
  Send(*leader_, "+one\r\n" + kMark + GivenBack({}));
  leader_.reset();
  AdvanceAll(0);
  EXPECT_EQ(guest_->phase(), Phase::kLeaving);
  EXPECT_EQ(Received(*client_), "+one\r\n$");
  EXPECT_EQ(tallies_.lost, 1u);
}

TEST_F(TakingBack, WhatIsNoSuchArrayEndsIt) {
  const std::string array = GivenBack({.client = nullptr, .bytes = "one "});
  for (const std::string& said :
       {std::string("nonsense\r\n"), std::string("+OK\r\n"), "*3" + array.substr(2), array + "x"}) {
    Pass("one ");
    Send(*leader_, kMark + said);
    AdvanceAll(0);
    EXPECT_EQ(guest_->phase(), Phase::kLeaving) << said;
    EXPECT_EQ(Received(*client_), "$");
  }
  EXPECT_EQ(tallies_.lost, 4u);
}

TEST_F(TakingBack, AnArrayWithoutAnEndIsBounded) {
  Pass("one ");
  Send(*leader_, kMark + "*4\r\n$99999999\r\n");
  const std::string much(900, 'x');
  size_t sent = 0;
  AdvanceAll(0);
  while (sent < 5 * kGivenBytes && guest_->phase() == Phase::kTakingBack) {
    Send(*leader_, much);
    sent += much.size();
    AdvanceAll(0);
  }
  EXPECT_EQ(guest_->phase(), Phase::kLeaving);
  EXPECT_GT(sent, kGivenBytes);
}

TEST_F(TakingBack, RepliesFromBeforeTheMarkAreTakenWhenTheClientLikes) {
  for (const bool goes : {false, true}) {
    Pass("one two ");
    Send(*leader_, std::string(990, 'r'));
    AdvanceAll(0);
    Send(*leader_, std::string(20, 's') + kMark + GivenBack({.client = nullptr, .bytes = "two "}));
    AdvanceAll(0);
    AdvanceAll(20 * kSecond);
    EXPECT_EQ(guest_->phase(), Phase::kTakingBack);
    if (goes) {
      client_.reset();
      AdvanceAll(20 * kSecond);
      EXPECT_EQ(guest_->phase(), Phase::kGone);
      continue;
    }
    std::string replies = Received(*client_);
    AdvanceAll(20 * kSecond);
    replies += Received(*client_);
    EXPECT_EQ(replies, std::string(990, 'r') + std::string(20, 's'));
    DialNext("", "", 20 * kSecond);
    EXPECT_EQ(Received(*leader_), "two ");
  }
}

// It was asked nothing of the client's: the next one is.
TEST_F(TakingBack, WhoLeadsNoMoreWhenItIsGreetedIsReplaced) {
  for (const std::string& said : {"+OK\r\n" + kMark, "+OK\r\n+hidden\r\n" + kMark,
                                  "+OK\r\n+hidden\r\n+hidden\r\n" + kMark + "*4\r\n"}) {
    Arrive({.client = nullptr, .introduction = "who\r\n", .unheard = 2, .bytes = "one "});
    leader_ = Dial();
    AdvanceAll(0);
    Send(*leader_, said);
    AdvanceAll(0);
    DialNext("who\r\n", "+hidden\r\n+hidden\r\n", 0);
    EXPECT_EQ(Received(*leader_), "one ");
    EXPECT_EQ(Received(*client_), "");
  }
  EXPECT_EQ(tallies_.lost, 0u);
  EXPECT_EQ(tallies_.returned, 0u);
}

// --- Returning ---

// The test is the server that passed a client on: its connection is the guest's.
class Returning : public GuestTest {
 protected:
  void Return(std::string introduction, size_t unheard, std::string bytes) {
    Arrive({.client = nullptr,
            .introduction = std::move(introduction),
            .unheard = unheard,
            .bytes = std::move(bytes),
            .version = resp::Version::k3,
            .mark = kMark});
    EXPECT_EQ(guest_->phase(), Phase::kReturning);
    AdvanceAll(0);
    EXPECT_EQ(Received(*client_), kMark);
    EXPECT_FALSE(guest_->may_depart());
    EXPECT_FALSE(guest_->may_read_here());
  }
  static std::string Array(std::string introduction, size_t unheard, std::string bytes) {
    return GivenBack({.client = nullptr,
                      .introduction = std::move(introduction),
                      .unheard = unheard,
                      .bytes = std::move(bytes),
                      .version = resp::Version::k3});
  }
};

TEST_F(Returning, ItSaysWhoTheClientIsAndWhatNobodyBegan) {
  for (const bool forward : {true, false}) {
    settings_.forward = forward;
    Return("who\r\n", 2, "one ");
    Send(*client_, "two ");
    AdvanceAll(10);
    Send(*client_, "three");
    EXPECT_EQ(Received(*client_), "");
    client_->FinishWrites();
    AdvanceAll(20);
    EXPECT_EQ(Received(*client_), Array("who\r\n", 2, "one two three") + "$");
    EXPECT_EQ(guest_->phase(), Phase::kGone);
  }
  EXPECT_EQ(tallies_.unled + tallies_.lost + tallies_.refused_commands, 0u);
}

TEST_F(Returning, ThereMayBeNothingToSay) {
  Return("", 0, "");
  client_->FinishWrites();
  AdvanceAll(10);
  EXPECT_EQ(Received(*client_), Array("", 0, "") + "$");
}

TEST_F(Returning, WhoseSideIsFullGetsItAllTheSame) {
  Return("", 0, std::string(3000, 'b'));
  client_->FinishWrites();
  std::string all;
  for (int i = 0; i < 10 && !all.ends_with('$'); ++i) {
    AdvanceAll(10);
    all += Received(*client_);
  }
  EXPECT_EQ(all, Array("", 0, std::string(3000, 'b')) + "$");
}

TEST_F(Returning, WhoDoesNotEndIsClosed) {
  Return("who\r\n", 1, "one ");
  AdvanceAll(kSecond - 1);
  EXPECT_EQ(guest_->phase(), Phase::kReturning);
  AdvanceAll(kSecond);
  EXPECT_EQ(guest_->phase(), Phase::kLeaving);
  EXPECT_EQ(Received(*client_), "$");
  AdvanceAll(10 * kSecond);
  EXPECT_EQ(guest_->phase(), Phase::kGone);
}

TEST_F(Returning, WhoAsksForTooMuchIsClosed) {
  Return("", 0, std::string(command::kCarriedBytes, 'b'));
  const std::string much(900, 'x');
  size_t sent = 0;
  while (sent < 2 * kGivenBytes && guest_->phase() == Phase::kReturning) {
    Send(*client_, much);
    sent += much.size();
    AdvanceAll(10);
  }
  EXPECT_EQ(guest_->phase(), Phase::kLeaving);
  EXPECT_GT(sent, command::kCarriedBytes);
  EXPECT_EQ(Received(*client_), "$");
}

TEST_F(Returning, WhoIsGoneIsForgotten) {
  Arrive({.client = nullptr, .bytes = "one ", .mark = kMark});
  client_.reset();
  AdvanceAll(0);
  EXPECT_EQ(guest_->phase(), Phase::kGone);
}

// --- Both ---

// What the leader began it answers, and the next one does the rest: everything once, in order.
TEST_F(TakingBack, OfAHundredRequestsEachIsDoneOnce) {
  for (const size_t begun : {0, 1, 40, 99, 100}) {
    for (const size_t received : {begun, std::min<size_t>(begun + 3, 100), size_t{100}}) {
      SCOPED_TRACE(std::to_string(begun) + " begun of " + std::to_string(received));
      std::string asked;
      std::string replies;
      for (size_t i = 0; i < 100; ++i) {
        asked += std::to_string(100 + i) + "\r\n";
        replies += "+" + std::to_string(100 + i) + "\r\n";
      }
      Enter();
      Send(*client_, asked.substr(0, 300));
      AdvanceAll(0);
      leader_ = DialGreeted();
      AdvanceAll(0);
      Send(*client_, asked.substr(300));
      AdvanceAll(0);
      std::string read(5 * received + (received < 100 ? 2 : 0),
                       '\0');  // the service's, to within one
      ASSERT_EQ(leader_->Read(read).value().bytes, read.size());
      Send(*leader_, replies.substr(0, 6 * begun));
      const std::unique_ptr<runtime::Poller> poller = network_->NewPoller();
      Surroundings others = surroundings_;
      others.poller = poller.get();
      Guest other(others,
                  {.client = std::move(leader_), .bytes = read.substr(5 * begun), .mark = kMark}, 0,
                  0);
      for (int i = 0; i < 5; ++i) {
        std::array<runtime::Ready, 4> ready;
        const size_t count = poller->Wait(ready, 0);
        for (size_t j = 0; j < count; ++j) {
          other.NoticedClient(ready[j]);
        }
        while (other.Advance(10)) {
        }
        AdvanceAll(10);
      }
      EXPECT_EQ(other.phase(), Phase::kGone);
      if (begun < 100) {
        DialNext("", "", 20);
        EXPECT_EQ(Received(*leader_), asked.substr(5 * begun));
        Send(*leader_, replies.substr(6 * begun));
        AdvanceAll(30);
        EXPECT_EQ(guest_->phase(), Phase::kPassing);
      } else {
        EXPECT_EQ(guest_->phase(), Phase::kSilent);
      }
      EXPECT_EQ(Received(*client_), replies);
      guest_.reset();
    }
  }
  EXPECT_EQ(tallies_.lost, 0u);
}

}  // namespace

}  // namespace luna::follower
