#include "worker/worker_world.h"

#include <array>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/try.h"
#include "cluster/worker/offloaded_merges.h"
#include "cluster/worker/worker.h"
#include "engine/catalog/database_state.h"
#include "engine/universe/led_universe.h"
#include "kernel/kernel_view.h"
#include "luna/luna.h"
#include "simulation/sim_kernel/sim_kernel.h"
#include "simulation/simulated_runtime.h"

namespace luna::worker {
namespace {

using sim_kernel::Cut;
using sim_kernel::SimKernel;
using sim_kernel::SimStore;

constexpr uint64_t kMillisecond = 1'000'000;
constexpr uint64_t kSecond = 1'000 * kMillisecond;
constexpr uint64_t kTroubledNanos = 60 * kSecond;
constexpr int kKeys = 1'000;
// Who is cut off waits until it is heard again.
constexpr sim_kernel::SimFaults kFaithful{.request_delay = {.least = 0, .most = 6},
                                          .reply_delay = {.least = 0, .most = 3},
                                          .timeout_millis = 3'600'000};
constexpr sim_kernel::SimFaults kLossy{.request_delay = {.least = 0, .most = 6},
                                       .reply_delay = {.least = 0, .most = 3},
                                       .lost_request_per_mille = 5,
                                       .lost_reply_per_mille = 5,
                                       .late_per_mille = 5,
                                       .late = {.least = 1, .most = 5'000},
                                       .timeout_millis = 200};

enum class Luck : uint8_t { kHeld, kQuiet, kDeposed, kLossy };

// One that may lead.
class Leader {
 public:
  Leader(SimStore& store, runtime::Runtime& world, const board::Mutants& mutants)
      : kernel_(SimKernel::Open(store, world, "sim:u", {}, kFaithful).value()), mutants_(mutants) {}

  Status Lead(journal::Epoch epoch) {
    auto stream = TRY(kernel_->journal().Open(group::kStreamName, {}));
    const journal::StreamState state = stream->state();
    TRY(stream->Fence(state.epoch, state.tail, epoch));
    merges_ = std::make_unique<OffloadedMerges>(
        *kernel_, epoch,
        OffloadOptions{.least_bytes = 1, .retry_nanos = kSecond, .mutants = mutants_});
    Options options;
    options.memory_budget_bytes = uint64_t{64} << 20;
    options.memtable_bytes = 64 << 10;
    options.table_bytes = 64 << 10;
    auto led = TRY(universe::OpenLed(
        options, {},
        {.kernel = kernel::NewKernelView(*kernel_, {.flush_threads = 1, .compaction_threads = 2}),
         .leadership = {.stream = std::move(stream), .epoch = epoch, .server = "s"},
         .merges = merges_.get()}));
    universe_ = std::move(led.universe);
    database_ = TRY(universe_->OpenOrCreateDatabase("d"));
    collection_ = TRY(database_->OpenOrCreateCollection("c"));
    return {};
  }
  // What it counted goes into `figures`.
  void Close(OffloadFigures& figures) {
    collection_.reset();
    database_.reset();
    universe_.reset();
    if (merges_ != nullptr) {
      const OffloadFigures own = merges_->figures();
      figures.offered += own.offered;
      figures.done += own.done;
      figures.silent += own.silent;
      figures.refused += own.refused;
      figures.strays += own.strays;
    }
    merges_.reset();
  }
  SimKernel& kernel() { return *kernel_; }
  Universe& universe() { return *universe_; }
  Database& database() { return *database_; }
  Collection& collection() { return *collection_; }

 private:
  const std::unique_ptr<SimKernel> kernel_;
  const board::Mutants mutants_;
  std::unique_ptr<OffloadedMerges> merges_;
  std::unique_ptr<Universe> universe_;
  std::shared_ptr<Database> database_;
  std::shared_ptr<Collection> collection_;
};

// One place where workers live, one after the other.
struct Place {
  std::unique_ptr<SimKernel> kernel{};
  std::unique_ptr<Worker> worker{};
};

class World {
 public:
  World(uint64_t seed, const board::Mutants& mutants)
      : world_(seed), luck_(static_cast<Luck>(seed % 4)), mutants_(mutants) {}

  WorldReport Run() {
    world_.Run([&] {
      SimStore store(world_, world_.trace(), world_.seed());
      store_ = &store;
      leaders_[0] = std::make_unique<Leader>(store, world_, mutants_);
      leaders_[1] = std::make_unique<Leader>(store, world_, mutants_);
      Judge(leaders_[0]->Lead(epoch_), "leading");
      for (Place& place : places_) {
        Begin(place);
      }
      auto trouble = world_.Spawn("trouble", runtime::ThreadClass::kForeground, [&] { Trouble(); });
      while (Now() < kTroubledNanos && report_.violation.empty()) {
        Write();
      }
      trouble->Join();
      End();
      leaders_ = {};
    });
    return report_;
  }

 private:
  uint64_t Now() { return world_.clock().MonotonicNanos(); }
  uint64_t Random(uint64_t bound) { return world_.random().Next() % bound; }
  Leader& leader() { return *leaders_[leading_]; }

  void Blame(const std::string& what) {
    if (report_.violation.empty()) {
      report_.violation = what;
    }
  }
  void Judge(const Status& status, const std::string& what) {
    if (!status.ok()) {
      Blame(what + ": " + status.error().ToString());
    }
  }

  // --- The workers ---
  void Begin(Place& place) {
    const auto faults = luck_ == Luck::kLossy ? kLossy : kFaithful;
    auto kernel = SimKernel::Open(*store_, world_, "sim:u", {}, faults);
    if (!kernel.ok()) {
      return;  // another time
    }
    place.kernel = std::move(kernel).value();
    place.worker = std::make_unique<Worker>(
        *place.kernel,
        WorkerOptions{
            .name = "w", .beat_nanos = kSecond / 2 + Random(2 * kSecond), .mutants = mutants_});
    place.worker->Start();
  }
  void Finish(Place& place) {
    if (place.worker != nullptr) {
      place.worker->Stop();
      const WorkerStanding standing = place.worker->standing();
      report_.late += standing.jobs_lost;
    }
    place.worker.reset();
    place.kernel.reset();
  }
  void Kill(Place& place) {
    if (place.kernel != nullptr) {
      store_->wire().Kill(place.kernel->server());
    }
    Finish(place);
  }
  // Waits for a moment in the middle of a job.
  void AwaitWork(Place& place) {
    for (int i = 0; i < 5'000 && place.worker != nullptr; ++i) {
      if (!place.worker->standing().running.empty()) {
        return world_.Sleep(Random(60 * kMillisecond));
      }
      world_.Sleep(kMillisecond);
    }
  }
  // Past the leader's patience, or not.
  void Hold(Place& place) {
    if (place.kernel != nullptr) {
      store_->wire().SetCut(place.kernel->server(), Cut::kHold);
      world_.Sleep(Random(20) * kSecond);
      store_->wire().SetCut(place.kernel->server(), Cut::kNone);
    }
  }

  // --- Bad luck ---
  void Trouble() {
    while (Now() < kTroubledNanos) {
      world_.Sleep(Random(3 * kSecond));
      Place& place = places_[Random(places_.size())];
      const uint64_t what = Random(4);
      if (luck_ == Luck::kQuiet) {
        continue;
      }
      if (Random(4) != 0) {
        AwaitWork(place);
      }
      if (luck_ == Luck::kHeld || what == 0) {
        Hold(place);
      } else if (what == 1) {
        Kill(place);
        world_.Sleep(Random(3 * kSecond));
        Begin(place);
      } else if (what == 2) {  // in order
        Finish(place);
        Begin(place);
      } else if (luck_ == Luck::kDeposed) {
        depose_ = true;  // by the writer, in the middle of what goes on behind it
      }
    }
  }
  void Depose() {
    Leader& old = leader();
    const bool cut = Random(2) == 0;
    store_->wire().SetCut(old.kernel().server(), cut ? Cut::kHold : Cut::kNone);
    leading_ = 1 - leading_;
    epoch_ += 2;
    Judge(leader().Lead(epoch_), "taking over");
    world_.Sleep(Random(2 * kSecond));
    store_->wire().SetCut(old.kernel().server(), Cut::kNone);
    old.Close(figures_);
    ++report_.takeovers;
  }

  // --- The client ---
  void Write() {
    if (std::exchange(depose_, false)) {
      Depose();
    }
    WriteBatch batch;
    for (int i = 0; i < 40; ++i) {
      const std::string key = "k" + std::to_string(Random(kKeys));
      if (Random(8) == 0) {
        batch.Delete(leader().collection(), key);
        model_.erase(key);
      } else {
        const std::string value = std::to_string(++written_) + std::string(Random(400), 'v');
        batch.Put(leader().collection(), key, value);
        model_[key] = value;
      }
    }
    const auto done = leader().database().Write(batch);
    Judge(done.ok() ? Status() : Status(done.error()), "writing");
    if (Random(4) == 0) {
      Judge(leader().collection().Flush(), "flushing");
    }
    world_.Sleep(Random(500 * kMillisecond));
  }

  // --- Judgement ---
  void End() {
    for (Place& place : places_) {
      if (place.kernel != nullptr) {
        store_->wire().SetCut(place.kernel->server(), Cut::kNone);
      }
    }
    Judge(leader().collection().Compact(), "compacting");
    Compare("at the leader");
    // A held worker may only hear now that its job was withdrawn.
    world_.Sleep(30 * kSecond);
    for (Place& place : places_) {
      Finish(place);
    }
    Rest();
    leader().Close(figures_);
    leading_ = 1 - leading_;
    Judge(leader().Lead(epoch_ + 2), "leading at last");
    Compare("at the next leader");
    const auto verified = leader().universe().Verify();
    Judge(verified.ok() ? Status() : Status(verified.error()), "verifying");
    if (verified.ok() && !verified->damage.empty()) {
      Blame("damage: " + verified->damage.front().ToString());
    }
    leader().Close(figures_);
    JudgeFigures();
  }
  void Compare(const std::string& where) {
    auto expected = model_.begin();
    auto iterator = leader().collection().Scan();
    if (!iterator.ok()) {
      return Blame("scanning: " + iterator.error().ToString());
    }
    for (; (*iterator)->Valid(); (*iterator)->Next(), ++expected) {
      if (expected == model_.end() || (*iterator)->key() != expected->first ||
          (*iterator)->value() != expected->second) {
        return Blame(where + ": " + std::string((*iterator)->key()) + " is not as it was written");
      }
    }
    if (!(*iterator)->status().ok() || expected != model_.end()) {
      Blame(where + ": something is missing");
    }
  }
  // When nobody died and nobody was deposed, everything that was written in vain was removed.
  void Rest() {
    if (luck_ != Luck::kHeld && luck_ != Luck::kQuiet) {
      return;
    }
    board::JobBoard board(leaders_[1 - leading_]->kernel());
    Judge(board.CatchUp(), "reading the board");
    board.Look([&](const board::BoardState& state) {
      if (!state.jobs().empty()) {
        Blame("a job is left on the board");
      }
    });
    std::string orphan = "?";
    for (int i = 0; i < 5 && !orphan.empty(); ++i) {
      world_.Sleep(60 * kSecond);  // what readers of other servers may still need is gone by then
      Judge(leader().collection().Put("k0", "end"), "writing");
      model_["k0"] = "end";
      Judge(leader().collection().Flush(), "flushing");
      orphan = Orphan();
    }
    if (!orphan.empty()) {
      Blame("object " + orphan + " was written in vain and is left behind");
    }
  }
  std::string Orphan() {
    catalog::DatabaseState state;
    kernel::Kernel& kernel = leaders_[1 - leading_]->kernel();
    std::string bucket;
    const auto buckets = kernel.storage().ListBuckets().value();
    for (const std::string& name : buckets) {
      bucket = name.starts_with("db-") ? name : bucket;
    }
    const auto manifest = kernel.OpenManifest("manifest-" + bucket.substr(3), bucket, state);
    if (!manifest.ok()) {
      return "unknown, as the manifest cannot be read";
    }
    const auto live = state.LiveTables();
    const auto objects = kernel.storage().List(bucket).value();
    for (const std::string& object : objects) {
      if (object.starts_with("j-") && !live.contains(object)) {
        return object;
      }
    }
    return "";
  }
  void JudgeFigures() {
    report_.offered = figures_.offered;
    report_.done = figures_.done;
    report_.silent = figures_.silent;
    if (figures_.refused > 0) {
      Blame("an outcome could not be");
    }
    if (figures_.strays > 0) {
      Blame("a job was on the board that nobody waited for");
    }
    if (luck_ == Luck::kQuiet && (figures_.silent > 0 || report_.late > 0)) {
      Blame("a job was worked at in vain, without any bad luck");
    }
  }

  simulation::SimulatedRuntime world_;
  const Luck luck_;
  const board::Mutants mutants_;
  SimStore* store_ = nullptr;
  std::array<std::unique_ptr<Leader>, 2> leaders_{};
  std::array<Place, 2> places_{};
  size_t leading_ = 0;
  journal::Epoch epoch_ = 3;
  bool depose_ = false;
  std::map<std::string, std::string> model_;
  uint64_t written_ = 0;
  OffloadFigures figures_;
  WorldReport report_;
};

}  // namespace

WorldReport RunWorkerWorld(uint64_t seed, const board::Mutants& mutants) {
  return World(seed, mutants).Run();
}

}  // namespace luna::worker
