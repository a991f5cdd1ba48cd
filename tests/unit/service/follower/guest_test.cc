#include "service/follower/guest.h"

#include <gtest/gtest.h>

#include "runtime/tls/tls_network.h"
#include "support/certificate_files.h"
#include "unit/service/follower/guest_world.h"

namespace luna::follower {

namespace {

TEST_F(GuestTest, FirstBytesMakeItSeek) {
  Enter();
  AdvanceAll(0);
  EXPECT_EQ(guest_->phase(), Phase::kSilent);
  Send(*client_, "x");
  AdvanceAll(1);
  EXPECT_EQ(guest_->phase(), Phase::kSeeking);
}

TEST_F(GuestTest, ItWaitsForALeaderFromItsFirstBytesOn) {
  Enter();
  surroundings_.leader.clear();
  Send(*client_, "x");
  AdvanceAll(3000);
  AdvanceAll(3999);
  EXPECT_EQ(guest_->phase(), Phase::kSeeking);
  AdvanceAll(4000);
  EXPECT_EQ(guest_->phase(), Phase::kLeaving);
  EXPECT_EQ(Received(*client_),
            "-TRYAGAIN no server leads the group just now; try again later\r\n$");
  EXPECT_EQ(tallies_.unled, 1u);
  client_.reset();
  AdvanceAll(4001);
  EXPECT_EQ(guest_->phase(), Phase::kGone);
}

TEST_F(GuestTest, ThoseThatAskNothingAreClosed) {
  Enter(100);
  AdvanceAll(5099);
  EXPECT_EQ(guest_->phase(), Phase::kSilent);
  AdvanceAll(5100);
  EXPECT_EQ(guest_->phase(), Phase::kGone);
}

TEST_F(GuestTest, ThoseThatOnlyLookedInAreGone) {
  Enter();
  client_.reset();
  AdvanceAll(0);
  EXPECT_EQ(guest_->phase(), Phase::kGone);
}

TEST_F(GuestTest, BytesFromBeforeTheDialComeFirst) {
  Enter();
  Send(*client_, "one ");
  AdvanceAll(0);
  const auto leader = Dial();
  EXPECT_EQ(guest_->phase(), Phase::kDialing);
  Send(*client_, "two");
  AdvanceAll(0);
  EXPECT_EQ(guest_->phase(), Phase::kPassing);
  EXPECT_EQ(Received(*leader), kLeads);
  Send(*leader, "+OK\r\n");
  AdvanceAll(0);
  EXPECT_EQ(Received(*leader), "one two");
  Send(*leader, "three");
  AdvanceAll(100'000);  // no deadline any more
  EXPECT_EQ(Received(*client_), "three");
  EXPECT_EQ(tallies_.to_leader_bytes, 7u);
  EXPECT_EQ(tallies_.to_client_bytes, 5u);
}

TEST_F(GuestTest, EndsArePassedOnBothWays) {
  Enter();
  Send(*client_, "bye");
  AdvanceAll(0);
  const auto leader = DialGreeted();
  client_->FinishWrites();
  AdvanceAll(0);
  EXPECT_EQ(Received(*leader), "bye$");
  EXPECT_EQ(guest_->phase(), Phase::kPassing);
  Send(*leader, "and you");
  leader->FinishWrites();
  AdvanceAll(0);
  EXPECT_EQ(Received(*client_), "and you$");
  EXPECT_EQ(guest_->phase(), Phase::kGone);
  EXPECT_EQ(tallies_.lost, 0u);
}

TEST_F(GuestTest, AnEndOfTheLeaderIsHeardAtOnceAndFinalSoon) {
  Enter();
  Send(*client_, "x");
  AdvanceAll(0);
  const auto leader = DialGreeted();
  AdvanceAll(0);
  leader->FinishWrites();
  AdvanceAll(10);
  EXPECT_EQ(Received(*client_), "$");
  EXPECT_EQ(guest_->phase(), Phase::kPassing);
  Send(*client_, "y");
  AdvanceAll(20);
  EXPECT_EQ(Received(*leader), "xy");
  AdvanceAll(10'000'000'000);
  EXPECT_EQ(guest_->phase(), Phase::kGone);
}

TEST_F(GuestTest, ALeaderThatTakesNothingMoreIsLost) {
  Enter();
  Send(*client_, "x");
  AdvanceAll(0);
  auto leader = DialGreeted();
  AdvanceAll(0);
  Send(*leader, "half a rep");
  leader.reset();
  Send(*client_, "y");
  AdvanceAll(0);
  EXPECT_EQ(Received(*client_), "half a rep$");
  EXPECT_EQ(guest_->phase(), Phase::kLeaving);
  EXPECT_EQ(tallies_.lost, 1u);
}

TEST_F(GuestTest, AnotherLeaderEndsIt) {
  Enter();
  Send(*client_, "x");
  AdvanceAll(0);
  const auto leader = DialGreeted();
  AdvanceAll(0);
  surroundings_.leader.clear();
  AdvanceAll(0);
  EXPECT_EQ(guest_->phase(), Phase::kPassing);
  surroundings_.leader = "1.0.0.2:1";
  AdvanceAll(0);
  Send(*leader, "late");  // it may still answer, for a moment
  AdvanceAll(250 * kMilli - 1);
  EXPECT_EQ(guest_->phase(), Phase::kPassing);
  EXPECT_EQ(Received(*client_), "late");
  AdvanceAll(250 * kMilli);
  EXPECT_EQ(guest_->phase(), Phase::kLeaving);
  EXPECT_EQ(Received(*client_), "$");
  EXPECT_EQ(Received(*leader), "x$");
  EXPECT_EQ(tallies_.lost, 1u);
}

TEST_F(GuestTest, ALeaderThatLeadsAgainIsKept) {
  Enter();
  Send(*client_, "x");
  AdvanceAll(0);
  const auto leader = DialGreeted();
  AdvanceAll(0);
  for (uint64_t now = 0; now < kSecond; now += 300 * kMilli) {
    surroundings_.leader = "1.0.0.2:1";
    AdvanceAll(now);
    surroundings_.leader = "1.0.0.1:1";
    AdvanceAll(now + 200 * kMilli);
    EXPECT_EQ(guest_->phase(), Phase::kPassing);
  }
}

// Were it kept, two servers that once took each other for the leader would go on passing bytes in a
// circle.
TEST_F(GuestTest, WhenItsServerIsToLeadAConnectionToTheFormerLeaderEnds) {
  Enter();
  Send(*client_, "x");
  AdvanceAll(0);
  const auto leader = DialGreeted();
  AdvanceAll(0);
  surroundings_.leader.clear();
  surroundings_.leads_itself = true;
  AdvanceAll(0);
  EXPECT_EQ(guest_->phase(), Phase::kPassing);
  AdvanceAll(250 * kMilli);
  EXPECT_EQ(guest_->phase(), Phase::kLeaving);
  EXPECT_EQ(Received(*client_), "$");
}

TEST_F(GuestTest, ClientsThatKeepTalkingAfterTheEndAreClosedInTheEnd) {
  Enter();
  surroundings_.leader.clear();
  Send(*client_, "x");
  AdvanceAll(0);
  AdvanceAll(1000);
  EXPECT_EQ(guest_->phase(), Phase::kLeaving);
  for (int i = 0; i < 5; ++i) {
    Send(*client_, std::string(900, 'y'));  // is taken, so that the last words are not lost
    AdvanceAll(2000);
  }
  EXPECT_EQ(guest_->phase(), Phase::kLeaving);
  AdvanceAll(10'000'000'000);
  EXPECT_EQ(guest_->phase(), Phase::kGone);
  EXPECT_TRUE(Received(*client_).starts_with("-TRYAGAIN "));
}

TEST_F(GuestTest, RefusedOnesPauseWhileTheirRepliesAreNotTaken) {
  settings_.forward = false;
  Enter();
  EXPECT_EQ(guest_->phase(), Phase::kRefused);
  std::string commands;
  for (int i = 0; i < 100; ++i) {
    commands += "GET k\r\n";
  }
  Send(*client_, commands);
  AdvanceAll(0);
  const uint64_t answered = tallies_.refused_commands;
  EXPECT_EQ(answered, 100u);  // one read, answered whole
  Send(*client_, commands);
  AdvanceAll(0);
  EXPECT_EQ(tallies_.refused_commands, answered);
  std::string replies;
  for (int i = 0; i < 50; ++i) {
    replies += Received(*client_);
    AdvanceAll(10);
  }
  EXPECT_EQ(tallies_.refused_commands, 200u);
  const std::string one = "-" + command::RefusalText("1.0.0.1:1") + "\r\n";
  EXPECT_EQ(replies.size(), 200 * one.size());
  EXPECT_TRUE(replies.starts_with(one));
  AdvanceAll(5009);
  EXPECT_EQ(guest_->phase(), Phase::kRefused);
  AdvanceAll(5010);
  EXPECT_EQ(guest_->phase(), Phase::kGone);
}

// Clients and leader speak TLS; the leader asks for a certificate, which this server does not show.
class TlsGuestTest : public GuestTest {
 protected:
  TlsGuestTest() {
    network_of_clients_.Reload().value();
    asking_.Reload().value();
    settings_.handshake_nanos = 700;
    surroundings_.poller = tls_poller_.get();
  }
  ~TlsGuestTest() override { guest_.reset(); }

  // Leaves the handshake to the two.
  std::unique_ptr<runtime::Socket> EnterWithTls() {
    const auto listener = network_of_clients_.Listen("localhost:1").value();
    auto client = client_network_.Begin("localhost:1", 0).value();
    guest_.emplace(surroundings_, listener->Accept().value(), 0, 0);
    return client;
  }
  // What the test says to the guest and what the guest does go on in turns.
  void AdvanceWith(runtime::Socket& other, uint64_t now_nanos) {
    for (int i = 0; i < 6; ++i) {
      static_cast<void>(other.Read({}).ok());
      std::array<runtime::Ready, 4> ready;
      const size_t count = tls_poller_->Wait(ready, 0);
      for (size_t j = 0; j < count; ++j) {
        ready[j].tag == 0 ? guest_->NoticedClient(ready[j]) : guest_->NoticedLeader(ready[j]);
      }
      while (guest_->Advance(now_nanos)) {
      }
    }
  }

  support::CertificateFiles files_;
  tls::TlsNetwork network_of_clients_{files_.runtime(), *network_, files_.Settings()};
  tls::TlsNetwork asking_{files_.runtime(), *network_, files_.Settings(tls::ClientAuth::kRequired)};
  tls::TlsNetwork client_network_{files_.runtime(), *network_, {.ca_file = files_.Path("ca.pem")}};
  const std::unique_ptr<runtime::Poller> tls_poller_ = network_of_clients_.NewPoller();
};

TEST_F(TlsGuestTest, ThoseThatDoNotAgreeOnTlsAreClosedSoonerThanThoseThatAskNothing) {
  for (const bool forward : {true, false}) {
    settings_.forward = forward;
    const auto silent = EnterWithTls();
    EXPECT_FALSE(guest_->Advance(699));
    EXPECT_NE(guest_->phase(), Phase::kGone);
    EXPECT_FALSE(guest_->Advance(700));
    EXPECT_EQ(guest_->phase(), Phase::kGone);
    const auto client = EnterWithTls();
    AdvanceWith(*client, 10);
    EXPECT_TRUE(client->established());
    AdvanceWith(*client, 4999);
    EXPECT_NE(guest_->phase(), Phase::kGone);
    guest_.reset();
  }
}

TEST_F(TlsGuestTest, ALeaderThatDoesNotTakeItsCertificateIsNotReached) {
  const auto client = EnterWithTls();
  AdvanceWith(*client, 0);
  const std::string_view secret = "AUTH secret\r\n";
  ASSERT_EQ(client->Write(std::span(&secret, 1)).value().bytes, secret.size());
  AdvanceWith(*client, 0);
  ASSERT_EQ(guest_->phase(), Phase::kSeeking);
  const auto listener = asking_.Listen("localhost:2").value();
  guest_->Dial(client_network_.DialHost("127.0.0.1:2", "localhost").value(), kMark, 0);
  const auto leader = listener->Accept().value();
  for (int i = 0; i < 20; ++i) {
    AdvanceWith(*client, 0);
    std::array<char, 100> buffer;
    const auto read = leader->Read(buffer);
    EXPECT_TRUE(!read.ok() || read->bytes == 0);  // nothing of what was asked
  }
  EXPECT_EQ(guest_->phase(), Phase::kLeaving);
  EXPECT_TRUE(guest_->turned_away());
  EXPECT_EQ(tallies_.unled, 1u);
  EXPECT_EQ(tallies_.lost, 0u);
  const std::string answer = Received(*client);
  EXPECT_TRUE(
      answer.starts_with("-TRYAGAIN 1.0.0.1:1 leads the group but is not reached: TLS with"))
      << answer;
  EXPECT_NE(answer.find("certificate required"), std::string::npos) << answer;
}

// --- Greetings ---

// Nothing of a client's waits where nobody answers it, and no two servers pass it to each other.
TEST_F(GuestTest, WhoLeadsNoMoreIsPassedNothing) {
  Enter();
  Send(*client_, "asked");
  AdvanceAll(0);
  const auto former = Dial();
  AdvanceAll(0);
  EXPECT_EQ(Received(*former), kLeads);
  EXPECT_TRUE(guest_->may_depart());
  Send(*former, "-" + command::RefusalText("") + "\r\n");
  AdvanceAll(0);
  EXPECT_EQ(guest_->phase(), Phase::kSeeking);
  EXPECT_EQ(Received(*former), "$");
  const auto leader = DialGreeted();
  AdvanceAll(0);
  EXPECT_EQ(Received(*leader), "asked");
}

TEST_F(GuestTest, WhetherThisServerLeadsIsAskedOfNobodyElse) {
  for (const std::string& greeting : {kLeads, "*2" + kLeads.substr(2, 24)}) {
    Enter();
    for (const std::string& part : {greeting.substr(0, 9), greeting.substr(9)}) {
      EXPECT_EQ(guest_->phase(), Phase::kSilent);
      Send(*client_, part);
      AdvanceAll(0);
    }
    EXPECT_EQ(guest_->phase(), Phase::kLeaving);
    EXPECT_EQ(Received(*client_),
              "-READONLY this server does not lead the group; ask 1.0.0.1:1\r\n$");
  }
  Arrive({.client = nullptr, .bytes = kLeads + "*1\r\n$4\r\nPING\r\n"});
  AdvanceAll(0);
  EXPECT_EQ(Received(*client_),
            "-READONLY this server does not lead the group; ask 1.0.0.1:1\r\n$");
  Arrive({.client = nullptr, .bytes = kLeads.substr(0, 9)});
  EXPECT_EQ(guest_->phase(), Phase::kSilent);
  Send(*client_, "DATABASE");  // something else after all
  AdvanceAll(0);
  EXPECT_EQ(guest_->phase(), Phase::kSeeking);
}

// Whoever asked need not ask again and again.
TEST_F(GuestTest, WhileThisServerTakesOverTheQuestionWaits) {
  settings_.idle_nanos = 1'000'000;
  const std::string asked = kLeads + "*1\r\n$4\r\nPING\r\n";
  for (const bool leads_then : {true, false}) {
    surroundings_.takes_over = true;
    Enter();
    Send(*client_, asked);
    AdvanceAll(0);
    Send(*client_, "more");
    AdvanceAll(900'000);
    EXPECT_EQ(guest_->phase(), Phase::kSilent);
    EXPECT_EQ(Received(*client_), "");
    if (leads_then) {
      ASSERT_TRUE(guest_->may_depart());
      EXPECT_EQ(guest_->Depart().bytes, asked);  // the rest is still in the socket
    } else {
      surroundings_.takes_over = false;
      AdvanceAll(900'001);
      EXPECT_TRUE(Received(*client_).starts_with("-READONLY "));
    }
  }
}

TEST_F(GuestTest, NothingOfAClientsIsPassedOnBeforeItsIntroductionWasTaken) {
  Arrive({.client = nullptr, .introduction = "who\r\nwhere\r\n", .unheard = 2, .bytes = "first"});
  EXPECT_EQ(guest_->phase(), Phase::kSeeking);
  const auto leader = Dial();
  AdvanceAll(10);
  EXPECT_EQ(guest_->phase(), Phase::kPassing);
  EXPECT_EQ(Received(*leader), kLeads + "who\r\nwhere\r\n");
  Send(*client_, "second");
  Send(*leader, "+OK\r\n+one\r\n");
  AdvanceAll(20);
  EXPECT_EQ(Received(*leader), "");
  EXPECT_TRUE(guest_->may_depart());
  EXPECT_EQ(tallies_.forwarded, 0u);
  Send(*leader, ":2\r\n");
  AdvanceAll(30);
  EXPECT_EQ(Received(*leader), "firstsecond");
  EXPECT_FALSE(guest_->may_depart());
  EXPECT_EQ(tallies_.forwarded, 1u);
  Send(*leader, "+answer\r\n");
  AdvanceAll(10'000'000);
  EXPECT_EQ(Received(*client_), "+answer\r\n");
}

TEST_F(GuestTest, ALeaderThatDoesNotTakeTheIntroductionEndsIt) {
  Arrive({.client = nullptr, .introduction = "who\r\n", .unheard = 1, .bytes = "SET a 1\r\n"});
  const auto leader = Dial();
  AdvanceAll(10);
  EXPECT_EQ(Received(*leader), kLeads + "who\r\n");
  Send(*leader, "+OK\r\n-WRONGPASS no\r\n");
  AdvanceAll(20);
  EXPECT_EQ(guest_->phase(), Phase::kLeaving);
  EXPECT_EQ(Received(*client_), "-WRONGPASS no\r\n$");
  EXPECT_EQ(Received(*leader), "$");
  EXPECT_EQ(tallies_.lost, 1u);
}

// Nothing was asked of the first one: the second is asked, once.
TEST_F(GuestTest, ALeaderThatIsLostBeforeItWasAskedAnythingIsReplaced) {
  Arrive({.client = nullptr, .introduction = "who\r\n", .unheard = 1, .bytes = "asked"});
  for (const std::string_view ends : {"closes", "another leads", "says so"}) {
    auto leader = Dial();
    AdvanceAll(10);
    EXPECT_EQ(Received(*leader), kLeads + "who\r\n");
    if (ends == "closes") {
      leader = nullptr;
    } else if (ends == "says so") {
      Send(*leader, "-TRYAGAIN nobody leads\r\n");
    } else {
      surroundings_.leader = "1.0.0.2:1";
    }
    AdvanceAll(20);
    EXPECT_EQ(guest_->phase(), Phase::kSeeking);
    surroundings_.leader = "1.0.0.1:1";
  }
  const auto leader = Dial();
  AdvanceAll(30);
  Send(*leader, "+OK\r\n+OK\r\n");
  AdvanceAll(40);
  EXPECT_EQ(Received(*leader), kLeads + "who\r\nasked");
  EXPECT_EQ(tallies_.lost, 0u);
  EXPECT_EQ(Received(*client_), "");
}

TEST_F(GuestTest, ALeaderThatDoesNotAnswerTheIntroductionIsLeftInTime) {
  settings_.wait_nanos = 5'000'000'000;
  Arrive({.client = nullptr, .introduction = "who\r\n", .unheard = 1, .bytes = "asked"});
  const auto leader = Dial();
  AdvanceAll(10);
  AdvanceAll(999'999'999);
  EXPECT_EQ(guest_->phase(), Phase::kPassing);
  AdvanceAll(1'000'000'010);
  EXPECT_EQ(guest_->phase(), Phase::kSeeking);
  AdvanceAll(5'000'000'000);
  EXPECT_TRUE(Received(*client_).starts_with("-TRYAGAIN "));
}

TEST_F(GuestTest, WhoWasIntroducedMayBeSilentForLong) {
  Arrive({.client = nullptr, .introduction = "who\r\n", .unheard = 1});
  AdvanceAll(10'000'000);
  EXPECT_EQ(guest_->phase(), Phase::kSilent);
  Send(*client_, "asked");
  AdvanceAll(10'000'010);
  EXPECT_EQ(guest_->phase(), Phase::kSeeking);
  AdvanceAll(10'001'010);
  EXPECT_TRUE(Received(*client_).starts_with("-TRYAGAIN "));
}

TEST_F(GuestTest, WhoDepartsTakesWhatItSaidAlong) {
  Arrive({.client = nullptr,
          .introduction = "who\r\n",
          .unheard = 1,
          .bytes = "first ",
          .version = resp::Version::k3});
  EXPECT_TRUE(guest_->may_read_here());
  const auto leader = Dial();
  AdvanceAll(10);
  EXPECT_FALSE(guest_->may_read_here());
  ASSERT_TRUE(guest_->may_depart());
  const command::Departing departing = guest_->Depart();
  EXPECT_EQ(guest_->phase(), Phase::kGone);
  EXPECT_EQ(Received(*leader), kLeads + "who\r\n$");
  EXPECT_EQ(departing.introduction, "who\r\n");
  EXPECT_EQ(departing.unheard, 1u);
  EXPECT_EQ(departing.bytes, "first ");
  EXPECT_EQ(departing.version, resp::Version::k3);
  const std::string_view words = "still there";
  EXPECT_EQ(departing.client->Write(std::span(&words, 1)).value().bytes, words.size());
  EXPECT_EQ(Received(*client_), words);
}

TEST_F(GuestTest, WhoseRequestWasPassedOnDoesNotDepart) {
  Enter();
  Send(*client_, "first");
  AdvanceAll(10);
  EXPECT_TRUE(guest_->may_depart());
  const auto leader = DialGreeted();
  EXPECT_TRUE(guest_->may_depart());
  AdvanceAll(10);
  EXPECT_FALSE(guest_->may_depart());
}

TEST_F(GuestTest, RefusedOnesDepartBetweenTwoRequests) {
  settings_.forward = false;
  Arrive({.client = nullptr, .introduction = "who\r\n", .unheard = 1, .bytes = "GET a\r\nGE"});
  AdvanceAll(10);
  EXPECT_TRUE(Received(*client_).starts_with("-READONLY "));
  Send(*client_, "T b\r\nHELLO 3\r\nGET");
  AdvanceAll(20);
  EXPECT_TRUE(guest_->may_read_here());
  const command::Departing departing = guest_->Depart();
  EXPECT_EQ(departing.introduction, "who\r\n*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n");
  EXPECT_EQ(departing.unheard, 2u);
  EXPECT_EQ(departing.bytes, "GET");
  EXPECT_EQ(tallies_.refused_commands, 2u);
}

TEST_F(GuestTest, RefusedOnesAreAnsweredBeforeTheirEnd) {
  settings_.forward = false;
  Enter();
  Send(*client_, "PING\r\nPING\r\n");
  client_->FinishWrites();
  AdvanceAll(0);
  EXPECT_EQ(Received(*client_), "+PONG\r\n+PONG\r\n$");
  EXPECT_EQ(guest_->phase(), Phase::kGone);
}

}  // namespace

}  // namespace luna::follower
