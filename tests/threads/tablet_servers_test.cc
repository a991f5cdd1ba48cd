// Tablet servers, their replicas and the universes they lead and follow, while many threads use
// them and the lead goes round.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "threads/server_node.h"

namespace luna::threads {
namespace {

class TabletServers : public testing::Test {
 protected:
  static constexpr size_t kServers = 3;
  static constexpr size_t kWriters = 2;

  ~TabletServers() override { EndAll(); }

  void Open() {
    for (size_t i = 0; i < kServers; ++i) {
      nodes_.push_back(std::make_unique<ServerNode>(place_, ServerNode::Settings{.name = Name(i)}));
      nodes_.back()->Start();
    }
  }
  void Run(const std::string& name, const std::function<void()>& turn) {
    threads_.push_back(place_.Spawn(name, [this, turn] {
      while (!ended_) {
        turn();
      }
    }));
  }
  void EndAll() {
    ended_ = true;
    for (const auto& thread : std::exchange(threads_, {})) {
      thread->Join();
    }
  }
  static std::string Name(size_t server) { return "s" + std::to_string(server) + ":1"; }
  static std::string Key(size_t writer) { return "k" + std::to_string(writer); }
  ServerNode* Leader() {
    for (const auto& node : nodes_) {
      if (node->leads()) {
        return node.get();
      }
    }
    return nullptr;
  }

  // Everybody at work, on three servers of which one leads.
  void BeginAll() {
    Open();
    ASSERT_TRUE(place_.Becomes([&] { return Leader() != nullptr; }));
    for (size_t writer = 0; writer < kWriters; ++writer) {
      Run("write", [this, writer] { Write(writer); });
      Run("read", [this, writer] { ReadStrongly(writer); });
    }
    for (const auto& node : nodes_) {
      Run("read-old", [this, &node] { ReadOld(*node); });
    }
    Run("ask", [this] {
      for (const auto& node : nodes_) {
        node->AskEverything();
      }
      place_.runtime().Sleep(kMillisecond);
    });
  }
  // Each writer has had something acknowledged from now on.
  bool AllAreHeard() {
    const std::array<uint64_t, kWriters> before{acknowledged_[0], acknowledged_[1]};
    return place_.Becomes(
        [&] { return acknowledged_[0] > before[0] && acknowledged_[1] > before[1]; });
  }
  // After everybody's work: whoever leads now has it.
  void CheckAcknowledged() {
    EXPECT_TRUE(AllAreHeard());
    EndAll();
    bool checked = false;
    EXPECT_TRUE(place_.Becomes([&] {
      AtLeader([&](ServerNode& /*leader*/, Collection& collection) {
        for (size_t writer = 0; writer < kWriters; ++writer) {
          const uint64_t last = Number(collection.Get(Key(writer)).value());
          EXPECT_GE(last, acknowledged_[writer]);
          EXPECT_LE(last, begun_[writer]);
        }
        checked = true;
      });
      return checked;
    }));
  }

  // The next number to the writer's key, at whoever leads.
  void Write(size_t writer) {
    AtLeader([&](ServerNode& /*leader*/, Collection& collection) {
      const uint64_t number = ++begun_[writer];
      if (collection.Put(Key(writer), std::to_string(number)).ok()) {
        acknowledged_[writer] = number;
      }
    });
  }
  // A strong read of a writer's key: what was acknowledged before it began, or newer.
  void ReadStrongly(size_t writer) {
    AtLeader([&](ServerNode& leader, Collection& collection) {
      const uint64_t least = acknowledged_[writer];
      const auto ticket = leader.server->replica().BeginRead();
      const auto value = collection.Get(Key(writer));
      if (ticket.ok() && value.ok() && leader.server->replica().EndRead(*ticket).ok()) {
        EXPECT_GE(Number(*value), least);
        ++strong_reads_;
      }
    });
  }
  // What a follower shows never goes back while it follows.
  void ReadOld(ServerNode& node) {
    const bool follows = node.serving.followed.With([&](universe::FollowedUniverse& followed) {
      uint64_t before = 0;
      for (int i = 0; i < 20; ++i) {
        const auto number = ReadNumber(followed.universe(), Key(0));
        if (number.ok()) {
          EXPECT_GE(*number, before);
          before = *number;
          ++old_reads_;
        }
      }
    });
    place_.runtime().Sleep(follows ? 0 : kMillisecond);
  }
  template <typename Use>
  void AtLeader(const Use& use) {
    ServerNode* const leader = Leader();
    const bool led = leader != nullptr && leader->serving.led.With([&](Collection& collection) {
      use(*leader, collection);
    });
    place_.runtime().Sleep(led ? 0 : kMillisecond);
  }

  SharedPlace place_;
  std::vector<std::unique_ptr<ServerNode>> nodes_;
  std::vector<std::unique_ptr<runtime::Thread>> threads_;
  std::atomic<bool> ended_{false};
  std::array<std::atomic<uint64_t>, kWriters> begun_{};
  std::array<std::atomic<uint64_t>, kWriters> acknowledged_{};
  std::atomic<uint64_t> strong_reads_{0};
  std::atomic<uint64_t> old_reads_{0};
};

TEST_F(TabletServers, KeepWhatWasAcknowledgedWhileTheLeadGoesRound) {
  constexpr int kTransfers = 6;
  BeginAll();
  for (int i = 0; i < kTransfers; ++i) {
    place_.runtime().Sleep(50 * kMillisecond);
    ASSERT_TRUE(place_.Becomes([&] {
      ServerNode* const leader = Leader();
      return leader != nullptr &&
             leader->server->replica().Transfer(Name(static_cast<size_t>(i) % kServers)).ok();
    }));
  }
  EXPECT_TRUE(place_.Becomes([&] { return old_reads_ > 0 && strong_reads_ > 0; }));
  CheckAcknowledged();
}

TEST_F(TabletServers, KeepWhatWasAcknowledgedWhileLeadersStop) {
  BeginAll();
  // Names that nobody has: what matters is that the group is written to.
  Run("configure", [this] {
    AtLeader([](ServerNode& leader, Collection& /*collection*/) {
      (void)leader.server->Remove("gone:1").ok();
      (void)leader.server->Readmit("gone:1").ok();
    });
    place_.runtime().Sleep(5 * kMillisecond);
  });
  for (size_t stopped = 1; stopped < kServers; ++stopped) {
    ASSERT_TRUE(AllAreHeard());
    ServerNode* const leader = Leader();
    if (leader != nullptr) {
      leader->server->Stop();
      EXPECT_FALSE(leader->leads());
    }
  }
  CheckAcknowledged();
}

}  // namespace
}  // namespace luna::threads
