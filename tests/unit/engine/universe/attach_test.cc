#include "engine/universe/attach.h"

#include <gtest/gtest.h>

#include <map>

#include "engine/universe/led_universe.h"
#include "kernel/kernel_view.h"
#include "kernel/overlay_runtime.h"
#include "luna/luna.h"
#include "runtime/memory/memory_file_system.h"
#include "simulation/sim_kernel/sim_kernel.h"
#include "simulation/simulated_runtime.h"

namespace luna::universe {
namespace {

using sim_kernel::SimKernel;
using sim_kernel::SimStore;

// A universe of the simulated store as the target.
class Target final : public kernel::UnfinishedUniverse {
 public:
  explicit Target(SimKernel& kernel) : kernel_(kernel) {}
  journal::Journal& journal() override { return kernel_.journal(); }
  storage::Storage& storage() override { return kernel_.storage(); }
  runtime::Runtime& runtime() override { return kernel_.runtime(); }
  Status Finish() override {
    finished = true;
    return {};
  }
  bool finished = false;

 private:
  SimKernel& kernel_;
};

// An embedded universe in a directory of the simulation, and a store that servers share.
class AttachTest : public testing::Test {
 protected:
  void Run(const std::function<void()>& body) {
    simulation::SimulatedRuntime world(1);
    world_ = &world;
    world.Run([&] {
      SimStore store(world, world.trace(), world.seed());
      store_ = &store;
      shared_ = SimKernel::Open(store, world, "sim:u", {}, {}).value();
      body();
      shared_.reset();
    });
  }
  void Fill() {
    const auto universe =
        Universe::Open(options_, {.listener = nullptr, .runtime = world_}).value();
    for (const char* name : {"d", "gone", "e"}) {
      const auto database = universe->CreateDatabase(name).value();
      for (const char* collection : {"c", "x"}) {
        const auto made = database->CreateCollection(collection).value();
        for (int i = 0; i < 40; ++i) {
          const std::string key = std::string(name) + collection + std::to_string(i);
          const std::string value = std::string(i % 10 == 0 ? 90'000 : 100, 'v') + key;
          ASSERT_TRUE(made->Put(key, value).ok());
          if (std::string(name) != "gone") {
            model_[name + std::string("/") + collection][key] = value;
          }
          if (i == 15 || i == 25) {
            ASSERT_TRUE(made->Flush().ok());
          }
        }
      }
    }
    ASSERT_TRUE(universe->DropDatabase("gone").ok());
    ASSERT_TRUE(universe->OpenDatabase("e").value()->OpenCollection("c").value()->Compact().ok());
    ASSERT_TRUE(universe->Close().ok());
  }
  std::unique_ptr<kernel::Kernel> Source() {
    return kernel::OpenKernel("/u", *world_, {.create_if_missing = false, .background = {}})
        .value();
  }
  Result<AttachReport> Copy(Target& target) {
    const auto source = Source();
    return Attach(*source, target, [](const kernel::CopyProgress&) {});
  }
  void ExpectModel(Universe& universe) {
    for (const auto& [place, entries] : model_) {
      const size_t slash = place.find('/');
      const auto collection = universe.OpenDatabase(place.substr(0, slash))
                                  .value()
                                  ->OpenCollection(place.substr(slash + 1))
                                  .value();
      std::map<std::string, std::string> found;
      const auto iterator = collection->Scan().value();
      for (; iterator->Valid(); iterator->Next()) {
        found.emplace(iterator->key(), iterator->value());
      }
      ASSERT_TRUE(iterator->status().ok());
      EXPECT_TRUE(found == entries) << place;
    }
    EXPECT_TRUE(universe.Verify().value().damage.empty());
  }
  std::unique_ptr<Universe> Lead() {
    auto stream = shared_->journal().Open(group::kStreamName, {}).value();
    const journal::StreamState state = stream->state();
    const journal::Epoch epoch = state.epoch + 1;
    EXPECT_TRUE(stream->Fence(state.epoch, state.tail, epoch).ok());
    auto led =
        OpenLed({}, {},
                {.kernel = kernel::NewKernelView(*shared_, {}),
                 .leadership = {.stream = std::move(stream), .epoch = epoch, .server = "s"}});
    EXPECT_TRUE(led.ok()) << led.error().ToString();
    return std::move(led->universe);
  }

  Options options_{.location = "/u"};
  simulation::SimulatedRuntime* world_ = nullptr;
  SimStore* store_ = nullptr;
  std::unique_ptr<SimKernel> shared_;
  std::map<std::string, std::map<std::string, std::string>> model_;
};

TEST_F(AttachTest, TheCopyServesTheSameDataAndTheOriginalGoesOnByItself) {
  Run([&] {
    Fill();
    Target target(*shared_);
    const AttachReport report = Copy(target).value();
    EXPECT_TRUE(target.finished);
    EXPECT_EQ(report.databases, 2u);
    EXPECT_GT(report.verified, 8u);
    for (int term = 0; term < 2; ++term) {
      const auto universe = Lead();
      EXPECT_EQ(universe->ListDatabases().value(), (std::vector<std::string>{"d", "e"}));
      ExpectModel(*universe);
      const auto collection = universe->OpenDatabase("d").value()->OpenCollection("c").value();
      ASSERT_TRUE(collection->Put("new", "value").ok());
      ASSERT_TRUE(collection->Flush().ok());
      ASSERT_TRUE(collection->Compact().ok());
      model_["d/c"]["new"] = "value";
      ExpectModel(*universe);
    }
    model_["d/c"].erase("new");
    const auto original =
        Universe::Open(options_, {.listener = nullptr, .runtime = world_}).value();
    ExpectModel(*original);
  });
}

TEST_F(AttachTest, DamageIsNoticedAndTheCopyIsNotFinished) {
  Run([&] {
    Fill();
    std::string table;
    {
      const auto source = Source();
      for (const std::string& bucket : source->storage().ListBuckets().value()) {
        for (const std::string& object : source->storage().List(bucket).value()) {
          table = object.starts_with("t-") ? "/u/objects/" + bucket + "/" + object : table;
        }
      }
    }
    const auto file = world_->files().Open(table, runtime::OpenMode::kReadWrite).value();
    ASSERT_TRUE(file->Write(40, "damage").ok());
    Target target(*shared_);
    const auto report = Copy(target);
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error().code(), ErrorCode::kCorruption) << report.error().ToString();
    EXPECT_FALSE(target.finished);
  });
}

TEST_F(AttachTest, AFullStoreEndsItWithThatError) {
  Run([&] {
    Fill();
    store_->SetFull(true);
    Target target(*shared_);
    EXPECT_EQ(Copy(target).error().reason(), Reason::kDiskFull);
    EXPECT_FALSE(target.finished);
  });
}

TEST_F(AttachTest, AManifestThatIsMissingIsLostData) {
  Run([&] {
    Fill();
    {
      const auto source = Source();
      ASSERT_TRUE(source->journal().Remove("manifest-0").ok());
    }
    Target target(*shared_);
    EXPECT_EQ(Copy(target).error().reason(), Reason::kLostData);
    EXPECT_FALSE(target.finished);
  });
}

}  // namespace
}  // namespace luna::universe
