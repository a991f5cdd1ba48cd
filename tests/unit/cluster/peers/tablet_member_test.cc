#include "cluster/peers/tablet_member.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/try.h"
#include "simulation/sim_kernel/sim_kernel.h"
#include "simulation/simulated_runtime.h"

namespace luna::peers {
namespace {

constexpr uint64_t kMilli = 1'000'000;
constexpr uint64_t kSecond = 1'000 * kMilli;

// Keeps the collection that tests write to.
class TestServing final : public tablet_server::Serving {
 public:
  Status Serve(Universe& universe) override {
    const auto database = TRY(universe.OpenOrCreateDatabase("d"));
    collection = TRY(database->OpenOrCreateCollection("c"));
    return {};
  }
  void StopServing() override { collection.reset(); }
  Status Follow() override { return {}; }
  void StopFollowing() override {}
  std::shared_ptr<Collection> collection;
};

struct Node {
  Node(simulation::SimulatedRuntime& world, sim_kernel::SimStore& store, const std::string& name,
       std::function<void()> appended = {})
      : kernel(sim_kernel::SimKernel::Open(store, world, "sim:u").value()) {
    tablet_server::TabletServerOptions options;
    options.universe.memory_budget_bytes = uint64_t{64} << 20;
    options.replica = {.settings = {.lease_nanos = 500 * kMilli, .jitter_nanos = 50 * kMilli},
                       .server = name,
                       .peers = name + "0",
                       .appended = std::move(appended)};
    server = tablet_server::TabletServer::Open(*kernel, options, serving).value();
    member = std::make_unique<TabletMember>(world, *server);
    server->Start().value();
  }
  bool leads() const { return server->standing().role == "leading"; }

  const std::unique_ptr<sim_kernel::SimKernel> kernel;
  TestServing serving;
  std::unique_ptr<tablet_server::TabletServer> server;
  std::unique_ptr<TabletMember> member;
};

class TabletMemberTest : public testing::Test {
 protected:
  void InWorld(uint64_t seed, const std::function<void()>& body) {
    world_ = std::make_unique<simulation::SimulatedRuntime>(seed);
    world_->Run([&] {
      sim_kernel::SimStore store(*world_, world_->trace(), seed);
      store_ = &store;
      body();
    });
  }
  std::unique_ptr<Node> NewNode(const std::string& name) {
    return std::make_unique<Node>(*world_, *store_, name);
  }
  void Cut(const Node& node, sim_kernel::Cut cut) {
    store_->wire().SetCut(node.kernel->server(), cut);
  }
  void Await(const std::function<bool()>& what, uint64_t most = 5 * kSecond) {
    const uint64_t began = Now();
    while (!what()) {
      ASSERT_LT(Now() - began, most) << "does not happen";
      world_->Sleep(kMilli);
    }
  }
  uint64_t Now() { return world_->clock().MonotonicNanos(); }

  std::unique_ptr<simulation::SimulatedRuntime> world_;
  sim_kernel::SimStore* store_ = nullptr;
};

TEST_F(TabletMemberTest, LeadersAndFollowersSayHowTheyStand) {
  InWorld(1, [&] {
    const auto a = NewNode("a:1");
    Await([&] { return a->leads(); });
    const auto b = NewNode("b:1");
    Await([&] { return b->server->standing().leader == "a:1"; });
    const wire::StandingReply leading = a->member->Standing();
    EXPECT_EQ(leading.role, "leading");
    EXPECT_EQ(leading.leader, (wire::Server{.clients = "a:1", .peers = "a:10"}));
    EXPECT_GT(leading.applied, 0u);
    EXPECT_EQ(leading.complete_age_millis, 0u);
    wire::StandingReply following = b->member->Standing();
    EXPECT_EQ(following.role, "following");
    EXPECT_EQ(following.leader, leading.leader);
    EXPECT_EQ(following.complete_age_millis, wire::StandingReply::kNever);
    const uint64_t complete = Now();
    b->member->Follows(FollowedHere{
        .hint = [] {}, .applied = [] { return 7; }, .complete_nanos = [=] { return complete; }});
    world_->Sleep(20 * kMilli);
    following = b->member->Standing();
    EXPECT_EQ(following.applied, 7u);
    EXPECT_GE(following.complete_age_millis, 20u);
    EXPECT_LT(following.complete_age_millis, 40u);
  });
}

TEST_F(TabletMemberTest, ReadIndexesHoldWhatWasAcknowledged) {
  InWorld(2, [&] {
    const auto a = NewNode("a:1");
    Await([&] { return a->leads(); });
    const uint64_t before = a->member->ReadIndex(kSecond).value().sequence;
    ASSERT_TRUE(a->serving.collection->Put("k", "v").ok());
    const wire::ReadIndexReply after = a->member->ReadIndex(kSecond).value();
    EXPECT_GT(after.sequence, before);
    EXPECT_EQ(after.epoch, a->server->standing().epoch);
    const auto b = NewNode("b:1");
    EXPECT_EQ(b->member->ReadIndex(kSecond).error().reason(), Reason::kFenced);
  });
}

// What is in the stream, followers have; the leader's own readers see it only a little later.
TEST_F(TabletMemberTest, WhatIsAcknowledgedByTheStreamIsNotPublishedYet) {
  InWorld(4, [&] {
    Node* asked = nullptr;
    std::optional<wire::ReadIndexReply> between;
    std::string seen;
    Node node(*world_, *store_, "a:1", [&] {
      if (asked != nullptr && !between.has_value()) {
        between = asked->member->ReadIndex(kSecond).value();
        seen = asked->serving.collection->Get("k").value().value_or("-");
      }
    });
    Await([&] { return node.leads(); });
    ASSERT_TRUE(node.serving.collection->Put("k", "old").ok());
    const wire::ReadIndexReply before = node.member->ReadIndex(kSecond).value();
    EXPECT_EQ(before.published, before.sequence);
    asked = &node;
    ASSERT_TRUE(node.serving.collection->Put("k", "new").ok());
    asked = nullptr;
    ASSERT_TRUE(between.has_value());
    EXPECT_EQ(seen, "old");
    EXPECT_GT(between->sequence, before.sequence);
    EXPECT_EQ(between->published, before.sequence);
    const wire::ReadIndexReply after = node.member->ReadIndex(kSecond).value();
    EXPECT_GE(after.sequence, between->sequence);
    EXPECT_EQ(after.published, after.sequence);
  });
}

// A record that is no commit is published like any other: nobody waits for the next commit.
TEST_F(TabletMemberTest, NothingStaysUnpublishedWhileTheLeaderDoesNothing) {
  InWorld(5, [&] {
    const auto a = NewNode("a:1");
    Await([&] { return a->leads(); });
    ASSERT_TRUE(a->serving.collection->Put("k", "v").ok());
    ASSERT_TRUE(a->serving.collection->Flush().ok());
    const wire::ReadIndexReply index = a->member->ReadIndex(kSecond).value();
    EXPECT_EQ(index.published, index.sequence);
  });
}

// Whoever is asked, and whatever it believes: no answer is older than what was acknowledged before
// the question.
TEST_F(TabletMemberTest, DeposedLeadersAnswerNoReadIndex) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    InWorld(seed, [&] {
      std::vector<std::unique_ptr<Node>> nodes;
      nodes.push_back(NewNode("a:1"));
      nodes.push_back(NewNode("b:1"));
      uint64_t acknowledged = 0;
      uint64_t answers = 0;
      uint64_t deposed = 0;
      for (int turn = 0; turn < 3; ++turn) {
        Node* leader = nullptr;
        Await([&] {
          const auto found = std::ranges::find_if(nodes, &Node::leads);
          leader = found == nodes.end() ? nullptr : found->get();
          return leader != nullptr;
        });
        Cut(*leader, sim_kernel::Cut::kDrop);
        const uint64_t until = Now() + 2 * kSecond;
        while (Now() < until) {
          for (const auto& node : nodes) {
            const uint64_t known = acknowledged;
            const auto index = node->member->ReadIndex(kSecond);
            if (index.ok()) {
              ++answers;
              ASSERT_GE(index->sequence, known) << "seed " << seed;
            } else if (node.get() == leader) {
              ++deposed;
            }
            const auto collection = node->serving.collection;
            if (node.get() != leader && collection != nullptr &&
                collection->Put("k", std::to_string(turn)).ok()) {
              acknowledged = std::max(acknowledged, node->server->tail().value_or(0));
            }
          }
          world_->Sleep(world_->random().Next() % (50 * kMilli));
        }
        Cut(*leader, sim_kernel::Cut::kNone);
      }
      EXPECT_GT(acknowledged, 0u);
      EXPECT_GT(answers, 0u);
      EXPECT_GT(deposed, 0u);
    });
  }
}

TEST_F(TabletMemberTest, WhoIsSaidToLeadNextLeadsAtOnce) {
  InWorld(4, [&] {
    const auto a = NewNode("a:1");
    Await([&] { return a->leads(); });
    const auto b = NewNode("b:1");
    Await([&] { return b->server->followed().has_value(); });
    Await([&] { return b->server->followed()->complete_nanos != 0; });
    EXPECT_FALSE(a->member->HandedOver().has_value());
    (void)b->member->Prepare(a->server->standing().epoch, kSecond / 2);
    EXPECT_FALSE(b->server->followed().has_value());  // it reads no more
    ASSERT_TRUE(a->server->replica().Transfer("b:1").ok());
    Await([&] { return a->member->HandedOver().has_value(); });
    const Handover handover = *a->member->HandedOver();
    EXPECT_EQ(handover.target, "b:1");
    EXPECT_EQ(handover.epoch, a->server->standing().epoch);
    const uint64_t hinted = Now();
    b->member->Hint(
        {.epoch = handover.epoch, .tail = handover.tail, .last = true, .target = handover.target});
    Await([&] { return b->leads(); });
    EXPECT_LT(Now() - hinted, 500 * kMilli / 16);  // sooner than by a look
    EXPECT_EQ(b->server->standing().epoch, handover.epoch + 1);
  });
}

TEST_F(TabletMemberTest, WhoHearsThatAnotherWasNamedDoesNotReadAtOnce) {
  InWorld(4, [&] {
    const auto a = NewNode("a:1");
    Await([&] { return a->leads(); });
    const auto b = NewNode("b:1");
    Await([&] { return b->server->followed().has_value(); });
    int looks = 0;
    b->member->Follows(FollowedHere{.hint = [&] { ++looks; },
                                    .applied = [] { return 7; },
                                    .complete_nanos = [this] { return Now(); }});
    const uint64_t epoch = a->server->standing().epoch;
    b->member->Hint({.epoch = epoch, .tail = 8});
    EXPECT_EQ(looks, 1);
    b->member->Hint({.epoch = epoch, .tail = 9, .last = true, .target = "c:1"});
    EXPECT_EQ(looks, 1);
    b->member->Hint({.epoch = epoch, .tail = 9, .last = true});
    EXPECT_EQ(looks, 2);
    b->member->Follows({});
  });
}

TEST_F(TabletMemberTest, WhoIsPreparedIsGivenTheLeadByWord) {
  InWorld(8, [&] {
    const auto a = NewNode("a:1");
    Await([&] { return a->leads(); });
    const auto b = NewNode("b:1");
    Await([&] { return b->server->followed().has_value(); });
    Await([&] { return b->server->standing().leader == "a:1"; });
    b->member->Follows(FollowedHere{
        .hint = [] {}, .applied = [] { return 7; }, .complete_nanos = [this] { return Now(); }});
    ASSERT_TRUE(a->serving.collection->Put("k", "1").ok());
    ASSERT_TRUE(a->server->ExpectHandOver().ok());
    EXPECT_TRUE(b->member->Prepare(a->server->standing().epoch, kSecond / 2).value().ready);
    ASSERT_TRUE(a->serving.collection->Put("k", "2").ok());
    ASSERT_TRUE(a->server->replica().Transfer("b:1", true).ok());
    Await([&] { return a->member->HandedOver().has_value(); });
    const Handover handover = *a->member->HandedOver();
    EXPECT_EQ(handover.target, "b:1");
    const uint64_t hinted = Now();
    b->member->Hint(
        {.epoch = handover.epoch, .tail = handover.tail, .last = true, .target = handover.target});
    Await([&] { return b->leads(); });
    EXPECT_LT(Now() - hinted, 500 * kMilli / 16);
    EXPECT_EQ(b->server->standing().epoch, handover.epoch + 1);
    EXPECT_EQ(b->serving.collection->Get("k").value(), "2");
    EXPECT_TRUE(b->serving.collection->Put("k", "3").ok());
  });
}

// It ends nothing for the leader before, but its edits.
TEST_F(TabletMemberTest, WhoIsPreparedHasTakenTheManifests) {
  InWorld(6, [&] {
    const auto a = NewNode("a:1");
    Await([&] { return a->leads(); });
    const auto b = NewNode("b:1");
    Await([&] { return b->server->followed().has_value(); });
    Await([&] { return b->server->followed()->complete_nanos != 0; });
    Await([&] { return b->server->standing().leader == "a:1"; });
    EXPECT_EQ(b->server->ExpectHandOver().error().reason(), Reason::kFenced);
    ASSERT_TRUE(a->server->ExpectHandOver().ok());
    ASSERT_TRUE(a->serving.collection->Put("k", "1").ok());
    ASSERT_TRUE(b->member->Prepare(a->server->standing().epoch, kSecond / 2).ok());
    EXPECT_EQ(a->serving.collection->Flush().error().reason(), Reason::kFenced);
    ASSERT_TRUE(a->serving.collection->Put("k", "2").ok());
    world_->Sleep(kSecond);
    EXPECT_TRUE(a->leads());
    ASSERT_TRUE(a->serving.collection->Put("l", "3").ok());
    ASSERT_TRUE(a->server->replica().Transfer("b:1").ok());
    Await([&] { return b->leads(); });
    EXPECT_EQ(b->serving.collection->Get("k").value(), "2");
    EXPECT_EQ(b->serving.collection->Get("l").value(), "3");
    EXPECT_TRUE(b->serving.collection->Flush().ok());
    EXPECT_EQ(b->serving.collection->Get("k").value(), "2");
  });
}

// Whoever leads by now gives nothing away, and goes on.
TEST_F(TabletMemberTest, WhoIsPreparedLateTakesNothing) {
  InWorld(7, [&] {
    const auto a = NewNode("a:1");
    Await([&] { return a->leads(); });
    const auto b = NewNode("b:1");
    Await([&] { return b->server->standing().leader == "a:1"; });
    Await([&] { return b->server->followed().has_value(); });
    for (const uint64_t off : {-1, 1}) {
      ASSERT_TRUE(b->member->Prepare(a->server->standing().epoch + off, kSecond / 2).ok());
      ASSERT_TRUE(a->serving.collection->Put("k", "1").ok());
      EXPECT_TRUE(a->serving.collection->Flush().ok());
      EXPECT_TRUE(a->leads());
      Await([&] { return b->server->followed().has_value(); });
    }
  });
}

TEST_F(TabletMemberTest, WhoIsPreparedInVainReadsAgain) {
  InWorld(5, [&] {
    const auto a = NewNode("a:1");
    Await([&] { return a->leads(); });
    const auto b = NewNode("b:1");
    Await([&] { return b->server->followed().has_value(); });
    (void)b->member->Prepare(a->server->standing().epoch, kSecond / 2);
    EXPECT_FALSE(b->server->followed().has_value());
    Await([&] { return b->server->followed().has_value(); });
    world_->Sleep(2 * kSecond);
    EXPECT_TRUE(a->leads());
    EXPECT_TRUE(b->server->followed().has_value());
  });
}

TEST_F(TabletMemberTest, WhoIsPreparedHasWhatWasBefore) {
  InWorld(3, [&] {
    const auto a = NewNode("a:1");
    EXPECT_FALSE(a->member->Prepare(1, kSecond).value().ready);  // it follows nothing
    uint64_t complete = 0;
    int hints = 0;
    a->member->Follows(FollowedHere{.hint = [&] { complete = ++hints < 4 ? 0 : Now(); },
                                    .applied = [] { return 9; },
                                    .complete_nanos = [&] { return complete; }});
    const wire::PrepareReply prepared = a->member->Prepare(1, kSecond).value();
    EXPECT_TRUE(prepared.ready);
    EXPECT_EQ(prepared.applied, 9u);
    EXPECT_EQ(hints, 4);
    complete = 0;
    hints = -1'000'000;
    const uint64_t began = Now();
    EXPECT_FALSE(a->member->Prepare(1, 50 * kMilli).value().ready);
    EXPECT_LT(Now() - began, 60 * kMilli);
    a->member->Follows({});
    const int before = hints;
    a->member->Hint({});
    EXPECT_EQ(hints, before);
  });
}

}  // namespace
}  // namespace luna::peers
