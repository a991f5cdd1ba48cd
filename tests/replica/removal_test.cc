// What a led universe removes, and when: leaders come and go, killed or deposed in the middle of
// flushes, compactions, large values and drops, and leave what they had half done. All along, who
// reads the manifest finds every object that it names, for nearly a grace; nothing acknowledged is
// lost; and once all is quiet the buckets hold what the manifests name, and nothing else.
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/try.h"
#include "engine/blob/blob.h"
#include "engine/catalog/universe_state.h"
#include "engine/universe/database_core.h"
#include "engine/universe/led_universe.h"
#include "kernel/kernel_view.h"
#include "luna/luna.h"
#include "simulation/seeded_random.h"
#include "simulation/sim_kernel/sim_kernel.h"
#include "simulation/simulated_runtime.h"

namespace luna::universe {
namespace {

using sim_kernel::SimKernel;
using sim_kernel::SimStore;

constexpr uint64_t kMillisecond = 1'000'000;
constexpr uint64_t kGrace = 20 * kMillisecond;
constexpr int kTerms = 3;
constexpr size_t kLarge = 70'000;
// Everything takes its time; now and then something stands still for longer than two graces.
constexpr sim_kernel::SimFaults kFaults{.request_delay = {.least = 0, .most = 3},
                                        .reply_delay = {.least = 0, .most = 3},
                                        .stall_per_mille = 15,
                                        .stall = {.least = 50, .most = 250},
                                        .timeout_millis = 3'600'000};

// Does not compress.
std::string ValueOf(const std::string& key, size_t size) {
  uint64_t seed = 1;
  for (const char letter : key) {
    seed = seed * 31 + static_cast<unsigned char>(letter);
  }
  simulation::SeededRandom random(seed);
  std::string value;
  while (value.size() < size) {
    value += std::to_string(random.Next());
  }
  value.resize(size);
  return value;
}

struct Leading {
  std::unique_ptr<SimKernel> kernel;
  std::unique_ptr<Universe> universe;
  group::Group* group = nullptr;
  std::shared_ptr<Database> database;
  std::shared_ptr<Collection> collection;
  std::unique_ptr<runtime::Thread> client;
  bool over = false;
};

class RemovalWorld {
 public:
  RemovalWorld(uint64_t seed, const RemovalMutants& mutants)
      : world_(seed), random_(seed * 7 + 1), mutants_(mutants) {}

  // What went wrong; empty: nothing.
  std::string Run() {
    world_.Run([&] {
      SimStore store(world_, world_.trace(), world_.seed());
      store_ = &store;
      Live();
      store_ = nullptr;
    });
    return violation_;
  }
  size_t acknowledged() const { return acknowledged_.size(); }
  size_t removed() const { return removed_; }

 private:
  void Violate(const std::string& what) {
    if (violation_.empty()) {
      violation_ = what;
    }
  }

  void Live() {
    std::unique_ptr<Leading> last;
    for (int term = 0; term < kTerms; ++term) {
      auto next = Lead(static_cast<uint64_t>(3 + 2 * term), kFaults);
      if (last != nullptr) {
        End(*last);
      }
      if (next == nullptr) {
        last = nullptr;
        break;
      }
      if (last == nullptr) {
        Watch();
      }
      last = std::move(next);
      last->client = world_.Spawn("client", runtime::ThreadClass::kForeground,
                                  [this, &led = *last] { Work(led); });
      world_.Sleep((300 + random_.Next() % 1200) * kMillisecond);
      if (random_.Next() % 2 == 0) {
        store_->wire().Kill(last->kernel->server());
      }
    }
    last_ = Lead(99, {});
    if (last != nullptr) {
      End(*last);
    }
    if (last_ != nullptr) {
      world_.Sleep(100 * kGrace);
      Judge();
      End(*last_);
      last_.reset();
    }
    watching_ = false;
    if (watcher_ != nullptr) {
      watcher_->Join();
    }
    probe_.reset();
    probe_kernel_.reset();
  }

  std::unique_ptr<Leading> Lead(uint64_t epoch, const sim_kernel::SimFaults& faults) {
    auto led = std::make_unique<Leading>();
    led->kernel = SimKernel::Open(*store_, world_, "sim:u", {}, faults).value();
    auto stream = led->kernel->journal().Open(group::kStreamName, {}).value();
    while (!stream->Fence(stream->state().epoch, std::nullopt, epoch).ok()) {
      stream.reset();  // another one came first, or the deposed leader has it open anew
      stream = led->kernel->journal().Open(group::kStreamName, {}).value();
    }
    Options options;
    options.memory_budget_bytes = uint64_t{64} << 20;
    options.memtable_bytes = 64 << 10;
    options.table_bytes = 64 << 10;
    auto opened = OpenLed(
        options, {},
        {.kernel = kernel::NewKernelView(*led->kernel, {}),
         .leadership = {.stream = std::move(stream), .epoch = epoch, .server = "s"},
         .removal = {.grace_nanos = kGrace, .orphans_nanos = 2 * kGrace, .mutants = mutants_}});
    if (!opened.ok()) {
      Violate("a leader cannot open the universe: " + opened.error().ToString());
      return nullptr;
    }
    led->universe = std::move(opened->universe);
    led->group = opened->group;
    led->database = led->universe->OpenOrCreateDatabase("d").value();
    led->collection = led->database->OpenOrCreateCollection("c").value();
    return led;
  }

  static void End(Leading& led) {
    led.over = true;
    if (led.client != nullptr) {
      led.client->Join();
    }
    led.collection.reset();
    led.database.reset();
    (void)led.universe->Close();
    led.universe.reset();
  }

  void Work(Leading& led) {
    while (!led.over && !Step(led, random_.Next() % 16)) {
    }
  }
  // True when it leads no more.
  bool Step(Leading& led, uint64_t what) {
    const auto failed = [](const auto& result) { return !result.ok(); };
    if (what < 6) {
      return failed(PutMany(led));
    }
    if (what < 9) {
      return failed(Put(led, kLarge));
    }
    if (what < 11) {
      const std::string key = "o" + std::to_string(random_.Next() % 3);
      return failed(led.collection->Put(key, ValueOf(key, kLarge)));
    }
    if (what < 13) {
      return failed(led.collection->Flush());
    }
    if (what < 14) {
      return failed(led.collection->Compact());
    }
    return failed(MakeAndDrop(led, what == 15));
  }
  Status Put(Leading& led, size_t size) {
    const std::string key = "k" + std::to_string(++keys_);
    TRY(led.collection->Put(key, ValueOf(key, size)));
    acknowledged_.emplace_back(key, size);
    return {};
  }
  // In one commit.
  Status PutMany(Leading& led) {
    const int first = keys_ + 1;
    keys_ += 10;
    TRY(led.database->Transact([&](Transaction& transaction) -> Status {
      for (int i = first; i < first + 10; ++i) {
        const std::string key = "k" + std::to_string(i);
        TRY(transaction.Put(*led.collection, key, ValueOf(key, 3000)));
      }
      return {};
    }));
    for (int i = first; i < first + 10; ++i) {
      acknowledged_.emplace_back("k" + std::to_string(i), 3000);
    }
    return {};
  }
  static Status MakeAndDrop(Leading& led, bool database) {
    if (!database) {
      const auto made = TRY(led.database->OpenOrCreateCollection("gone"));
      TRY(made->Put("g", ValueOf("g", kLarge)));
      TRY(made->Flush());
      TRY(made->Put("h", ValueOf("h", kLarge)));
      return led.database->DropCollection("gone");
    }
    const auto made = TRY(led.universe->OpenOrCreateDatabase("x"));
    const auto collection = TRY(made->OpenOrCreateCollection("c"));
    TRY(collection->Put("g", ValueOf("g", kLarge)));
    TRY(collection->Flush());
    return led.universe->DropDatabase("x");
  }

  // --- Who reads along, as a follower does ---

  void Watch() {
    probe_kernel_ = SimKernel::Open(*store_, world_, "sim:u", {}, {}).value();
    catalog::UniverseState system;
    const auto opened = probe_kernel_->OpenManifest("manifest-0", "db-0", system).value();
    for (const auto& [id, name] : system.databases()) {
      id_ = name == "d" ? id : id_;
    }
    probe_ = probe_kernel_->OpenManifest(ManifestName(id_), Bucket(), state_).value();
    watching_ = true;
    watcher_ = world_.Spawn("watcher", runtime::ThreadClass::kForeground, [this] {
      while (watching_) {
        const uint64_t began = Now();
        const std::set<std::string> named = Named();
        world_.Sleep(kGrace / 2);
        if (Now() - began < kGrace * 2 / 3) {  // else it is too old to be read by
          ExpectThere(named);
          ++looks_;
        }
      }
    });
  }
  uint64_t Now() { return world_.clock().MonotonicNanos(); }
  std::string Bucket() const { return basestore::BucketName(id_); }
  // By the manifest as it is now.
  std::set<std::string> Named() {
    if (const Status caught_up = probe_->CatchUp(); !caught_up.ok()) {
      Violate("the manifest cannot be read: " + caught_up.error().ToString());
    }
    std::set<std::string> named = state_.LiveTables();
    named.merge(state_.LiveBlobs());
    return named;
  }
  std::set<std::string> There() {
    std::set<std::string> there;
    for (const auto& [name, object] : store_->space("u").objects) {
      const std::string bucket = Bucket() + "/";
      if (name.starts_with(bucket + "manifest-") || !name.starts_with(bucket)) {
        continue;
      }
      const std::string blob = blob::NameOfPart(name.substr(bucket.size()));
      there.insert(blob.empty() ? name.substr(bucket.size()) : blob);
    }
    return there;
  }
  void ExpectThere(const std::set<std::string>& named) {
    const std::set<std::string> there = There();
    for (const std::string& name : named) {
      if (!there.contains(name)) {
        Violate(name + " was removed, which the manifest named half a grace ago");
      }
    }
  }

  // --- The end ---

  void Judge() {
    for (const auto& [key, size] : acknowledged_) {
      const auto got = last_->collection->Get(key);
      if (!got.ok() || !got->has_value() || **got != ValueOf(key, size)) {
        Violate(key + " is lost: " + (got.ok() ? "another value" : got.error().ToString()));
      }
    }
    const auto report = last_->universe->Verify();
    if (!report.ok() || !report->damage.empty()) {
      Violate("damage: " + (report.ok() ? report->damage.front() : report.error()).ToString());
    }
    std::set<std::string> wanted = Named();
    for (const std::string& blob : last_->group->UnflushedBlobs(id_)) {
      wanted.insert(blob);
    }
    for (const std::string& name : There()) {
      if (!wanted.contains(name)) {
        Violate(name + " is named by nobody and still there");
      }
    }
    const std::string error = last_->universe->GetStats()->background_error;
    if (!error.empty()) {
      Violate("a job fails: " + error);
    }
    if (looks_ < 20) {
      Violate("nobody looked");
    }
    JudgeDropped();
    for (const auto& [name, id] : store_->space("u").names_taken) {
      removed_ += store_->space("u").objects.contains(name) ? 0 : 1;
    }
  }
  void JudgeDropped() {
    std::set<std::string> buckets;
    for (const auto& [name, object] : store_->space("u").objects) {
      buckets.insert(name.substr(0, name.find('/')));
    }
    std::set<std::string> streams;
    for (const auto& [stream, stored] : store_->space("u").streams) {
      streams.insert(stream);
    }
    catalog::UniverseState system;
    const auto opened = probe_kernel_->OpenManifest("manifest-0", "db-0", system).value();
    for (const auto& [id, name] : system.databases()) {
      buckets.erase(basestore::BucketName(id));
      streams.erase(ManifestName(id));
    }
    buckets.erase("db-0");
    streams.erase("manifest-0");
    streams.erase(group::kStreamName);
    if (!buckets.empty()) {
      Violate("bucket " + *buckets.begin() + " of a dropped database is still there");
    }
    if (!streams.empty()) {
      Violate("stream " + *streams.begin() + " of a dropped database is still there");
    }
  }

  simulation::SimulatedRuntime world_;
  simulation::SeededRandom random_;
  const RemovalMutants mutants_;
  SimStore* store_ = nullptr;
  std::string violation_;
  int keys_ = 0;
  std::vector<std::pair<std::string, size_t>> acknowledged_;
  size_t removed_ = 0;
  std::unique_ptr<Leading> last_;

  std::unique_ptr<SimKernel> probe_kernel_;
  catalog::DatabaseId id_ = 0;
  catalog::DatabaseState state_;
  std::unique_ptr<manifest::Manifest> probe_;
  bool watching_ = false;
  int looks_ = 0;
  std::unique_ptr<runtime::Thread> watcher_;
};

uint64_t Seeds() {
  const char* given = std::getenv("LUNA_SEEDS");
  return given != nullptr ? std::stoull(given) : 8;
}

TEST(Removal, WhatIsNamedStaysAndNothingElse) {
  size_t acknowledged = 0;
  size_t removed = 0;
  for (uint64_t seed = 1; seed <= Seeds(); ++seed) {
    RemovalWorld world(seed, {});
    ASSERT_EQ(world.Run(), "") << "seed " << seed;
    acknowledged += world.acknowledged();
    removed += world.removed();
  }
  EXPECT_GT(acknowledged, 50 * Seeds());
  EXPECT_GT(removed, 50 * Seeds());
}

// Each rule that is broken is noticed.
TEST(Removal, MutantsAreCaught) {
  const std::pair<const char*, RemovalMutants> mutants[] = {
      {"no grace", {.no_grace = true}},
      {"forget unflushed", {.forget_unflushed = true}},
      {"take own epoch", {.take_own_epoch = true}},
      {"take open jobs", {.take_open_jobs = true}},
      {"keep orphans", {.keep_orphans = true}}};
  for (const auto& [name, mutant] : mutants) {
    std::string violation;
    for (uint64_t seed = 1; seed <= 100 && violation.empty(); ++seed) {
      violation = RemovalWorld(seed, mutant).Run();
    }
    EXPECT_NE(violation, "") << name << " survives";
  }
}

}  // namespace
}  // namespace luna::universe
