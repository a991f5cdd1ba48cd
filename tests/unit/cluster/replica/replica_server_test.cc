#include "cluster/replica/replica_server.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/memory_budget.h"
#include "base/try.h"
#include "engine/group/records.h"
#include "kernel/kernel.h"
#include "kernel/kernel_view.h"
#include "simulation/simulated_runtime.h"

namespace luna::replica {
namespace {

constexpr uint64_t kMillisecond = 1'000'000;
constexpr uint64_t kSecond = 1'000 * kMillisecond;

// Opens an empty group, on one Kernel with the others.
class TestHost final : public Host {
 public:
  explicit TestHost(kernel::Kernel& kernel) : kernel_(kernel) {}

  Status BecomeLeader(group::Leadership leadership, group::AppendObserver& observer) override {
    if (failures > 0) {
      --failures;
      return Error(Reason::kIoError, "not today");
    }
    view_ = kernel::NewKernelView(kernel_, {});
    group_ = TRY(group::Group::Open({.kernel = view_.get(),
                                     .budget = &budget_,
                                     .memtable_bytes_total = uint64_t{16} << 20,
                                     .observer = &observer},
                                    std::move(leadership)));
    TRY(group_->Recover());
    observer_ = &observer;
    epochs.push_back(group_->epoch());
    return {};
  }
  void StopLeading(Epoch) override {
    ++stops;
    if (view_ != nullptr) {
      view_->background().Shutdown();
    }
    if (group_ != nullptr) {
      (void)group_->Close();
    }
    group_.reset();
    view_.reset();
  }
  Status Renew(bool resting) override { return refuses ? Refuse() : group_->Renew(resting); }
  Status HandOver(const std::string& target) override {
    return refuses ? Refuse() : group_->HandOver(target);
  }
  Result<journal::StreamState> Yield(const std::string& target) override {
    return refuses ? Result<journal::StreamState>(Refuse().error()) : group_->Yield(target);
  }

  bool leads() const { return group_ != nullptr; }
  group::Group& group() { return *group_; }

  int failures = 0;      // of BecomeLeader, to come
  bool refuses = false;  // to append, after a commit that came between
  int stops = 0;
  std::vector<Epoch> epochs;

 private:
  Status Refuse() {
    observer_->OnAppendSent(group_->epoch(), group::AppendObserver::Kind::kCommit);
    observer_->OnAppended(group_->epoch(),
                          {.outcome = journal::AppendResult::Outcome::kOk, .error = {}});
    return Error(Reason::kIoError, "the group was closed");
  }

  kernel::Kernel& kernel_;
  group::AppendObserver* observer_ = nullptr;
  base::MemoryBudget budget_{uint64_t{64} << 20};
  std::unique_ptr<kernel::Kernel> view_;
  std::unique_ptr<group::Group> group_;
};

struct Replica {
  Replica(simulation::SimulatedRuntime& world, kernel::Kernel& kernel, const std::string& name,
          const Settings& settings)
      : host(kernel),
        server(ReplicaServer::Open(
                   world, kernel.journal(),
                   {.settings = settings, .server = name, .appended = [this] { ++appended; }}, host)
                   .value()) {
    server->Start();
  }
  ~Replica() { server->Stop(); }
  int appended = 0;
  TestHost host;
  std::unique_ptr<ReplicaServer> server;
};

class ReplicaServerTest : public testing::Test {
 protected:
  static Settings Quick() {
    return {.lease_nanos = 500 * kMillisecond,
            .jitter_nanos = 50 * kMillisecond,
            .idle_nanos = 3 * kSecond};
  }

  // Runs `body` in a world with a Kernel.
  void InWorld(const std::function<void()>& body) {
    world_.Run([&] {
      kernel_ = kernel::OpenKernel("file:/u", world_, {}).value();
      body();
      kernel_.reset();
    });
  }
  std::unique_ptr<Replica> NewReplica(const std::string& name, const Settings& settings = Quick()) {
    return std::make_unique<Replica>(world_, *kernel_, name, settings);
  }
  // How long it took; more than `most` is a failure.
  uint64_t AwaitLeader(const Replica& replica, uint64_t most = 2 * kSecond) {
    return AwaitThat([&] { return replica.server->standing().role == Role::kLeading; }, most);
  }
  uint64_t AwaitThat(const std::function<bool()>& what, uint64_t most) {
    const uint64_t began = world_.clock().MonotonicNanos();
    while (!what()) {
      if (world_.clock().MonotonicNanos() - began > most) {
        ADD_FAILURE() << "not in " << most / kMillisecond << " ms";
        break;
      }
      world_.Sleep(kMillisecond);
    }
    return world_.clock().MonotonicNanos() - began;
  }
  // The group's stream, a word a record.
  std::vector<std::string> Records() {
    const auto follower = kernel_->journal().Follow(group::kStreamName).value();
    const auto state = follower->Look().value();
    const auto reader = follower->Read(state.released).value();
    std::vector<std::string> words;
    while (const auto record = reader->Next().value()) {
      const auto decoded = group::Decode(record->payload).value();
      if (const auto* start = std::get_if<group::LeaderStart>(&decoded.body)) {
        words.push_back("start " + start->server);
      } else if (const auto* renew = std::get_if<group::Renew>(&decoded.body)) {
        words.push_back(renew->resting ? "rest" : "renew");
      } else if (const auto* transfer = std::get_if<group::Transfer>(&decoded.body)) {
        words.push_back("transfer " + transfer->target);
      }
    }
    return words;
  }
  static std::vector<std::string> WithoutRenewals(std::vector<std::string> words) {
    std::erase(words, "renew");
    return words;
  }

  simulation::SimulatedRuntime world_{7};
  std::unique_ptr<kernel::Kernel> kernel_;
};

TEST_F(ReplicaServerTest, RefusesBadOptions) {
  InWorld([&] {
    TestHost host(*kernel_);
    const auto nameless = ReplicaServer::Open(world_, kernel_->journal(), {}, host);
    ASSERT_FALSE(nameless.ok());
    EXPECT_EQ(nameless.error().reason(), Reason::kBadOption);
    const auto hasty = ReplicaServer::Open(world_, kernel_->journal(),
                                           {.settings = {.lease_nanos = 1}, .server = "a"}, host);
    ASSERT_FALSE(hasty.ok());
    EXPECT_EQ(hasty.error().reason(), Reason::kBadOption);
  });
}

TEST_F(ReplicaServerTest, LeadsANewStreamAfterALeaseAndAnswersReads) {
  InWorld([&] {
    const auto a = NewReplica("a");
    const uint64_t took = AwaitLeader(*a);
    EXPECT_GE(took, Quick().WaitNanos());
    EXPECT_TRUE(a->host.leads());
    const auto ticket = a->server->BeginRead();
    ASSERT_TRUE(ticket.ok()) << ticket.error().ToString();
    EXPECT_TRUE(a->server->EndRead(*ticket).ok());
    world_.Sleep(2 * kSecond);  // renewals keep it so
    EXPECT_TRUE(a->server->BeginRead().ok());
    EXPECT_EQ(a->server->standing().leader, "a");
    EXPECT_EQ(a->host.epochs.size(), 1u);
    EXPECT_GE(Records().size(), 10u);
  });
}

TEST_F(ReplicaServerTest, WhoExpectsTheLeadHasTheStreamOpenForAWhile) {
  InWorld([&] {
    NewReplica("a");  // makes the stream
    const auto b = NewReplica("b");
    world_.Sleep(50 * kMillisecond);
    EXPECT_TRUE(kernel_->journal().Open(group::kStreamName, {}).ok());
    b->server->Expect();
    world_.Sleep(10 * kMillisecond);
    const auto rival = kernel_->journal().Open(group::kStreamName, {});
    ASSERT_FALSE(rival.ok());
    EXPECT_EQ(rival.error().reason(), Reason::kStreamExists);
    AwaitLeader(*b);
    world_.Sleep(kSecond);
    EXPECT_TRUE(b->host.leads());
    EXPECT_EQ(b->host.epochs.size(), 1u);
  });
}

TEST_F(ReplicaServerTest, WhoLeadsByAHintBeforeItsFirstLookConfirms) {
  InWorld([&] {
    AwaitLeader(*NewReplica("a"));  // and gives the lead away
    const auto state = kernel_->journal().Follow(group::kStreamName).value()->Look().value();
    Settings settings = Quick();
    settings.confirm = true;
    const auto b = NewReplica("b", settings);
    b->server->Hint({.epoch = state.epoch, .tail = state.tail, .leader = "b", .mine = true});
    EXPECT_LT(AwaitLeader(*b), 100 * kMillisecond);
    const auto ticket = b->server->BeginRead();
    ASSERT_TRUE(ticket.ok()) << ticket.error().ToString();
    EXPECT_TRUE(b->server->EndRead(*ticket).ok());
  });
}

TEST_F(ReplicaServerTest, TellsWhereItListensToServersAndOfEachAppend) {
  InWorld([&] {
    int appended = 0;
    TestHost host(*kernel_);
    const auto a = ReplicaServer::Open(world_, kernel_->journal(),
                                       {.settings = Quick(),
                                        .server = "a",
                                        .peers = "a:7",
                                        .tls = true,
                                        .appended = [&] { ++appended; }},
                                       host)
                       .value();
    a->Start();
    AwaitThat([&] { return a->standing().role == Role::kLeading; }, 2 * kSecond);
    EXPECT_EQ(a->standing().leader_peers, "a:7");
    EXPECT_TRUE(a->standing().leader_tls);
    const int before = appended;
    EXPECT_GT(before, 0);
    const auto b = NewReplica("b");
    AwaitThat([&] { return b->server->standing().leader == "a"; }, 2 * kSecond);
    EXPECT_EQ(b->server->standing().leader_peers, "a:7");
    EXPECT_TRUE(b->server->standing().leader_tls);
    world_.Sleep(2 * kSecond);  // renewals
    EXPECT_GT(appended, before);
    EXPECT_EQ(b->server->standing().leader, "a");
    a->Stop();
    (void)AwaitLeader(*b);
    EXPECT_EQ(b->server->standing().leader_peers, "");
    EXPECT_FALSE(b->server->standing().leader_tls);
  });
}

TEST_F(ReplicaServerTest, AnswersThreadsThatMustNotWaitOnlyWithinTheLease) {
  InWorld([&] {
    const auto a = NewReplica("a");
    EXPECT_FALSE(a->server->BeginReadAtOnce().has_value());
    (void)AwaitLeader(*a);
    world_.Sleep(kSecond);
    const auto ticket = a->server->BeginReadAtOnce();
    ASSERT_TRUE(ticket.has_value());
    EXPECT_TRUE(a->server->MayAnswerAtOnce(*ticket));
    EXPECT_FALSE(a->server->MayAnswerAtOnce({.epoch = ticket->epoch + 1}));
    ASSERT_TRUE(a->server->Transfer("").ok());
    EXPECT_FALSE(a->server->MayAnswerAtOnce(*ticket));
    EXPECT_FALSE(a->server->BeginReadAtOnce().has_value());

    Settings settings = Quick();
    settings.confirm = true;  // each read is a question
    const auto b = NewReplica("b", settings);
    (void)AwaitThat([&] { return b->server->standing().role == Role::kLeading || a->host.leads(); },
                    2 * kSecond);
    EXPECT_FALSE(b->server->BeginReadAtOnce().has_value());
  });
}

TEST_F(ReplicaServerTest, OneOfTwoLeadsAndTheOtherSaysWho) {
  InWorld([&] {
    const auto a = NewReplica("a");
    const auto b = NewReplica("b");
    (void)AwaitThat([&] { return a->host.leads() || b->host.leads(); }, 2 * kSecond);
    world_.Sleep(kSecond);
    EXPECT_NE(a->host.leads(), b->host.leads());
    const std::string leader = a->host.leads() ? "a" : "b";
    const Replica& follower = a->host.leads() ? *b : *a;
    EXPECT_EQ(follower.server->standing().leader, leader);
    const auto refused = follower.server->BeginRead();
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.error().message().find("ask " + leader), std::string::npos);
  });
}

TEST_F(ReplicaServerTest, WhoComesLaterHearsWhoLeads) {
  InWorld([&] {
    const auto a = NewReplica("a");
    (void)AwaitLeader(*a);
    world_.Sleep(2 * kSecond);  // its start is long past
    const auto b = NewReplica("b");
    (void)AwaitThat([&] { return b->server->standing().leader == "a"; }, Quick().lease_nanos);
  });
}

TEST_F(ReplicaServerTest, AnotherOneTakesOverAtOnceWhenALeaderStops) {
  InWorld([&] {
    auto a = NewReplica("a");
    (void)AwaitLeader(*a);
    const auto b = NewReplica("b");
    world_.Sleep(2 * kSecond);
    EXPECT_EQ(b->server->standing().role, Role::kFollowing);
    const auto refused = b->server->BeginRead();
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().reason(), Reason::kFenced);
    a.reset();
    EXPECT_LT(AwaitLeader(*b), Quick().LeaseNanos() / 2);
    EXPECT_TRUE(b->server->BeginRead().ok());
    EXPECT_EQ(WithoutRenewals(Records()),
              (std::vector<std::string>{"start a", "transfer ", "start b"}));
  });
}

TEST_F(ReplicaServerTest, LeadershipGoesWhereItIsSent) {
  InWorld([&] {
    const auto a = NewReplica("a");
    (void)AwaitLeader(*a);
    const auto b = NewReplica("b");
    const auto c = NewReplica("c");
    world_.Sleep(kSecond);
    const auto ticket = a->server->BeginRead().value();
    ASSERT_TRUE(a->server->Transfer("c").ok());
    EXPECT_EQ(a->server->EndRead(ticket).error().reason(), Reason::kFenced);
    EXPECT_LT(AwaitLeader(*c), Quick().LeaseNanos() / 2);
    EXPECT_FALSE(a->host.leads());
    EXPECT_EQ(b->host.epochs.size(), 0u);
    EXPECT_EQ(c->host.epochs, std::vector<Epoch>{a->host.epochs.front() + 1});
    EXPECT_EQ(a->server->Transfer("b").error().reason(), Reason::kFenced);
    EXPECT_EQ(WithoutRenewals(Records()),
              (std::vector<std::string>{"start a", "transfer c", "start c"}));
    EXPECT_TRUE(c->server->EndRead(c->server->BeginRead().value()).ok());
    ASSERT_TRUE(c->host.group().Renew(false).ok());
    EXPECT_TRUE(c->host.leads());
  });
}

TEST_F(ReplicaServerTest, LeadershipGoesByWordWithoutARecord) {
  InWorld([&] {
    const auto a = NewReplica("a");
    (void)AwaitLeader(*a);
    const auto b = NewReplica("b");
    world_.Sleep(kSecond);
    const auto ticket = a->server->BeginRead().value();
    const auto appended = a->appended;
    ASSERT_TRUE(a->server->Transfer("b", true).ok());
    AwaitThat([&] { return a->appended > appended; }, kSecond);  // who tells others is told
    EXPECT_EQ(a->server->EndRead(ticket).error().reason(), Reason::kFenced);
    const auto given = a->server->standing().given;
    ASSERT_TRUE(given.has_value());
    EXPECT_EQ(given->epoch, a->host.epochs.front());
    b->server->Hint({.epoch = given->epoch, .tail = given->tail, .leader = "b", .mine = true});
    EXPECT_LT(AwaitLeader(*b), Quick().LookNanos());
    EXPECT_FALSE(a->host.leads());
    EXPECT_EQ(b->host.epochs, std::vector<Epoch>{a->host.epochs.front() + 1});
    EXPECT_EQ(WithoutRenewals(Records()), (std::vector<std::string>{"start a", "start b"}));
    EXPECT_TRUE(b->server->EndRead(b->server->BeginRead().value()).ok());
  });
}

TEST_F(ReplicaServerTest, LeadershipThatNobodyTakesComesBack) {
  InWorld([&] {
    const auto a = NewReplica("a");
    (void)AwaitLeader(*a);
    const auto b = NewReplica("b");
    world_.Sleep(kSecond);
    ASSERT_TRUE(a->server->Transfer("c", true).ok());
    AwaitThat([&] { return a->host.stops == 1; }, kSecond);
    EXPECT_LT(AwaitLeader(*a), Quick().LeaseNanos() / 2);
    EXPECT_EQ(b->host.epochs.size(), 0u);
    EXPECT_EQ(WithoutRenewals(Records()), (std::vector<std::string>{"start a", "start a"}));
  });
}

TEST_F(ReplicaServerTest, ALeaderWhoseGroupTakesNoTransferLetsGo) {
  InWorld([this] {
    const auto a = NewReplica("a");
    AwaitLeader(*a);
    a->host.refuses = true;
    ASSERT_TRUE(a->server->Transfer("b").ok());
    AwaitThat([&] { return a->host.stops == 1; }, kSecond);
    EXPECT_EQ(a->server->standing().role, Role::kFollowing);
    a->host.refuses = false;
    AwaitLeader(*a);
    a->host.refuses = true;
    ASSERT_TRUE(a->server->Transfer("b", true).ok());
    AwaitThat([&] { return a->host.stops == 2; }, kSecond);
    EXPECT_FALSE(a->server->standing().given.has_value());
  });
}

TEST_F(ReplicaServerTest, ALeaderWhoseGroupTakesNoRenewalLetsGo) {
  InWorld([this] {
    const auto a = NewReplica("a");
    AwaitLeader(*a);
    a->host.refuses = true;
    AwaitThat([&] { return a->host.stops == 1; }, kSecond);
  });
}

TEST_F(ReplicaServerTest, WithoutRequestsNothingIsAppendedAndAReadCostsOneAppend) {
  InWorld([&] {
    const auto a = NewReplica("a");
    (void)AwaitLeader(*a);
    const auto b = NewReplica("b");
    world_.Sleep(2 * Quick().idle_nanos);
    const auto before = Records();
    EXPECT_EQ(before.back(), "rest");
    world_.Sleep(2 * Quick().idle_nanos);
    EXPECT_EQ(Records().size(), before.size());
    EXPECT_EQ(b->host.epochs.size(), 0u);  // silence is no reason
    EXPECT_TRUE(a->server->BeginRead().ok());
    EXPECT_EQ(Records().size(), before.size() + 1);
    EXPECT_EQ(Records().back(), "renew");
  });
}

TEST_F(ReplicaServerTest, WhoWasRemovedLeavesTheLeadToOthers) {
  InWorld([&] {
    auto a = NewReplica("a");
    AwaitLeader(*a);
    auto b = NewReplica("b");
    auto c = NewReplica("c");
    world_.Sleep(kSecond);  // they look
    ASSERT_TRUE(a->host.group().Remove("b").ok());
    world_.Sleep(kSecond);
    a.reset();  // for whoever comes first
    AwaitLeader(*c);
    EXPECT_TRUE(b->host.epochs.empty());
    c.reset();
    world_.Sleep(5 * kSecond);
    EXPECT_EQ(b->server->standing().role, Role::kFollowing);
    c = NewReplica("c");
    AwaitLeader(*c);
    ASSERT_TRUE(c->host.group().Readmit("b").ok());
    world_.Sleep(kSecond);
    c.reset();
    AwaitLeader(*b);
  });
}

TEST_F(ReplicaServerTest, AHostThatFailsIsAskedAgainLater) {
  InWorld([&] {
    const auto a = NewReplica("a");
    a->host.failures = 1;
    const uint64_t took = AwaitLeader(*a, 5 * kSecond);
    EXPECT_GT(took, 2 * Quick().WaitNanos());
    EXPECT_EQ(a->host.stops, 1);
    EXPECT_EQ(a->host.epochs.size(), 1u);
  });
}

TEST_F(ReplicaServerTest, AnUnknownAppendIsResolvedWithoutWaitingForALease) {
  InWorld([&] {
    const auto a = NewReplica("a");
    (void)AwaitLeader(*a);
    const Epoch epoch = a->server->standing().epoch;
    world_.faults().Inject({.operation = simulation::Operation::kSync,
                            .reason = Reason::kIoError,
                            .path_part = group::kStreamName});
    const uint64_t took = AwaitThat(
        [&] {
          const auto now = a->server->standing();
          return now.role == Role::kLeading && now.epoch == epoch + 1;
        },
        2 * kSecond);
    EXPECT_LT(took, Quick().RenewNanos() + Quick().LeaseNanos() / 2);
    EXPECT_EQ(a->host.stops, 1);
  });
}

TEST_F(ReplicaServerTest, ConfirmingAnswersWithoutALease) {
  InWorld([&] {
    Settings settings = Quick();
    settings.confirm = true;
    const auto a = NewReplica("a", settings);
    (void)AwaitLeader(*a);
    for (int i = 0; i < 3; ++i) {
      const auto ticket = a->server->BeginRead();
      ASSERT_TRUE(ticket.ok());
      EXPECT_TRUE(a->server->EndRead(*ticket).ok());
    }
  });
}

TEST_F(ReplicaServerTest, WhoComesLaterTakesWhatWasGivenUp) {
  InWorld([&] {
    auto a = NewReplica("a");
    (void)AwaitLeader(*a);
    world_.Sleep(2 * Quick().idle_nanos);
    a.reset();
    const auto b = NewReplica("b");
    EXPECT_LT(AwaitLeader(*b), Quick().LeaseNanos() / 2);
    EXPECT_TRUE(b->server->BeginRead().ok());
  });
}

}  // namespace
}  // namespace luna::replica
