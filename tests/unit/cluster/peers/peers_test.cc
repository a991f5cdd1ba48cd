#include "cluster/peers/peers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "simulation/sim_transport/sim_net.h"
#include "simulation/sim_transport/sim_transport.h"
#include "simulation/simulated_runtime.h"

namespace luna::peers {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

// A server that is what the test says.
class Scripted final : public Member {
 public:
  wire::StandingReply Standing() override {
    const wire::StandingReply reply = standing;
    if (const auto then = std::exchange(looked_at, nullptr)) {
      then();
    }
    return reply;
  }
  Result<wire::ReadIndexReply> ReadIndex(uint64_t /*budget_nanos*/) override {
    if (standing.role != "leading") {
      return Error(Reason::kFenced, "another leads");
    }
    return wire::ReadIndexReply{
        .epoch = standing.epoch, .sequence = standing.applied, .published = standing.applied - 1};
  }
  std::optional<Handover> HandedOver() override { return handed_over; }
  void Hint(const wire::Appended& hint) override {
    ++hints;
    if (hint.last) {
      ++last_hints;
      last_hint = hint;
    }
    if (hinted) {
      hinted();
    }
  }
  Result<wire::PrepareReply> Prepare(uint64_t /*epoch*/, uint64_t /*budget_nanos*/) override {
    return wire::PrepareReply{.applied = standing.applied, .ready = true};
  }
  wire::StandingReply standing;
  int hints = 0;
  int last_hints = 0;
  wire::Appended last_hint;
  std::function<void()> hinted;
  std::function<void()> looked_at;  // once, when the next Standing() is made
  std::optional<Handover> handed_over;
};

class PeersTest : public testing::Test {
 protected:
  // One of three servers: "a" leads, "b" and "c" follow it.
  struct Server {
    Server(simulation::SimulatedRuntime& world, sim_transport::SimNet& net, const std::string& host,
           const std::string& group = "u/group-1")
        : self{.clients = host + ":6479", .peers = host + ":7479"},
          transport(sim_transport::NewSimTransport(net, host, world)),
          peers(world, *transport, member, {.group = group, .self = self, .build = "1.0"}) {
      member.standing.role = "following";
      member.standing.epoch = 3;
      member.standing.applied = 61;
      member.standing.leader = {.clients = "a:6479", .peers = "a:7479"};
      peers.Start(self.peers).value();
    }
    wire::Server self;
    Scripted member;
    std::unique_ptr<transport::Transport> transport;
    Peers peers;
  };

  PeersTest() { Lead(a_); }
  static void Lead(Server& server) {
    server.member.standing.role = "leading";
    server.member.standing.applied = 70;
  }
  // What `a` is then, and says; nothing of its stream.
  void GiveLeadTo(const std::string& target) {
    a_.member.standing.role = "following";
    a_.member.handed_over = {.epoch = 3, .tail = 71, .target = target};
  }
  void ExpectToldOnceThatItIsGivenTo(const std::string& target) {
    for (const Server* server : {&b_, &c_}) {
      EXPECT_EQ(server->member.last_hints, 1) << server->self.clients;
      EXPECT_EQ(server->member.last_hint.epoch, 3u) << server->self.clients;
      EXPECT_EQ(server->member.last_hint.tail, 71u) << server->self.clients;
      EXPECT_EQ(server->member.last_hint.target, target) << server->self.clients;
    }
  }
  // Waits for the answer.
  Result<wire::ReadIndexReply> ReadIndex(Server& server) {
    const auto answered = world_.NewEvent();
    std::optional<Result<wire::ReadIndexReply>> index;
    server.peers.ReadIndex(kSecond, [&](Result<wire::ReadIndexReply> reply) {
      index = std::move(reply);
      answered->Set();
    });
    answered->Wait();
    return *index;
  }
  bool IsFollower(const Server& server) {
    return std::ranges::any_of(a_.peers.followers(), [&](const Follower& follower) {
      return follower.server == server.self;
    });
  }

  simulation::SimulatedRuntime world_{1};
  const simulation::SimulatedRuntime::Stay stay_{world_};
  sim_transport::SimNet net_{world_, world_.trace(), 1};
  Server a_{world_, net_, "a"};
  Server b_{world_, net_, "b"};
  Server c_{world_, net_, "c"};
};

TEST_F(PeersTest, LeadersKnowWhoFollowsAndForgetTheSilent) {
  world_.Sleep(2 * kSecond);
  EXPECT_TRUE(IsFollower(b_));
  EXPECT_TRUE(IsFollower(c_));
  ASSERT_EQ(a_.peers.followers().size(), 2u);
  EXPECT_EQ(a_.peers.followers()[0].applied, 61u);
  EXPECT_TRUE(b_.peers.followers().empty());
  net_.SetCut("b", "a", true);
  world_.Sleep(7 * kSecond);
  EXPECT_FALSE(IsFollower(b_));
  EXPECT_TRUE(IsFollower(c_));
  net_.SetCut("b", "a", false);
  world_.Sleep(3 * kSecond);
  EXPECT_TRUE(IsFollower(b_));
}

TEST_F(PeersTest, ANewLeaderHearsOfItsFollowersSoon) {
  world_.Sleep(2 * kSecond + kSecond / 10);
  a_.member.standing.role = "following";
  Lead(b_);
  for (Server* server : {&a_, &b_, &c_}) {
    server->member.standing.leader = b_.self;
  }
  world_.Sleep(kSecond / 4);
  EXPECT_EQ(b_.peers.followers().size(), 2u);
}

TEST_F(PeersTest, AppendsAreHintedToFollowers) {
  world_.Sleep(2 * kSecond);
  const int before = b_.member.hints;
  a_.peers.Appended();
  world_.Sleep(kSecond / 100);
  EXPECT_EQ(b_.member.hints, before + 1);
  EXPECT_EQ(c_.member.hints, before + 1);
  EXPECT_EQ(a_.member.hints, 0);
}

TEST_F(PeersTest, FollowersHearOfTheAppendThatGaveTheLeadAway) {
  world_.Sleep(2 * kSecond);
  a_.peers.Appended();
  world_.Sleep(kSecond / 100);
  EXPECT_EQ(b_.member.last_hints, 0);
  GiveLeadTo("b:6479");
  a_.peers.Appended();
  world_.Sleep(kSecond / 100);
  ExpectToldOnceThatItIsGivenTo("b:6479");
}

// The last hint was once taken for told in these two: who was given the lead did not hear of it.
TEST_F(PeersTest, ALeadGivenAwayBetweenALookAndItsHintsIsTold) {
  world_.Sleep(2 * kSecond);
  a_.member.looked_at = [this] {
    GiveLeadTo("b:6479");
    a_.peers.Appended();
  };
  a_.peers.Appended();
  world_.Sleep(kSecond / 100);
  ExpectToldOnceThatItIsGivenTo("b:6479");
}

TEST_F(PeersTest, ALeadGivenAwayIsToldBeforeItsAppendIsCounted) {
  world_.Sleep(2 * kSecond);
  GiveLeadTo("b:6479");
  a_.member.standing.leader = b_.self;
  world_.Sleep(kSecond / 4);  // it looks now and then, and forgets its followers
  a_.peers.Appended();
  world_.Sleep(kSecond / 100);
  ExpectToldOnceThatItIsGivenTo("b:6479");
}

TEST_F(PeersTest, TheLastHintWaitsForNoOther) {
  world_.Sleep(2 * kSecond);
  net_.SetFaults({.delay_least_nanos = 30'000'000, .delay_most_nanos = 30'000'000});
  a_.peers.Appended();
  world_.Sleep(kSecond / 100);  // that one is on its way
  GiveLeadTo("b:6479");
  a_.member.standing.leader = {};
  a_.peers.Appended();
  world_.Sleep(kSecond / 10);
  ExpectToldOnceThatItIsGivenTo("b:6479");
}

TEST_F(PeersTest, WhoIsGivenTheLeadHearsOfItFirst) {
  world_.Sleep(2 * kSecond);
  net_.SetFaults({.delay_least_nanos = 1'000'000, .delay_most_nanos = 1'000'000});
  std::string order;
  b_.member.hinted = [&] { order += "b"; };
  c_.member.hinted = [&] { order += "c"; };
  GiveLeadTo("c:6479");
  a_.peers.Appended();
  world_.Sleep(kSecond / 10);
  EXPECT_EQ(order, "cb");
}

TEST_F(PeersTest, HintsOfManyAppendsBecomeFew) {
  world_.Sleep(2 * kSecond);
  const int before = b_.member.hints;
  net_.SetFaults({.delay_least_nanos = 10'000'000, .delay_most_nanos = 10'000'000});
  for (int i = 0; i < 1000; ++i) {
    a_.peers.Appended();
    world_.Sleep(10'000);
  }
  world_.Sleep(kSecond / 10);
  EXPECT_GE(b_.member.hints, before + 2);
  EXPECT_LE(b_.member.hints, before + 3);
}

TEST_F(PeersTest, QuickAnswersDoNotMakeHintsMany) {
  world_.Sleep(2 * kSecond);
  const int before = b_.member.hints;
  for (int i = 0; i < 1000; ++i) {
    a_.peers.Appended();
    world_.Sleep(100'000);
  }
  world_.Sleep(kSecond / 10);
  EXPECT_GE(b_.member.hints, before + 4);
  EXPECT_LE(b_.member.hints, before + 7);
}

TEST_F(PeersTest, AHintThatWasLostIsFollowedByTheNext) {
  world_.Sleep(2 * kSecond);
  net_.SetFaults({.lost_request_per_mille = 1000});
  a_.peers.Appended();
  world_.Sleep(kSecond / 2);
  const int before = b_.member.hints;
  a_.peers.Appended();  // while the first is still waited for
  net_.SetFaults({});
  world_.Sleep(2 * kSecond);
  EXPECT_EQ(b_.member.hints, before + 1);
}

TEST_F(PeersTest, ReadIndexesComeFromTheLeader) {
  EXPECT_EQ(ReadIndex(b_).value(),
            (wire::ReadIndexReply{.epoch = 3, .sequence = 70, .published = 69}));
}

TEST_F(PeersTest, WhoLeadsNoMoreSaysWhoDoes) {
  a_.member.standing.role = "following";
  a_.member.standing.leader = b_.self;
  const auto index = ReadIndex(c_);
  ASSERT_FALSE(index.ok());
  EXPECT_EQ(index.error().reason(), Reason::kFenced);
  EXPECT_NE(index.error().message().find("b:6479"), std::string::npos);
}

TEST_F(PeersTest, WithoutAKnownLeaderThereIsNobodyToAsk) {
  c_.member.standing.leader = {.clients = "a:6479", .peers = ""};  // of a build without peers
  EXPECT_EQ(ReadIndex(c_).error().reason(), Reason::kUnreachable);
  EXPECT_NE(ReadIndex(c_).error().message().find("a:6479 leads, and has no peer-listen"),
            std::string::npos);
  c_.member.standing.leader = {};
  EXPECT_NE(ReadIndex(c_).error().message().find("no leader is known"), std::string::npos);
}

TEST_F(PeersTest, CutOffFollowersAreAnsweredByTheirDeadline) {
  net_.SetCut("a", "b", true);
  const uint64_t began = world_.clock().MonotonicNanos();
  EXPECT_EQ(ReadIndex(b_).error().reason(), Reason::kDeadline);
  EXPECT_LT(world_.clock().MonotonicNanos() - began, 2 * kSecond);
}

TEST_F(PeersTest, FollowersArePreparedByName) {
  world_.Sleep(2 * kSecond);
  b_.member.standing.applied = 69;
  std::optional<Result<wire::PrepareReply>> prepared;
  const auto note = [&](const Result<wire::PrepareReply>& reply) { prepared = reply; };
  a_.peers.Prepare("b:6479", kSecond, note);
  world_.Sleep(kSecond);
  ASSERT_TRUE(prepared.has_value());
  EXPECT_EQ(prepared->value().applied, 69u);
  EXPECT_TRUE(prepared->value().ready);
  a_.peers.Prepare("nobody:1", kSecond, note);
  EXPECT_EQ(prepared->error().reason(), Reason::kUnreachable);
}

TEST_F(PeersTest, AnyoneMayAskHowAServerStands) {
  const auto standing = c_.peers.Ask("a:7479", kSecond).value();
  EXPECT_EQ(standing.server, a_.self);
  EXPECT_EQ(standing.role, "leading");
  EXPECT_EQ(standing.applied, 70u);
  EXPECT_EQ(standing.build, "1.0");
}

TEST_F(PeersTest, ServersOfAnotherUniverseAreToldSo) {
  Server stranger(world_, net_, "d", "other/group-1");
  const auto standing = stranger.peers.Ask("a:7479", kSecond);
  ASSERT_FALSE(standing.ok());
  EXPECT_EQ(standing.error().reason(), Reason::kBadName);
  EXPECT_NE(standing.error().message().find("other/group-1"), std::string::npos);
  world_.Sleep(2 * kSecond);
  EXPECT_FALSE(IsFollower(stranger));
}

TEST_F(PeersTest, ANewLeaderBeginsWithNobody) {
  world_.Sleep(2 * kSecond);
  ASSERT_EQ(a_.peers.followers().size(), 2u);
  for (Server* server : {&a_, &b_, &c_}) {
    server->member.standing.leader = b_.self;
  }
  a_.member.standing.role = "following";
  Lead(b_);
  world_.Sleep(3 * kSecond);
  EXPECT_TRUE(a_.peers.followers().empty());
  EXPECT_EQ(b_.peers.followers().size(), 2u);
  const int before = a_.member.hints;
  b_.peers.Appended();
  world_.Sleep(kSecond / 100);
  EXPECT_EQ(a_.member.hints, before + 1);
}

TEST_F(PeersTest, TakenAddressesAreErrorsOfStart) {
  Scripted member;
  Peers other(world_, *a_.transport, member, {.group = "u/group-1"});
  EXPECT_EQ(other.Start("a:7479").error().reason(), Reason::kAddressInUse);
}

}  // namespace
}  // namespace luna::peers
