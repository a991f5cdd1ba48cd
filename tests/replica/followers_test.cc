// One server leads a universe on the simulated store, two follow: the real engine on all of them. A
// client writes, deletes, deletes ranges, lets keys expire; a tender flushes, compacts, ingests,
// makes, renames and drops collections and databases. Followers are slow and cut off, so far that
// the stream goes on without them; the lead is taken over warm by a follower.
// Whatever a follower showed at a timestamp is what the model has there, never less than what was
// acknowledged before it was asked, and its time never goes back. In the end everybody agrees.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/try.h"
#include "engine/universe/followed_universe.h"
#include "engine/universe/led_universe.h"
#include "kernel/kernel_view.h"
#include "luna/luna.h"
#include "simulation/seeded_random.h"
#include "simulation/sim_kernel/sim_kernel.h"
#include "simulation/simulated_runtime.h"
#include "support/versioned_model.h"

namespace luna::universe {
namespace {

using sim_kernel::Cut;
using sim_kernel::SimFaults;
using sim_kernel::SimKernel;
using test::Moment;
using test::VersionedModel;

constexpr uint64_t kMilli = 1'000'000;
constexpr uint64_t kSecond = 1'000 * kMilli;
constexpr uint64_t kLife = 3 * kSecond;
constexpr uint64_t kKeys = 12;
// The leader's way is slow, and never lets it doubt what it did.
constexpr SimFaults kLeaderFaults{.request_delay = {.least = 0, .most = 2},
                                  .reply_delay = {.least = 0, .most = 2},
                                  .timeout_millis = 3'600'000};
constexpr SimFaults kFollowerFaults{.request_delay = {.least = 0, .most = 4},
                                    .reply_delay = {.least = 0, .most = 4},
                                    .lost_request_per_mille = 5,
                                    .lost_reply_per_mille = 5,
                                    .slow_read_per_mille = 20,
                                    .slow_read = {.least = 0, .most = 50},
                                    .timeout_millis = 200};

// What one follower saw at one moment of one collection.
struct Sight {
  int server = 0;
  uint64_t collection = 0;
  Timestamp at = 0;
  std::vector<test::ModelEntry> entries{};
};

struct Counts {
  uint64_t sights = 0;
  uint64_t refused = 0;
  uint64_t equal = 0;  // states compared
  uint64_t commits = 0;
  uint64_t warm = 0;
};

struct Server {
  std::unique_ptr<SimKernel> kernel;
  LedUniverse led{};
  std::unique_ptr<FollowedUniverse> follower{};
  Timestamp seen = 0;  // the newest its readers were shown
  int readers = 0;
};

class World {
 public:
  explicit World(uint64_t seed) : world_(seed), random_(seed ^ 0x666F6C6C6F77) {}

  Counts Run() {
    world_.Run([&] {
      sim_kernel::SimStore store(world_, world_.trace(), world_.seed());
      store_ = &store;
      for (int i = 0; i < 3; ++i) {
        servers_[i].kernel = SimKernel::Open(store, world_, "sim:u", {}, kLeaderFaults).value();
      }
      Lead(0, nullptr);
      database_ = servers_[0].led.universe->CreateDatabase("d").value();
      MakeCollection();
      Follow(1);
      Follow(2);
      Live();
      Agree();
      for (Server& server : servers_) {
        Close(server);
      }
      for (Server& server : servers_) {
        server.kernel.reset();
      }
    });
    FillModel();
    for (const Sight& sight : sights_) {
      const auto expected = model_.Range(sight.collection, "", "", Moment::At(sight.at));
      EXPECT_EQ(test::Difference(expected, sight.entries), "")
          << "server " << sight.server << ", collection " << sight.collection << " at " << sight.at;
      if (testing::Test::HasFailure()) {
        break;
      }
    }
    counts_.sights = sights_.size();
    return counts_;
  }

 private:
  static Options TestOptions() {
    Options options;
    options.memory_budget_bytes = uint64_t{64} << 20;
    options.memtable_bytes = 64 << 10;
    options.table_bytes = 64 << 10;
    return options;
  }
  std::unique_ptr<runtime::Thread> Spawn(const char* name, std::function<void()> body) {
    return world_.Spawn(name, runtime::ThreadClass::kForeground, std::move(body));
  }
  uint64_t Now() { return world_.clock().MonotonicNanos(); }

  // --- Who leads, who follows ---

  void Lead(int index, std::unique_ptr<Inheritance> inherited) {
    Server& server = servers_[index];
    store_->wire().SetCut(server.kernel->server(), Cut::kNone);
    store_->wire().SetFaults(server.kernel->server(), kLeaderFaults);
    auto stream =
        server.kernel->journal().Open(group::kStreamName, {.segment_bytes = 32 << 10}).value();
    journal::StreamState state = stream->state();
    while (!stream->Fence(state.epoch, state.tail, epoch_ + 1).ok()) {
      (void)stream->Read(state.tail).value()->Next();
      state = stream->state();
    }
    ++epoch_;
    auto led = OpenLed(TestOptions(), {},
                       {.kernel = kernel::NewKernelView(*server.kernel, {}),
                        .leadership = {.stream = std::move(stream),
                                       .epoch = epoch_,
                                       .server = std::to_string(index)},
                        .release_bytes = 32 << 10,
                        .inherited = std::move(inherited)});
    ASSERT_TRUE(led.ok()) << led.error().ToString();
    server.led = std::move(led).value();
    leader_ = index;
  }
  void Follow(int index) {
    Server& server = servers_[index];
    store_->wire().SetFaults(server.kernel->server(), kFollowerFaults);
    while (server.follower == nullptr) {
      auto followed = OpenFollowed(
          TestOptions(), {},
          {.kernel = kernel::NewKernelView(*server.kernel, {}), .look_nanos = 20 * kMilli});
      if (followed.ok()) {
        server.follower = std::move(followed).value();
      } else {
        world_.Sleep(10 * kMilli);
      }
    }
  }
  std::unique_ptr<Inheritance> StopFollowing(Server& server) {
    auto stopped = std::exchange(server.follower, nullptr);
    while (server.readers > 0) {
      world_.Sleep(kMilli);
    }
    return stopped == nullptr ? nullptr : stopped->Stop();
  }
  void Close(Server& server) {
    (void)StopFollowing(server);
    database_ = server.led.universe != nullptr ? nullptr : database_;
    server.led.universe.reset();
  }
  // A follower takes the lead, from one that is alive or not.
  void TakeOver() {
    const int old = leader_;
    const int next = (old + 1 + static_cast<int>(random_.Below(2))) % 3;
    paused_ = true;
    while (writers_ > 0) {
      world_.Sleep(kMilli);
    }
    auto inherited = StopFollowing(servers_[next]);
    counts_.warm += inherited != nullptr ? 1 : 0;
    if (random_.Chance(500)) {
      database_.reset();
      servers_[old].led.universe.reset();
    }
    Lead(next, std::move(inherited));
    database_.reset();
    servers_[old].led.universe.reset();
    database_ = servers_[next].led.universe->OpenDatabase("d").value();
    Follow(old);
    paused_ = false;
  }

  // --- What happens ---

  void Live() {
    std::vector<std::unique_ptr<runtime::Thread>> fibers;
    fibers.push_back(Spawn("writer", [&] { Repeat(4 * kMilli, [&] { Write(); }); }));
    fibers.push_back(Spawn("tender", [&] { Repeat(60 * kMilli, [&] { Tend(); }); }));
    fibers.push_back(Spawn("renewer", [&] {
      Repeat(50 * kMilli, [&] { EXPECT_TRUE(Leader().led.group->Renew(false).ok()); });
    }));
    for (int i = 0; i < 3; ++i) {
      fibers.push_back(Spawn("reader", [&, i] {
        while (!over_) {
          Look(i);
          world_.Sleep(1 + random_.Below(40 * kMilli));
        }
      }));
    }
    fibers.push_back(Spawn("cutter", [&] { CutFollowers(); }));
    for (const uint64_t end = Now() + kLife; Now() < end && !testing::Test::HasFailure();) {
      world_.Sleep(random_.Below(kSecond));
      if (random_.Chance(600)) {
        TakeOver();
      }
    }
    over_ = true;
    for (const auto& fiber : fibers) {
      fiber->Join();
    }
  }
  Server& Leader() { return servers_[leader_]; }
  // While the lead does not change hands.
  void Repeat(uint64_t most_nanos, const std::function<void()>& body) {
    while (!over_ && !testing::Test::HasFailure()) {
      world_.Sleep(1 + random_.Below(most_nanos));
      if (!paused_) {
        ++writers_;
        body();
        --writers_;
      }
    }
  }
  void CutFollowers() {
    while (!over_) {
      world_.Sleep(random_.Below(500 * kMilli));
      const int index = static_cast<int>(random_.Below(3));
      if (index == leader_ || servers_[index].follower == nullptr) {
        continue;
      }
      const auto id = servers_[index].kernel->server();
      store_->wire().SetCut(id, random_.Chance(500) ? Cut::kDrop : Cut::kHold);
      world_.Sleep(random_.Below(900 * kMilli));
      store_->wire().SetCut(id, Cut::kNone);
    }
  }

  std::string Key() { return "k" + std::to_string(10 + random_.Below(kKeys)); }
  std::string NameOf(uint64_t number) { return "c" + std::to_string(number); }
  void MakeCollection() {
    const uint64_t number = ++made_;
    ASSERT_TRUE(database_->CreateCollection(NameOf(number)).ok());
    names_[number] = NameOf(number);
  }
  std::pair<uint64_t, std::string> Any() {
    auto any = names_.begin();
    std::advance(any, random_.Below(names_.size()));
    return *any;
  }

  struct Written {
    uint64_t collection = 0;
    std::string key{};
    std::optional<std::string> value{};
    uint64_t ttl_millis = 0;
    bool range = false;
  };
  // Some operations over some collections, at once.
  void Write() {
    TransactionOptions options;
    if (random_.Chance(200)) {
      options.id = TransactionId{.high = 7, .low = ++written_};
    }
    const auto transaction = database_->Begin(options).value();
    std::vector<Written> all;
    std::set<std::pair<uint64_t, std::string>> keys;
    for (uint64_t i = 0; i <= random_.Below(4); ++i) {
      const auto [number, name] = Any();
      const auto collection = database_->OpenCollection(name);
      if (!collection.ok()) {
        return;  // dropped meanwhile
      }
      Written one{.collection = number, .key = Key()};
      if (!keys.insert({number, one.key}).second) {
        continue;
      }
      if (i == 0 && random_.Chance(60)) {
        one.range = true;
        ASSERT_TRUE(transaction->DeleteRange(**collection, one.key, one.key + "\x7f").ok());
      } else if (random_.Chance(200)) {
        ASSERT_TRUE(transaction->Delete(**collection, one.key).ok());
      } else {
        one.value = std::to_string(++written_) + std::string(random_.Below(1500), 'x');
        if (random_.Chance(30)) {
          one.value->append(70'000, 'b');
        }
        one.ttl_millis = random_.Chance(200) ? 1 + random_.Below(200) : 0;
        Expiry expiry(std::chrono::milliseconds(one.ttl_millis));
        ASSERT_TRUE(transaction->Put(**collection, one.key, *one.value, expiry).ok());
      }
      all.push_back(std::move(one));
    }
    const Result<Timestamp> committed = transaction->Commit();
    if (!committed.ok()) {
      ASSERT_EQ(committed.error().reason(), Reason::kCollectionMissing)
          << committed.error().ToString();
      return;
    }
    for (const Written& one : all) {
      Note(one, *committed);
    }
    acknowledged_ = std::max(acknowledged_, *committed);
    ++counts_.commits;
  }
  void Note(const Written& one, Timestamp at) { noted_.emplace(at, one); }
  // In the order of commits, which is not the order in which they were answered.
  void FillModel() {
    for (const auto& [at, one] : noted_) {
      AddToModel(one, at);
    }
  }
  void AddToModel(const Written& one, Timestamp at) {
    if (one.range) {
      for (const std::string& key : model_.Keys(one.collection, one.key, one.key + "\x7f")) {
        model_.Add(one.collection, key, {.timestamp = at, .value = {}});
      }
      return;
    }
    model_.Add(one.collection, one.key,
               {.timestamp = at,
                .value = one.value,
                .expiry_millis = one.ttl_millis == 0 ? 0 : test::MillisOf(at) + one.ttl_millis});
  }

  void Tend() {
    const auto [number, name] = Any();
    const auto collection = database_->OpenCollection(name).value();
    switch (random_.Below(10)) {
      case 0:
        MakeCollection();
        break;
      case 1:
        if (names_.size() > 2) {
          names_.erase(number);
          ASSERT_TRUE(database_->DropCollection(name).ok());
        }
        break;
      case 2:
        ASSERT_TRUE(database_->RenameCollection(name, name + "r").ok());
        names_[number] = name + "r";
        break;
      case 3:
        Ingest(number, *collection);
        break;
      case 4:
        DropOrMakeDatabase();
        break;
      case 5:
        ASSERT_TRUE(collection->Compact().ok());
        break;
      default:
        for (const auto& [other, its_name] : std::map(names_)) {
          const Status flushed = database_->OpenCollection(its_name).value()->Flush();
          ASSERT_TRUE(flushed.ok()) << flushed.error().ToString();
        }
        break;
    }
  }
  void Ingest(uint64_t number, Collection& collection) {
    std::vector<Written> rows;
    for (uint64_t i = 0; i < kKeys; i += 1 + random_.Below(3)) {
      rows.push_back({.collection = number,
                      .key = "k" + std::to_string(10 + i),
                      .value = "ingested" + std::to_string(++written_)});
    }
    size_t given = 0;
    const auto committed =
        database_->Ingest(collection, [&](std::string_view& key, std::string_view& value) {
          if (given == rows.size()) {
            return false;
          }
          key = rows[given].key;
          value = *rows[given++].value;
          return true;
        });
    ASSERT_TRUE(committed.ok()) << committed.error().ToString();
    for (const Written& one : rows) {
      Note(one, *committed);
    }
    acknowledged_ = std::max(acknowledged_, *committed);
  }
  void DropOrMakeDatabase() {
    Universe& universe = *Leader().led.universe;
    if (universe.OpenDatabase("e").ok()) {
      ASSERT_TRUE(universe.DropDatabase("e").ok());
      return;
    }
    const auto made = universe.CreateDatabase("e").value();
    ASSERT_TRUE(made->CreateCollection("c").value()->Put("k", "v").ok());
  }

  // --- What followers show ---

  void Look(int index) {
    Server& server = servers_[index];
    if (server.follower == nullptr) {
      return;
    }
    ++server.readers;
    FollowedUniverse& follower = *server.follower;
    const bool bounded = random_.Chance(500);
    const Timestamp before = acknowledged_;
    Status fresh;
    if (bounded) {
      fresh = follower.AwaitComplete(Now(), Now() + 300 * kMilli);
    }
    const Status looked = LookAround(index, follower, bounded && fresh.ok() ? before : 0);
    if (!looked.ok()) {
      ++counts_.refused;
      const Reason reason = looked.error().reason();
      EXPECT_TRUE(reason == Reason::kSnapshotTooOld || reason == Reason::kBackPressure ||
                  reason == Reason::kUnreachable || reason == Reason::kDatabaseMissing ||
                  reason == Reason::kShutDown)
          << looked.error().ToString();
    }
    --server.readers;
  }
  Status LookAround(int index, FollowedUniverse& follower, Timestamp least) {
    const auto database = TRY(follower.universe().OpenDatabase("d"));
    const auto names = TRY(database->ListCollections());
    const auto snapshot = TRY(database->GetSnapshot());
    const Timestamp at = snapshot->timestamp();
    EXPECT_GE(at, servers_[index].seen) << "time went back at server " << index;
    EXPECT_GE(at, least) << "server " << index << " lacks what was acknowledged";
    servers_[index].seen = at;
    for (const std::string& name : names) {
      const auto collection = database->OpenCollection(name);
      if (!collection.ok()) {
        continue;  // gone, or not there yet
      }
      const auto seen = ScanAll(*snapshot, **collection);
      if (!seen.ok() && seen.error().reason() == Reason::kCollectionMissing) {
        continue;
      }
      sights_.push_back({.server = index,
                         .collection = std::stoull(name.substr(1)),
                         .at = at,
                         .entries = TRY(seen)});
    }
    return {};
  }
  static Result<std::vector<test::ModelEntry>> ScanAll(Snapshot& snapshot, Collection& collection) {
    std::vector<test::ModelEntry> entries;
    const auto iterator = TRY(snapshot.Scan(collection, {}));
    for (; iterator->Valid(); iterator->Next()) {
      entries.push_back({.key = std::string(iterator->key()),
                         .value = std::string(iterator->value()),
                         .timestamp = iterator->timestamp(),
                         .expiry_millis = iterator->expiry_millis()});
    }
    TRY(iterator->status());
    return entries;
  }

  // Nothing harms anybody any more: the followers get to where the leader is.
  void Agree() {
    for (int i = 0; i < 3; ++i) {
      store_->wire().SetCut(servers_[i].kernel->server(), Cut::kNone);
      store_->wire().SetFaults(servers_[i].kernel->server(), kLeaderFaults);
    }
    group::Group& group = *Leader().led.group;
    ASSERT_TRUE(group.Renew(true).ok());
    for (int i = 0; i < 3; ++i) {
      Server& server = servers_[i];
      if (i == leader_) {
        continue;
      }
      const Status complete = server.follower->AwaitComplete(Now(), Now() + 20 * kSecond);
      ASSERT_TRUE(complete.ok()) << complete.error().ToString();
      Status looked = LookAround(i, *server.follower, acknowledged_);
      for (int again = 0; again < 20 && !looked.ok(); ++again) {
        world_.Sleep(50 * kMilli);  // the leader flushed while it was read
        looked = LookAround(i, *server.follower, acknowledged_);
      }
      ASSERT_TRUE(looked.ok()) << looked.error().ToString();
      const group::Inheritance own = group.Share().value();
      const auto stopped = server.follower->Stop();
      ASSERT_NE(stopped, nullptr);
      if (stopped->group.applied == own.applied) {
        EXPECT_EQ(group::Digest(stopped->group), group::Digest(own)) << "server " << i;
        ++counts_.equal;
      }
    }
    const auto snapshot = database_->GetSnapshot().value();
    for (const auto& [number, name] : names_) {
      sights_.push_back(
          {.server = leader_,
           .collection = number,
           .at = snapshot->timestamp(),
           .entries = ScanAll(*snapshot, *database_->OpenCollection(name).value()).value()});
    }
    const VerifyReport report = Leader().led.universe->Verify().value();
    EXPECT_TRUE(report.damage.empty()) << report.damage.front().ToString();
  }

  simulation::SimulatedRuntime world_;
  simulation::SeededRandom random_;
  sim_kernel::SimStore* store_ = nullptr;
  std::array<Server, 3> servers_;
  int leader_ = 0;
  journal::Epoch epoch_ = 1;
  std::shared_ptr<Database> database_;  // at the leader
  std::map<uint64_t, std::string> names_;
  uint64_t made_ = 0;
  uint64_t written_ = 0;
  std::multimap<Timestamp, Written> noted_;
  VersionedModel model_;
  Timestamp acknowledged_ = 0;
  std::vector<Sight> sights_;
  Counts counts_;
  bool over_ = false;
  bool paused_ = false;
  int writers_ = 0;
};

uint64_t Seeds() {
  const char* given = std::getenv("LUNA_SEEDS");
  return given != nullptr ? std::stoull(given) : 200;
}

TEST(Followers, ShowWhatTheLeaderCommitted) {
  const char* first = std::getenv("LUNA_FIRST_SEED");
  Counts all;
  for (uint64_t seed = first != nullptr ? std::stoull(first) : 1, end = seed + Seeds(); seed < end;
       ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Counts counts = World(seed).Run();
    if (testing::Test::HasFailure()) {
      return;
    }
    all.sights += counts.sights;
    all.refused += counts.refused;
    all.commits += counts.commits;
    all.warm += counts.warm;
    all.equal += counts.equal;
  }
  RecordProperty("sights", std::to_string(all.sights));
  RecordProperty("refused", std::to_string(all.refused));
  RecordProperty("commits", std::to_string(all.commits));
  RecordProperty("warm", std::to_string(all.warm));
  EXPECT_GT(all.sights, all.refused);
  RecordProperty("equal", std::to_string(all.equal));
  EXPECT_GT(all.warm, 0u);
  EXPECT_GT(all.equal, 0u);
}

}  // namespace
}  // namespace luna::universe
