#include "cluster/tablet_server/tablet_server.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/try.h"
#include "simulation/sim_kernel/sim_kernel.h"
#include "simulation/simulated_runtime.h"

namespace luna::tablet_server {
namespace {

constexpr uint64_t kMillisecond = 1'000'000;
constexpr uint64_t kSecond = 1'000 * kMillisecond;

// Writes down what it is asked, and keeps the collection that tests write to.
class TestServing final : public Serving {
 public:
  explicit TestServing(runtime::Runtime& runtime) : runtime_(runtime) {}

  Status Serve(Universe& universe) override {
    calls.push_back("serve");
    runtime_.Sleep(serve_nanos);
    if (failures > 0) {
      --failures;
      return Error(Reason::kAddressInUse, "not today");
    }
    const auto database = TRY(universe.OpenOrCreateDatabase("d"));
    collection = TRY(database->OpenOrCreateCollection("c"));
    return {};
  }
  void StopServing() override {
    calls.push_back("stop-serving");
    collection.reset();
  }
  Status Follow() override {
    calls.push_back("follow");
    return cannot_follow ? Status(Error(Reason::kAddressInUse, "no port")) : Status();
  }
  void StopFollowing() override { calls.push_back("stop-following"); }

  std::vector<std::string> calls;
  std::shared_ptr<Collection> collection;
  int failures = 0;          // of Serve, to come
  uint64_t serve_nanos = 0;  // that Serve takes
  bool cannot_follow = false;

 private:
  runtime::Runtime& runtime_;
};

struct Node {
  Node(simulation::SimulatedRuntime& world, sim_kernel::SimStore& store, const std::string& name)
      : kernel(sim_kernel::SimKernel::Open(store, world, "sim:u").value()), serving(world) {
    TabletServerOptions options;
    options.universe.memory_budget_bytes = uint64_t{64} << 20;
    options.replica = {
        .settings = {.lease_nanos = 500 * kMillisecond, .jitter_nanos = 50 * kMillisecond},
        .server = name};
    server = TabletServer::Open(*kernel, options, serving).value();
  }
  bool leads() const { return server->standing().role == "leading"; }
  const std::unique_ptr<sim_kernel::SimKernel> kernel;
  TestServing serving;
  std::unique_ptr<TabletServer> server;
};

class TabletServerTest : public testing::Test {
 protected:
  void InWorld(const std::function<void()>& body) {
    world_.Run([&] {
      sim_kernel::SimStore store(world_, world_.trace(), world_.seed());
      store_ = &store;
      body();
    });
  }
  std::unique_ptr<Node> NewNode(const std::string& name) {
    return std::make_unique<Node>(world_, *store_, name);
  }
  void Await(const std::function<bool()>& what, uint64_t most = 3 * kSecond) {
    const uint64_t began = world_.clock().MonotonicNanos();
    while (!what()) {
      ASSERT_LT(world_.clock().MonotonicNanos() - began, most) << "does not happen";
      world_.Sleep(kMillisecond);
    }
  }

  simulation::SimulatedRuntime world_{11};
  sim_kernel::SimStore* store_ = nullptr;
};

TEST_F(TabletServerTest, RefusesBadOptions) {
  InWorld([&] {
    TestServing serving(world_);
    const auto kernel = sim_kernel::SimKernel::Open(*store_, world_, "sim:u").value();
    EXPECT_EQ(TabletServer::Open(*kernel, {}, serving).error().reason(), Reason::kBadOption);
    TabletServerOptions options;
    options.replica.server = "a:1";
    options.universe.memory_budget_bytes = 1;
    EXPECT_EQ(TabletServer::Open(*kernel, options, serving).error().reason(), Reason::kBadOption);
  });
}

TEST_F(TabletServerTest, FollowsThenServesThenFollowsAgain) {
  InWorld([&] {
    const auto a = NewNode("a:1");
    ASSERT_TRUE(a->server->Start().ok());
    EXPECT_EQ(a->server->standing().role, "following");
    EXPECT_EQ(a->server->standing().leader, "");
    Await([&] { return a->leads(); });
    EXPECT_EQ(a->serving.calls, (std::vector<std::string>{"follow", "stop-following", "serve"}));
    const Standing leading = a->server->standing();
    EXPECT_EQ(leading.leader, "a:1");
    EXPECT_EQ(leading.terms, 1u);
    EXPECT_GT(leading.epoch, 0u);
    EXPECT_GT(leading.lease_left_millis, 0u);
    EXPECT_LE(leading.lease_left_millis, 500u);
    ASSERT_TRUE(a->serving.collection->Put("k", "v").ok());

    const auto b = NewNode("b:2");
    ASSERT_TRUE(b->server->Start().ok());
    Await([&] { return b->server->standing().leader == "a:1"; });
    ASSERT_TRUE(a->server->replica().Transfer("b:2").ok());
    Await([&] { return b->leads(); });
    EXPECT_EQ(a->serving.calls, (std::vector<std::string>{"follow", "stop-following", "serve",
                                                          "stop-serving", "follow"}));
    EXPECT_EQ(b->serving.collection->Get("k").value(), "v");
    Await([&] { return a->server->standing().leader == "b:2"; });
    EXPECT_EQ(a->server->standing().role, "following");
  });
}

TEST_F(TabletServerTest, StoppingGivesTheLeadAwayAtOnce) {
  InWorld([&] {
    const auto a = NewNode("a:1");
    ASSERT_TRUE(a->server->Start().ok());
    Await([&] { return a->leads(); });
    const auto b = NewNode("b:2");
    ASSERT_TRUE(b->server->Start().ok());
    Await([&] { return b->server->standing().leader == "a:1"; });
    a->server->Stop();
    a->server->Stop();
    EXPECT_EQ(a->serving.calls.back(), "stop-serving") << "and follows nobody";
    Await([&] { return b->leads(); }, 300 * kMillisecond);  // less than a lease
    b->server->Stop();
    EXPECT_EQ(b->serving.calls.back(), "stop-serving");
  });
}

TEST_F(TabletServerTest, AStopWhileFollowingEndsThat) {
  InWorld([&] {
    const auto a = NewNode("a:1");
    ASSERT_TRUE(a->server->Start().ok());
    a->server->Stop();
    EXPECT_EQ(a->serving.calls, (std::vector<std::string>{"follow", "stop-following"}));
  });
}

TEST_F(TabletServerTest, AFailureToServeLeavesNothingOpenAndIsTriedAgainLater) {
  InWorld([&] {
    const auto a = NewNode("a:1");
    a->serving.failures = 2;
    ASSERT_TRUE(a->server->Start().ok());
    Await([&] { return a->server->standing().failures == 1; });
    Await([&] { return a->serving.calls.back() == "follow"; });
    EXPECT_EQ(a->serving.calls, (std::vector<std::string>{"follow", "stop-following", "serve",
                                                          "stop-serving", "follow"}));
    EXPECT_NE(a->server->standing().last_error.find("not today"), std::string::npos);
    const uint64_t failed = world_.clock().MonotonicNanos();
    Await([&] { return a->leads(); }, 10 * kSecond);
    EXPECT_GT(world_.clock().MonotonicNanos() - failed, 2 * kSecond) << "two longer waits";
    const Standing standing = a->server->standing();
    EXPECT_EQ(standing.failures, 2u);
    EXPECT_EQ(standing.terms, 1u);
    EXPECT_EQ(standing.last_error, "");
    EXPECT_TRUE(a->serving.collection->Put("k", "v").ok());
  });
}

TEST_F(TabletServerTest, ASlowStartKeepsTheLease) {
  InWorld([&] {
    const auto a = NewNode("a:1");
    a->serving.serve_nanos = 3 * kSecond;  // six leases
    ASSERT_TRUE(a->server->Start().ok());
    Await([&] { return a->serving.calls.back() == "serve"; });
    const auto b = NewNode("b:2");
    ASSERT_TRUE(b->server->Start().ok());
    Await([&] { return a->leads(); }, 5 * kSecond);
    EXPECT_EQ(b->server->standing().terms, 0u);
    EXPECT_EQ(b->server->standing().failures, 0u);
    EXPECT_EQ(a->server->standing().terms, 1u);
    EXPECT_GE(a->server->standing().takeover_millis, 3000u);
  });
}

TEST_F(TabletServerTest, WhoCannotFollowSaysSo) {
  InWorld([&] {
    const auto a = NewNode("a:1");
    a->serving.cannot_follow = true;
    EXPECT_EQ(a->server->Start().error().reason(), Reason::kAddressInUse);
    a->serving.cannot_follow = false;
    const auto b = NewNode("b:2");
    ASSERT_TRUE(b->server->Start().ok());
    Await([&] { return b->leads(); });
    b->serving.cannot_follow = true;
    ASSERT_TRUE(b->server->replica().Transfer("").ok());
    Await([&] { return b->server->standing().last_error.find("no port") != std::string::npos; });
  });
}

}  // namespace
}  // namespace luna::tablet_server
