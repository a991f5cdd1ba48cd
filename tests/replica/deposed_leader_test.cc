// A leader is in the middle of something, cut off or not, when another one takes over; what the
// first one sent arrives before, meanwhile or afterwards. Whatever it was, and wherever it was in
// it: the new leader's own flushes, compactions and names work, and everything is there, also for
// the leader after it.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/try.h"
#include "engine/universe/led_universe.h"
#include "kernel/kernel_view.h"
#include "luna/luna.h"
#include "simulation/sim_kernel/sim_kernel.h"
#include "simulation/simulated_runtime.h"

namespace luna::universe {
namespace {

using sim_kernel::Cut;
using sim_kernel::SimKernel;
using sim_kernel::SimStore;

constexpr uint64_t kMillisecond = 1'000'000;
constexpr int kMoments = 160;  // later than what is done takes
// Everything takes its time; who is cut off waits until it is heard again.
constexpr sim_kernel::SimFaults kFaults{.request_delay = {.least = 1, .most = 2},
                                        .reply_delay = {.least = 1, .most = 2},
                                        .timeout_millis = 3'600'000};
// So that what is on its way arrives at any moment of a take-over.
constexpr sim_kernel::SimFaults kSlow{.request_delay = {.least = 1, .most = 12},
                                      .reply_delay = {.least = 1, .most = 12},
                                      .timeout_millis = 3'600'000};

Result<LedUniverse> Lead(SimKernel& kernel, journal::Epoch epoch) {
  auto stream = TRY(kernel.journal().Open(group::kStreamName, {}));
  const journal::StreamState state = stream->state();
  TRY(stream->Fence(state.epoch, state.tail, epoch));
  Options options;
  options.memory_budget_bytes = uint64_t{64} << 20;
  return OpenLed(options, {},
                 {.kernel = kernel::NewKernelView(kernel, {}),
                  .leadership = {.stream = std::move(stream), .epoch = epoch, .server = "s"}});
}

// One server that leads.
class Server {
 public:
  Server(SimStore& store, simulation::SimulatedRuntime& world)
      : kernel_(SimKernel::Open(store, world, "sim:u", {}, kFaults).value()) {}

  void TakeOver(journal::Epoch epoch) {
    auto led = Lead(*kernel_, epoch);
    ASSERT_TRUE(led.ok()) << led.error().ToString();
    universe_ = std::move(led->universe);
    group_ = led->group;
    database_ = universe_->OpenOrCreateDatabase("d").value();
    collection_ = database_->OpenOrCreateCollection("c").value();
  }
  void Close() {
    collection_.reset();
    database_.reset();
    universe_.reset();
  }
  Universe& universe() { return *universe_; }
  group::Group& group() { return *group_; }
  Database& database() { return *database_; }
  Collection& collection() { return *collection_; }
  SimKernel& kernel() { return *kernel_; }

  void Put(const std::string& key) {
    const Status put = collection_->Put(key, key);
    ASSERT_TRUE(put.ok()) << put.error().ToString();
  }
  void Fill() {
    ASSERT_TRUE(database_->CreateCollection("gone").ok());
    ASSERT_TRUE(universe_->CreateDatabase("x").ok());
    for (int i = 0; i < 12; ++i) {
      Put("k" + std::to_string(i));
      if (i % 3 == 1) {
        ASSERT_TRUE(collection_->Flush().ok());  // the last key stays in memory
      }
    }
  }
  void ExpectFilled() {
    for (int i = 0; i < 12; ++i) {
      const std::string key = "k" + std::to_string(i);
      EXPECT_EQ(collection_->Get(key).value(), key);
    }
  }
  // Nothing of a predecessor is in its way.
  void ExpectInOrder() {
    ExpectFilled();
    Put("own");
    for (const std::string& name : database_->ListCollections().value()) {
      const auto collection = database_->OpenCollection(name);
      ASSERT_TRUE(collection.ok()) << collection.error().ToString();
      EXPECT_TRUE((*collection)->Put("own", "own").ok());
      for (const Status& done : {(*collection)->Flush(), (*collection)->Compact()}) {
        EXPECT_TRUE(done.ok()) << name << ": " << done.error().ToString();
      }
      EXPECT_EQ((*collection)->Get("own").value(), "own");
    }
    ExpectFilled();
    for (const char* name : {"late", "gone", "renamed"}) {
      EXPECT_TRUE(database_->OpenOrCreateCollection(name).ok()) << name;
    }
    for (const char* name : {"e", "x"}) {
      EXPECT_TRUE(universe_->OpenOrCreateDatabase(name).ok()) << name;
    }
    const VerifyReport report = universe_->Verify().value();
    EXPECT_TRUE(report.damage.empty()) << report.damage.front().ToString();
    EXPECT_EQ(universe_->GetStats()->background_error, "");
  }

 private:
  const std::unique_ptr<SimKernel> kernel_;
  std::unique_ptr<Universe> universe_;
  group::Group* group_ = nullptr;
  std::shared_ptr<Database> database_;
  std::shared_ptr<Collection> collection_;
};

// What a leader does, and whether it shows that it was done.
struct Deed {
  const char* name;
  std::function<Status(Server&)> act;
  std::function<bool(Server&)> shows;
};

bool Lists(Server& server, const std::string& name) {
  const auto names = server.database().ListCollections().value();
  return std::find(names.begin(), names.end(), name) != names.end();
}

Status IngestTwo(Server& server) {
  int given = 0;
  const IngestSource next = [&](std::string_view& key, std::string_view& value) {
    key = given == 0 ? "i1" : "i2";
    value = "ingested";
    return ++given <= 2;
  };
  TRY(server.database().Ingest(server.collection(), next));
  return {};
}

std::vector<Deed> Deeds() {
  const auto always = [](Server&) { return true; };
  return {{"flush", [](Server& s) { return s.collection().Flush(); }, always},
          {"compact", [](Server& s) { return s.collection().Compact(); }, always},
          {"ingest", IngestTwo,
           [](Server& s) { return s.collection().Get("i2").value() == "ingested"; }},
          {"create",
           [](Server& s) -> Status {
             TRY(s.database().CreateCollection("late"));
             return {};
           },
           [](Server& s) { return Lists(s, "late"); }},
          {"drop", [](Server& s) { return s.database().DropCollection("gone"); },
           [](Server& s) { return !Lists(s, "gone"); }},
          {"rename", [](Server& s) { return s.database().RenameCollection("gone", "renamed"); },
           [](Server& s) { return Lists(s, "renamed"); }},
          {"create database",
           [](Server& s) -> Status {
             TRY(s.universe().CreateDatabase("e"));
             return {};
           },
           [](Server& s) { return s.universe().OpenDatabase("e").ok(); }},
          {"drop database", [](Server& s) { return s.universe().DropDatabase("x"); },
           [](Server& s) { return !s.universe().OpenDatabase("x").ok(); }}};
}

// Another takes over `moment` milliseconds into the deed; `cut` is what lies between its doer and
// the store meanwhile. What became of the deed, as its doer was told.
Status TakeOverDuring(const Deed& deed, int moment, Cut cut) {
  simulation::SimulatedRuntime world(static_cast<uint64_t>(moment) + 1);
  Status told;
  world.Run([&] {
    SimStore store(world, world.trace(), world.seed());
    Server old(store, world);
    Server next(store, world);
    Server last(store, world);
    old.TakeOver(3);
    old.Fill();
    auto doer =
        world.Spawn("doer", runtime::ThreadClass::kForeground, [&] { told = deed.act(old); });
    world.Sleep(static_cast<uint64_t>(moment) * kMillisecond);
    store.wire().SetFaults(old.kernel().server(), kSlow);
    store.wire().SetCut(old.kernel().server(), cut);
    next.TakeOver(5);
    std::unique_ptr<Iterator> iterator = next.collection().Scan().value();
    next.Put("new");
    store.wire().SetCut(old.kernel().server(), Cut::kNone);
    doer->Join();
    // Who was told that it is done finds it done.
    EXPECT_TRUE(!told.ok() || deed.shows(next));
    next.ExpectInOrder();
    old.Close();
    while (iterator->Valid()) {
      iterator->Next();
    }
    EXPECT_TRUE(iterator->status().ok());  // nobody removed what it reads
    iterator.reset();
    next.Close();
    last.TakeOver(9);
    EXPECT_EQ(last.collection().Get("new").value(), "new");
    last.ExpectInOrder();
  });
  return told;
}

TEST(DeposedLeader, DoesNoHarmWhateverItIsDoing) {
  for (const Deed& deed : Deeds()) {
    int done = 0;
    int late = 0;
    for (int step = 0; step < kMoments && !testing::Test::HasFailure(); ++step) {
      // Held back, or at work while the other one opens.
      const int moment = step / 2 * 2;
      const Cut cut = step % 2 == 0 ? Cut::kHold : Cut::kNone;
      SCOPED_TRACE(std::string(deed.name) + ", deposed after " + std::to_string(moment) + " ms" +
                   (cut == Cut::kHold ? ", cut off" : ""));
      const Status told = TakeOverDuring(deed, moment, cut);
      done += told.ok() ? 1 : 0;
      if (!told.ok()) {
        EXPECT_EQ(told.error().reason(), Reason::kFenced) << told.error().ToString();
        late += told.error().message().find("leads group") != std::string::npos ? 1 : 0;
      }
    }
    EXPECT_GT(done, 0) << deed.name;  // before the cut
    EXPECT_GT(late, 0) << deed.name << ": no edit of it came late";
  }
}

TEST(DeposedLeader, ThatOpensLateIsTurnedAway) {
  simulation::SimulatedRuntime world(1);
  world.Run([&] {
    SimStore store(world, world.trace(), world.seed());
    Server old(store, world);
    Server next(store, world);
    old.TakeOver(3);
    old.Fill();
    old.Close();
    auto stream = old.kernel().journal().Open(group::kStreamName, {}).value();
    const journal::StreamState state = stream->state();
    ASSERT_TRUE(stream->Fence(state.epoch, state.tail, 5).ok());
    next.TakeOver(8);
    const auto late =
        OpenLed({}, {},
                {.kernel = kernel::NewKernelView(old.kernel(), {}),
                 .leadership = {.stream = std::move(stream), .epoch = 5, .server = "s"}});
    ASSERT_FALSE(late.ok());
    EXPECT_EQ(late.error().reason(), Reason::kFenced);
    EXPECT_NE(late.error().message().find("epoch 8 leads group 1"), std::string::npos);
    next.ExpectInOrder();
  });
}

// Otherwise it would lead on, with views that may not be what its manifest says.
TEST(DeposedLeader, LeadsNoMoreWhenItIsUnknownWhatAManifestStored) {
  simulation::SimulatedRuntime world(1);
  world.Run([&] {
    SimStore store(world, world.trace(), world.seed());
    Server server(store, world);
    server.TakeOver(3);
    server.Fill();
    const auto id = server.kernel().server();
    store.wire().SetFaults(id, {.timeout_millis = 200});
    store.wire().SetCut(id, Cut::kDrop);
    EXPECT_FALSE(server.database().CreateCollection("late").ok());
    store.wire().SetCut(id, Cut::kNone);
    EXPECT_FALSE(server.group().Renew(false).ok());
    EXPECT_FALSE(server.collection().Put("k0", "lost").ok());
    server.Close();
    server.TakeOver(5);
    server.ExpectInOrder();
  });
}

}  // namespace
}  // namespace luna::universe
