// Three servers with one universe on the simulated store: the real engine, led where the replicas
// say. A client writes wherever a leader is, which flushes and compacts all the time; the ways to
// the store are cut, leadership is sent around. Afterwards somebody leads, whose flushes and
// compactions work, and every acknowledged write is there; so it is for a server that comes later.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/try.h"
#include "cluster/replica/replica_server.h"
#include "engine/universe/led_universe.h"
#include "kernel/kernel_view.h"
#include "luna/luna.h"
#include "simulation/sim_kernel/sim_kernel.h"
#include "simulation/simulated_runtime.h"

namespace luna::replica {
namespace {

using sim_kernel::Cut;

constexpr uint64_t kMillisecond = 1'000'000;
constexpr uint64_t kSecond = 1'000 * kMillisecond;
constexpr sim_kernel::SimFaults kFaults{.request_delay = {.least = 0, .most = 3},
                                        .reply_delay = {.least = 0, .most = 3},
                                        .lost_request_per_mille = 2,
                                        .lost_reply_per_mille = 2,
                                        .timeout_millis = 200};

// Leads the universe.
class EngineHost final : public Host {
 public:
  explicit EngineHost(kernel::Kernel& kernel) : kernel_(kernel) {
    options_.memory_budget_bytes = uint64_t{64} << 20;
    options_.memtable_bytes = 64 << 10;
    options_.table_bytes = 64 << 10;
  }

  Status BecomeLeader(group::Leadership leadership, group::AppendObserver& observer) override {
    auto led = TRY(universe::OpenLed(options_, {},
                                     {.kernel = kernel::NewKernelView(kernel_, {}),
                                      .leadership = std::move(leadership),
                                      .observer = &observer}));
    universe_ = std::move(led.universe);
    group_ = led.group;
    const auto database = TRY(universe_->OpenOrCreateDatabase("d"));
    collection_ = TRY(database->OpenOrCreateCollection("c"));
    ++terms;
    return {};
  }
  void StopLeading(Epoch) override {
    collection_.reset();
    while (users_ > 0) {
      kernel_.runtime().Sleep(kMillisecond);
    }
    group_ = nullptr;
    universe_.reset();
  }
  Status Renew(bool resting) override { return group_->Renew(resting); }
  Status HandOver(const std::string& target) override { return group_->HandOver(target); }
  Result<journal::StreamState> Yield(const std::string& target) override {
    return group_->Yield(target);
  }

  // Nothing while it does not lead.
  std::optional<Status> Put(const std::string& key, const std::string& value) {
    return Use<Status>([&](Collection& collection) { return collection.Put(key, value); });
  }
  std::optional<Result<std::optional<std::string>>> Get(const std::string& key) {
    return Use<Result<std::optional<std::string>>>(
        [&](Collection& collection) { return collection.Get(key); });
  }

  std::optional<Status> Flush() {
    return Use<Status>([](Collection& collection) { return collection.Flush(); });
  }
  std::optional<Status> Compact() {
    return Use<Status>([](Collection& collection) { return collection.Compact(); });
  }
  std::optional<Result<VerifyReport>> Verify() {
    return Use<Result<VerifyReport>>([this](Collection&) { return universe_->Verify(); });
  }

  int terms = 0;

 private:
  template <class Answer>
  std::optional<Answer> Use(const std::function<Answer(Collection&)>& use) {
    if (collection_ == nullptr) {
      return std::nullopt;
    }
    ++users_;
    std::shared_ptr<Collection> collection = collection_;
    Answer answer = use(*collection);
    collection.reset();
    --users_;
    return answer;
  }

  kernel::Kernel& kernel_;
  Options options_;
  std::unique_ptr<Universe> universe_;
  group::Group* group_ = nullptr;
  std::shared_ptr<Collection> collection_;
  int users_ = 0;
};

struct Server {
  Server(sim_kernel::SimStore& store, simulation::SimulatedRuntime& world, const std::string& name)
      : kernel(sim_kernel::SimKernel::Open(store, world, "sim:u", {}, kFaults).value()),
        host(*kernel) {
    const Settings settings{.lease_nanos = 500 * kMillisecond, .jitter_nanos = 50 * kMillisecond};
    replica =
        ReplicaServer::Open(world, kernel->journal(), {.settings = settings, .server = name}, host)
            .value();
    replica->Start();
  }
  ~Server() { replica->Stop(); }
  std::unique_ptr<sim_kernel::SimKernel> kernel;
  EngineHost host;
  std::unique_ptr<ReplicaServer> replica;
};

class Failover {
 public:
  explicit Failover(uint64_t seed) : world_(seed) {}

  void Run() {
    world_.Run([&] {
      {
        sim_kernel::SimStore store(world_, world_.trace(), world_.seed());
        store_ = &store;
        for (const char* name : {"a", "b", "c"}) {
          servers_.push_back(std::make_unique<Server>(store, world_, name));
        }
        auto client = world_.Spawn("client", runtime::ThreadClass::kForeground, [&] { Write(); });
        auto tender = world_.Spawn("tender", runtime::ThreadClass::kForeground, [&] { Tend(); });
        auto nemesis = world_.Spawn("nemesis", runtime::ThreadClass::kForeground, [&] { Harm(); });
        nemesis->Join();
        over_ = true;
        client->Join();
        tender->Join();
        Settle();
        Check();
        for (auto& server : servers_) {
          terms_ += server->host.terms;
        }
        servers_.clear();
        servers_.push_back(std::make_unique<Server>(store, world_, "d"));
        Settle();
        Check();
        servers_.clear();
      }
    });
  }
  size_t acknowledged() const { return acknowledged_.size(); }
  int terms() const { return terms_; }
  int flushes() const { return flushes_; }
  int deposed() const { return deposed_; }

 private:
  static std::string ValueOf(const std::string& key) { return key + std::string(500, 'x'); }

  void Write() {
    for (int i = 0; !over_; ++i) {
      const std::string key = "k" + std::to_string(i);
      for (auto& server : servers_) {
        const auto put = server->host.Put(key, ValueOf(key));
        if (put.has_value() && put->ok()) {
          acknowledged_.push_back(key);
          break;
        }
      }
      world_.Sleep(5 * kMillisecond);
    }
  }

  // Nothing is ever dropped here: an edit that is void is a deposed leader's.
  void Tend() {
    for (int i = 0; !over_; ++i) {
      for (auto& server : servers_) {
        const auto done = i % 4 == 3 ? server->host.Compact() : server->host.Flush();
        if (done.has_value()) {
          flushes_ += done->ok() ? 1 : 0;
          if (!done->ok()) {
            ASSERT_NE(done->error().reason(), Reason::kCollectionMissing)
                << done->error().ToString();
            deposed_ += done->error().message().find("leads group") != std::string::npos ? 1 : 0;
          }
        }
      }
      world_.Sleep(50 * kMillisecond);
    }
  }

  void Harm() {
    runtime::Random& random = world_.random();
    for (int i = 0; i < 8; ++i) {
      world_.Sleep(kSecond / 2 + random.Next() % kSecond);
      Server& server = *servers_[random.Next() % servers_.size()];
      switch (random.Next() % 4) {
        case 0:
          for (auto& each : servers_) {
            (void)each->replica->Transfer(random.Next() % 2 == 0 ? "a" : "b");
          }
          break;
        case 1:
          server.replica->Suspect();
          break;
        default:
          CutOff(random.Next() % 3 == 0 ? server : Leader());
          break;
      }
    }
  }
  Server& Leader() {
    for (auto& server : servers_) {
      if (server->replica->standing().role == Role::kLeading) {
        return *server;
      }
    }
    return *servers_.front();
  }
  void CutOff(Server& server) {
    const auto id = server.kernel->server();
    store_->wire().SetCut(id, world_.random().Next() % 2 == 0 ? Cut::kDrop : Cut::kHold);
    world_.Sleep(world_.random().Next() % (2 * kSecond));
    store_->wire().SetCut(id, Cut::kNone);
  }

  // Until what the leader does in the background works, and what it has is whole.
  void Settle() {
    const uint64_t deadline = Now() + 10 * kSecond;
    for (bool settled = false; !settled;) {
      ASSERT_LT(Now(), deadline) << "nobody flushes and compacts: " << trouble_;
      world_.Sleep(10 * kMillisecond);
      for (auto& server : servers_) {
        settled = settled || (Works(server->host.Flush()) && Works(server->host.Compact()));
        if (const auto report = server->host.Verify(); report.has_value() && report->ok()) {
          ASSERT_TRUE((*report)->damage.empty()) << (*report)->damage.front().ToString();
        }
      }
    }
  }
  bool Works(const std::optional<Status>& done) {
    if (done.has_value() && !done->ok()) {
      trouble_ = done->error().ToString();
    }
    return done.has_value() && done->ok();
  }

  void Check() {
    for (const std::string& key : acknowledged_) {
      const uint64_t deadline = Now() + 10 * kSecond;
      std::optional<Result<std::optional<std::string>>> got;
      while (!(got = Read(key)).has_value()) {
        ASSERT_LT(Now(), deadline) << "nobody answers";
        world_.Sleep(kMillisecond);
      }
      ASSERT_EQ(**got, ValueOf(key)) << "lost";
    }
  }
  // Nothing: nobody answers now.
  std::optional<Result<std::optional<std::string>>> Read(const std::string& key) {
    for (auto& server : servers_) {
      const auto ticket = server->replica->BeginRead();
      auto got = ticket.ok() ? server->host.Get(key) : std::nullopt;
      if (got.has_value() && got->ok() && server->replica->EndRead(*ticket).ok()) {
        return got;
      }
    }
    return std::nullopt;
  }
  uint64_t Now() { return world_.clock().MonotonicNanos(); }

  simulation::SimulatedRuntime world_;
  sim_kernel::SimStore* store_ = nullptr;
  std::vector<std::unique_ptr<Server>> servers_;
  std::vector<std::string> acknowledged_;
  bool over_ = false;
  int terms_ = 0;
  int flushes_ = 0;
  int deposed_ = 0;  // whose edit came late
  std::string trouble_;
};

TEST(Failover, NoAcknowledgedWriteIsLost) {
  const char* given = std::getenv("LUNA_SEEDS");
  const uint64_t seeds = given != nullptr ? std::stoull(given) : 20;
  size_t acknowledged = 0;
  int terms = 0;
  int flushes = 0;
  int deposed = 0;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Failover failover(seed);
    failover.Run();
    if (testing::Test::HasFatalFailure()) {
      return;
    }
    acknowledged += failover.acknowledged();
    terms += failover.terms();
    flushes += failover.flushes();
    deposed += failover.deposed();
  }
  EXPECT_GT(acknowledged, 100 * seeds);
  EXPECT_GT(terms, static_cast<int>(3 * seeds));
  EXPECT_GT(flushes, static_cast<int>(20 * seeds));
  EXPECT_GE(deposed, static_cast<int>(seeds / 20));
}

}  // namespace
}  // namespace luna::replica
