// Servers that talk to one another: hints, how they stand, and strong reads where they follow,
// while the lead goes round.
#include "cluster/peers/peers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cluster/peers/tablet_member.h"
#include "service/follower/freshness_gate.h"
#include "threads/direct_transport.h"
#include "threads/server_node.h"

namespace luna::threads {
namespace {

// What strong reads at a follower need, while it follows.
struct StrongReads {
  universe::FollowedUniverse& followed;
  follower::FreshnessGate gate;
};

class TalkingNode {
 public:
  TalkingNode(SharedPlace& place, Exchange& exchange, const std::string& name)
      : reads(place.runtime()),
        place_(place),
        transport_(place.runtime(), exchange),
        node(place, {.name = name,
                     .peers = name + "0",
                     .appended = [this] { peers.Appended(); },
                     .follows = [this](universe::FollowedUniverse* seen) { Follows(seen); }}),
        member_(place.runtime(), *node.server),
        peers(place.runtime(), transport_, member_,
              {.group = "g",
               .self = {.clients = name, .peers = name + "0"},
               .ask_nanos = 100 * kMillisecond}) {
    peers.Start(name + "0").value();
    node.Start();
  }
  ~TalkingNode() {
    node.server->Stop();
    peers.Stop();
  }

  Lent<StrongReads*> reads;

 private:
  void Follows(universe::FollowedUniverse* seen) {
    if (seen == nullptr) {
      member_.Follows({});
      current_->gate.Stop();
      reads.TakeBack();
      current_ = nullptr;
      return;
    }
    universe::FollowedUniverse& followed = *seen;
    current_.reset(new StrongReads{
        followed,
        {place_.runtime(),
         {.complete_nanos = [&followed] { return followed.state().complete_nanos; },
          .await = [&followed](uint64_t moment,
                               uint64_t end) { return followed.AwaitComplete(moment, end); },
          .await_shown = [&followed](uint64_t sequence,
                                     uint64_t end) { return followed.AwaitShown(sequence, end); },
          .shown_at_most = [&followed] { return followed.state().shown_at_most; }},
         [this](uint64_t nanos, std::function<void(Result<follower::LeaderPoint>)> done) {
           peers.ReadIndex(nanos, [done = std::move(done)](const auto& reply) {
             done(reply.ok() ? Result<follower::LeaderPoint>(follower::LeaderPoint{
                                   .tail = reply->sequence, .published = reply->published})
                             : reply.error());
           });
         }}});
    member_.Follows(peers::FollowedHere{
        .hint = [&followed] { followed.Hint(); },
        .applied = [&followed] { return followed.state().applied; },
        .complete_nanos = [&followed] { return followed.state().complete_nanos; }});
    reads.Give(current_.get());
  }

  SharedPlace& place_;
  DirectTransport transport_;
  std::unique_ptr<StrongReads> current_;  // the server's

 public:
  ServerNode node;

 private:
  peers::TabletMember member_;

 public:
  peers::Peers peers;
};

class TalkingServers : public testing::Test {
 protected:
  ~TalkingServers() override {
    ended_ = true;
    for (const auto& thread : threads_) {
      thread->Join();
    }
    nodes_.clear();
  }

  void Run(const std::string& name, const std::function<void()>& turn) {
    threads_.push_back(place_.Spawn(name, [this, turn] {
      while (!ended_) {
        turn();
      }
    }));
  }
  TalkingNode* Leader() {
    for (const auto& node : nodes_) {
      if (node->node.leads()) {
        return node.get();
      }
    }
    return nullptr;
  }
  void Write() {
    TalkingNode* const leader = Leader();
    const bool led = leader != nullptr && leader->node.serving.led.With([&](Collection& c) {
      const uint64_t number = ++begun_;
      if (c.Put("k", std::to_string(number)).ok()) {
        acknowledged_ = number;
      }
    });
    place_.runtime().Sleep(led ? 0 : kMillisecond);
  }
  // At whoever follows: what was acknowledged before it began, or newer.
  void ReadStrongly(TalkingNode& node) {
    const bool follows = node.reads.With([&](StrongReads& reads) {
      const uint64_t least = acknowledged_;
      const auto ticket = reads.gate.Begin(command::Freshness::Strong(), true);
      if (!ticket.ok()) {
        return;
      }
      const auto number = ReadNumber(reads.followed.universe(), "k");
      if (number.ok() && reads.gate.End(*ticket, true).ok()) {
        EXPECT_GE(*number, least);
        ++strong_reads_;
      }
    });
    place_.runtime().Sleep(follows ? 0 : kMillisecond);
  }
  void AskAround() {
    for (const auto& node : nodes_) {
      node->node.AskEverything();
      for (const peers::Follower& follower : node->peers.followers()) {
        EXPECT_FALSE(follower.server.peers.empty());
        const auto standing = node->peers.Ask(follower.server.peers, kSecond);
        EXPECT_TRUE(!standing.ok() || standing->server == follower.server);
        asked_ += standing.ok() ? 1 : 0;
      }
    }
    place_.runtime().Sleep(kMillisecond);
  }

  SharedPlace place_;
  Exchange exchange_{place_.runtime()};
  std::vector<std::unique_ptr<TalkingNode>> nodes_;
  std::vector<std::unique_ptr<runtime::Thread>> threads_;
  std::atomic<bool> ended_{false};
  std::atomic<uint64_t> begun_{0};
  std::atomic<uint64_t> acknowledged_{0};
  std::atomic<uint64_t> strong_reads_{0};
  std::atomic<uint64_t> asked_{0};
};

TEST_F(TalkingServers, AnswerStrongReadsWhereTheyFollowWhileTheLeadGoesRound) {
  const std::vector<std::string> names = {"a:1", "b:1", "c:1"};
  for (const std::string& name : names) {
    nodes_.push_back(std::make_unique<TalkingNode>(place_, exchange_, name));
  }
  ASSERT_TRUE(place_.Becomes([&] { return Leader() != nullptr; }));
  Run("write", [this] { Write(); });
  for (const auto& node : nodes_) {
    Run("read", [this, &node] { ReadStrongly(*node); });
    Run("read", [this, &node] { ReadStrongly(*node); });
  }
  Run("ask", [this] { AskAround(); });
  for (int i = 0; i < 4; ++i) {
    // Each leads for as long as it takes others to read.
    const uint64_t before = strong_reads_;
    EXPECT_TRUE(place_.Becomes([&] { return strong_reads_ > before + 10; }));
    const std::string& target = names[static_cast<size_t>(i) % names.size()];
    ASSERT_TRUE(place_.Becomes([&] {
      TalkingNode* const leader = Leader();
      if (leader == nullptr) {
        return false;
      }
      leader->peers.Prepare(target, kSecond / 10, [](const Result<wire::PrepareReply>&) {});
      return leader->node.server->replica().Transfer(target).ok();
    }));
  }
  EXPECT_TRUE(place_.Becomes([&] { return asked_ > 0 && acknowledged_ > 0; }));
}

}  // namespace
}  // namespace luna::threads
