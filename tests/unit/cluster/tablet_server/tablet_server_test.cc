#include "cluster/tablet_server/tablet_server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/try.h"
#include "cluster/worker/worker.h"
#include "engine/group/records.h"
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
  Status ServeReads(universe::FollowedUniverse& universe) override {
    followed = &universe;
    return {};
  }
  void StopReads() override { followed = nullptr; }
  void CannotLead(const Error& error) override { cannot_lead = error.reason(); }

  std::vector<std::string> calls;
  std::shared_ptr<Collection> collection;
  universe::FollowedUniverse* followed = nullptr;  // while reads are served
  int failures = 0;                                // of Serve, to come
  uint64_t serve_nanos = 0;                        // that Serve takes
  bool cannot_follow = false;
  std::optional<Reason> cannot_lead;

 private:
  runtime::Runtime& runtime_;
};

class Lines final : public base::LogSink {
 public:
  bool Wants(base::LogLevel /*level*/) const override { return true; }
  void Write(base::LogLevel /*level*/, const std::string& text) override { all.push_back(text); }

  bool Tell(std::string_view event) const {
    return std::ranges::any_of(all, [&](const auto& line) { return line.starts_with(event); });
  }

  std::vector<std::string> all;
};

struct Node {
  Node(simulation::SimulatedRuntime& world, sim_kernel::SimStore& store, const std::string& name,
       bool offload = false)
      : kernel(sim_kernel::SimKernel::Open(store, world, "sim:u").value()), serving(world) {
    TabletServerOptions options;
    options.universe.memory_budget_bytes = uint64_t{64} << 20;
    options.replica = {
        .settings = {.lease_nanos = 500 * kMillisecond, .jitter_nanos = 50 * kMillisecond},
        .server = name};
    options.offload = offload;
    options.log = base::Log(&lines);
    server = TabletServer::Open(*kernel, options, serving).value();
  }
  bool leads() const { return server->standing().role == "leading"; }
  const std::unique_ptr<sim_kernel::SimKernel> kernel;
  TestServing serving;
  Lines lines;
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
    const journal::Sequence tail = a->server->tail().value();
    ASSERT_TRUE(a->serving.collection->Put("k", "v").ok());
    EXPECT_GT(a->server->tail().value(), tail);

    const auto b = NewNode("b:2");
    ASSERT_TRUE(b->server->Start().ok());
    Await([&] { return b->server->standing().leader == "a:1"; });
    ASSERT_TRUE(a->server->replica().Transfer("b:2").ok());
    Await([&] { return b->leads(); });
    Await([&] { return a->serving.calls.back() == "stop-serving"; });
    EXPECT_EQ(a->serving.calls, (std::vector<std::string>{"follow", "stop-following", "serve",
                                                          "follow", "stop-serving"}));
    EXPECT_EQ(b->serving.collection->Get("k").value(), "v");
    Await([&] { return a->server->standing().leader == "b:2"; });
    EXPECT_EQ(a->server->standing().role, "following");
    EXPECT_EQ(a->server->tail(), std::nullopt);
  });
}

TEST_F(TabletServerTest, ALeaderTakesServersOutOfTheGroup) {
  InWorld([&] {
    const auto a = NewNode("a:1");
    ASSERT_TRUE(a->server->Start().ok());
    EXPECT_EQ(a->server->Remove("b:2").error().reason(), Reason::kFenced);  // it does not lead yet
    Await([&] { return a->leads(); });
    ASSERT_TRUE(a->server->Remove("b:2").ok());
    EXPECT_EQ(a->server->standing().removed, std::vector<std::string>{"b:2"});
    EXPECT_EQ(a->server->Remove("a:1").error().reason(), Reason::kBadOption);
    ASSERT_TRUE(a->serving.collection->Put("k", "v").ok());
    ASSERT_TRUE(a->serving.collection->Put("k", "w").ok());
    const auto b = NewNode("b:2");
    ASSERT_TRUE(b->server->Start().ok());
    Await([&] { return b->server->standing().leader == "a:1"; });
    a->server->Stop();
    Await([&] { return b->server->standing().failures > 0; });  // it came too late to hear of it
    EXPECT_NE(b->server->standing().last_error.find("b:2 was removed"), std::string::npos);
    EXPECT_FALSE(b->leads());

    const auto c = NewNode("c:3");
    ASSERT_TRUE(c->server->Start().ok());
    Await([&] { return c->leads(); });
    EXPECT_EQ(c->server->standing().removed, std::vector<std::string>{"b:2"});
    ASSERT_TRUE(c->server->Readmit("b:2").ok());
    EXPECT_TRUE(c->server->standing().removed.empty());
    c->server->Stop();
    Await([&] { return b->leads(); });
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

TEST_F(TabletServerTest, WhatWasLedEndsWhenTheNextOneLeads) {
  InWorld([&] {
    for (const bool stops : {false, true}) {
      const auto a = NewNode("a:1");
      ASSERT_TRUE(a->server->Start().ok());
      Await([&] { return a->leads(); });
      ASSERT_TRUE(a->server->replica().Transfer("").ok());
      Await([&] { return a->serving.calls.back() == "follow"; });
      EXPECT_FALSE(a->lines.Tell("leads-no-more")) << "clients go first";
      const uint64_t began = world_.clock().MonotonicNanos();
      if (stops) {
        a->server->Stop();
        EXPECT_TRUE(a->lines.Tell("leads-no-more"));
        EXPECT_LT(world_.clock().MonotonicNanos() - began, 20 * kMillisecond);
      } else {
        Await([&] { return a->lines.Tell("leads-no-more"); });
        EXPECT_GE(world_.clock().MonotonicNanos() - began, 10 * kMillisecond);
      }
    }
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
    Await([&] { return a->serving.calls.back() == "stop-serving"; });
    EXPECT_EQ(a->serving.calls, (std::vector<std::string>{"follow", "stop-following", "serve",
                                                          "follow", "stop-serving"}));
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

TEST_F(TabletServerTest, ARecordOfANewerBuildIsTold) {
  InWorld([&] {
    const auto a = NewNode("a:1");
    ASSERT_TRUE(a->server->Start().ok());
    Await([&] { return a->leads(); });
    a->server->Stop();
    EXPECT_EQ(a->serving.cannot_lead, std::nullopt);
    std::string record;
    group::Encode({}, group::Renew{}, record);
    record[0] = static_cast<char>(200);  // a type that this build does not know
    {
      const auto stream = a->kernel->journal().Open(group::kStreamName, {}).value();
      const journal::StreamState state = stream->state();
      const std::string_view bytes = record;
      ASSERT_EQ(stream->Append(state.epoch, state.tail, std::span(&bytes, 1), Durability::kDevice)
                    .outcome,
                journal::AppendResult::Outcome::kOk);
    }
    const auto b = NewNode("b:2");
    ASSERT_TRUE(b->server->Start().ok());
    Await([&] { return b->serving.cannot_lead.has_value(); });
    EXPECT_EQ(b->serving.cannot_lead, Reason::kNewerFormat);
    EXPECT_FALSE(b->leads());
    EXPECT_EQ(std::count(b->serving.calls.begin(), b->serving.calls.end(), "serve"), 0);
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

TEST_F(TabletServerTest, HasWorkersMergeWhenToldTo) {
  InWorld([&] {
    const auto kernel = sim_kernel::SimKernel::Open(*store_, world_, "sim:u").value();
    worker::Worker worker(*kernel, {.name = "w"});
    Node a(world_, *store_, "a:1", /*offload=*/true);
    ASSERT_TRUE(a.server->Start().ok());
    Await([&] { return a.leads(); });
    worker.Start();
    const auto value = [&](int i) {
      std::string bytes(60'000, '\0');
      uint64_t state = static_cast<uint64_t>(i) + 1;
      for (char& byte : bytes) {
        state = state * 6364136223846793005 + 1442695040888963407;
        byte = static_cast<char>(state >> 56);
      }
      return bytes;
    };
    for (int i = 0; i < 120; ++i) {  // each key twice
      ASSERT_TRUE(a.serving.collection->Put("k" + std::to_string(i % 60), value(i)).ok());
      if (i == 59) {
        ASSERT_TRUE(a.serving.collection->Flush().ok());
      }
    }
    ASSERT_TRUE(a.serving.collection->Flush().ok());
    ASSERT_TRUE(a.serving.collection->Compact().ok());
    EXPECT_GT(worker.standing().jobs_done, 0u);
    const uint64_t done = a.server->standing().offloaded.done;
    EXPECT_EQ(done, worker.standing().jobs_done);
    for (int i = 0; i < 60; ++i) {
      EXPECT_EQ(a.serving.collection->Get("k" + std::to_string(i)).value(), value(i + 60));
    }
    worker.Stop();
    a.server->Stop();
    EXPECT_EQ(a.server->standing().offloaded.done, done) << "of terms that ended, too";
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

TEST_F(TabletServerTest, WhoFollowsReadsUntilItLeads) {
  InWorld([&] {
    const auto a = NewNode("a:1");
    ASSERT_TRUE(a->server->Start().ok());
    EXPECT_FALSE(a->server->followed().has_value());
    Await([&] { return a->leads(); });
    EXPECT_EQ(a->serving.followed, nullptr);
    EXPECT_FALSE(a->server->followed().has_value());
    ASSERT_TRUE(a->serving.collection->Put("k", "v").ok());
    const uint64_t written = world_.clock().MonotonicNanos();

    const auto b = NewNode("b:2");
    ASSERT_TRUE(b->server->Start().ok());
    Await([&] { return b->serving.followed != nullptr; });
    Await([&] { return b->server->followed()->complete_nanos > written; });
    EXPECT_GT(b->server->followed()->applied, 0u);
    const auto database = b->serving.followed->universe().OpenDatabase("d").value();
    const auto collection = database->OpenCollection("c").value();
    EXPECT_EQ(collection->Get("k").value(), "v");
    Await([&] { return b->server->standing().leader == "a:1"; });
    const Status refused = collection->Put("k", "w");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().reason(), Reason::kFenced);
    EXPECT_NE(refused.error().message().find("a:1"), std::string::npos);

    ASSERT_TRUE(a->server->replica().Transfer("b:2").ok());
    Await([&] { return b->leads(); });
    EXPECT_EQ(b->serving.followed, nullptr);
    EXPECT_EQ(b->serving.collection->Get("k").value(), "v");
    Await([&] { return a->serving.followed != nullptr; });
    ASSERT_TRUE(b->serving.collection->Put("k", "x").ok());
    const uint64_t rewritten = world_.clock().MonotonicNanos();
    Await([&] { return a->server->followed()->complete_nanos > rewritten; });
    EXPECT_EQ(a->serving.followed->universe()
                  .OpenDatabase("d")
                  .value()
                  ->OpenCollection("c")
                  .value()
                  ->Get("k")
                  .value(),
              "x");
  });
}

}  // namespace
}  // namespace luna::tablet_server
