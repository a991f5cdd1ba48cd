#include "crash/crash_workload.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "luna/luna.h"
#include "simulation/simulated_runtime.h"
#include "support/versioned_model.h"

namespace luna::test {

namespace {

constexpr int kCommits = 48;
constexpr uint64_t kPutsEach = 3;

std::string Key(uint64_t number) {
  return "key-" + std::to_string(number % 40);
}

// Long enough that a few dozen fill the smallest memtable.
std::string ValueOfCommit(int commit, uint64_t put) {
  std::string value = "commit-" + std::to_string(commit) + "-" + std::to_string(put) + "-";
  value.resize(700 + static_cast<size_t>(commit) * 11, 'x');
  return value;
}

class CrashRun {
 public:
  explicit CrashRun(const CrashCase& crash) : crash_(crash), world_(crash.world_seed) {}

  Verdict Run() {
    if (crash_.point != 0) {
      world_.faults().CutAtPoint(crash_.point, crash_.when);
    }
    world_.Run([&] { Work(); });
    points_ = world_.faults().points();
    if (problem_.empty() && crash_.point != 0) {
      world_.faults().Restart(crash_.survival, crash_.world_seed * 1000 + crash_.point);
    }
    for (int life = 0; life < 2 && problem_.empty(); ++life) {
      world_.Run([&] { Check(); });  // and once more: recovery itself must not lose anything
    }
    return {problem_.empty(), problem_, world_.trace().hash()};
  }
  uint64_t points() const { return points_; }

 private:
  using Writes = std::map<std::string, std::string>;  // the same in both collections

  Options OptionsOf() const {
    Options options{.location = "file:/universe", .memory_budget_bytes = uint64_t{64} << 20};
    options.memtable_bytes = 64 << 10;
    options.table_bytes = 64 << 10;
    options.block_bytes = 2048;
    return options;
  }

  // Errors before the cut are problems; after it they end the work.
  bool Accept(const std::string& what, const Error& error) {
    if (!world_.faults().power_is_cut() && problem_.empty()) {
      problem_ = what + ": " + error.ToString();
    }
    return false;
  }
  bool Accept(const std::string& what, const Status& status) {
    return status.ok() || Accept(what, status.error());
  }

  bool Open() {
    auto universe = Universe::Open(OptionsOf(), {.listener = nullptr, .runtime = &world_});
    if (!universe.ok()) {
      return Accept("open", universe.error());
    }
    universe_ = std::move(universe).value();
    auto database = universe_->OpenOrCreateDatabase("crash");
    if (!database.ok()) {
      return Accept("open database", database.error());
    }
    database_ = std::move(database).value();
    if (MillisOf(database_->now()) > world_.clock().WallMillis() && problem_.empty()) {
      problem_ = "time is ahead of the clock after opening";
    }
    for (const char* name : {"first", "second"}) {
      auto collection = database_->OpenOrCreateCollection(name);
      if (!collection.ok()) {
        return Accept("open collection", collection.error());
      }
      collections_.push_back(std::move(collection).value());
    }
    return true;
  }

  void Close() {
    collections_.clear();
    database_.reset();
    if (universe_ != nullptr) {
      (void)Accept("close", universe_->Close());
      universe_.reset();
    }
  }

  void Work() {
    bool going = Open();
    for (int commit = 0; commit < kCommits && going && problem_.empty(); ++commit) {
      going = Commit(commit) && Upkeep(commit);
    }
    Close();
  }

  bool Commit(int number) {
    Writes writes = acknowledged_;
    const auto committed = database_->Transact([&](Transaction& transaction) -> Status {
      writes = acknowledged_;
      for (uint64_t put = 0; put < kPutsEach; ++put) {
        const std::string key = Key(static_cast<uint64_t>(number) * 7 + put * 11);
        const std::string value = ValueOfCommit(number, put);
        for (const auto& collection : collections_) {
          if (const Status done = transaction.Put(*collection, key, value); !done.ok()) {
            return done;
          }
        }
        writes[key] = value;
      }
      if (number % 9 == 8) {
        const std::string key = Key(static_cast<uint64_t>(number) * 5);
        for (const auto& collection : collections_) {
          if (const Status done = transaction.Delete(*collection, key); !done.ok()) {
            return done;
          }
        }
        writes.erase(key);
      }
      return {};
    });
    if (!committed.ok()) {
      unanswered_ = std::move(writes);
      return Accept("commit", committed.error());
    }
    acknowledged_ = std::move(writes);
    return true;
  }

  bool Upkeep(int commit) {
    if (commit % 8 == 5 && !Accept("flush", collections_[0]->Flush())) {
      return false;
    }
    if (commit % 16 == 11 && !Accept("compact", collections_[1]->Compact())) {
      return false;
    }
    if (commit == 20 && !Accept("checkpoint", universe_->Checkpoint("/checkpoint"))) {
      return false;
    }
    if (commit == 30) {
      Close();
      return problem_.empty() && !world_.faults().power_is_cut() && Open();
    }
    if (commit == 40) {
      const auto report = database_->Backup("/backup");
      return report.ok() || Accept("backup", report.error());
    }
    return true;
  }

  void Check() {
    if (Open()) {
      const auto report = universe_->Verify();
      if (!report.ok()) {
        (void)Accept("verify", report.error());
      } else if (!report->damage.empty()) {
        problem_ = "damage: " + report->damage.front().ToString();
      }
      const Writes first = Read(*collections_[0]);
      const Writes second = Read(*collections_[1]);
      if (problem_.empty() && first != second) {
        problem_ = "a transaction is in one collection only: " + Difference(first, second);
      } else if (problem_.empty() && first != acknowledged_ &&
                 (!unanswered_ || first != *unanswered_)) {
        problem_ = "acknowledged commits are missing: " + Difference(acknowledged_, first);
      }
      acknowledged_ = first;
      unanswered_.reset();
    }
    Close();
  }

  Writes Read(Collection& collection) {
    Writes found;
    auto scan = collection.Scan();
    if (!scan.ok()) {
      (void)Accept("scan", scan.error());
      return found;
    }
    for (; (*scan)->Valid(); (*scan)->Next()) {
      found[std::string((*scan)->key())] = (*scan)->value();
    }
    (void)Accept("scan", (*scan)->status());
    return found;
  }

  static std::string Difference(const Writes& expected, const Writes& found) {
    for (const auto& [key, value] : expected) {
      const auto other = found.find(key);
      if (other == found.end() || other->second != value) {
        return key + ": expected " + value.substr(0, 16) + ", found " +
               (other == found.end() ? "nothing" : other->second.substr(0, 16));
      }
    }
    for (const auto& [key, value] : found) {
      if (!expected.contains(key)) {
        return key + ": expected nothing, found " + value.substr(0, 16);
      }
    }
    return "none";
  }

  const CrashCase crash_;
  simulation::SimulatedRuntime world_;
  std::unique_ptr<Universe> universe_;
  std::shared_ptr<Database> database_;
  std::vector<std::shared_ptr<Collection>> collections_;
  Writes acknowledged_;
  std::optional<Writes> unanswered_;  // what there would be with the commit that got no answer
  std::string problem_;
  uint64_t points_ = 0;
};

}  // namespace

Verdict RunCrashCase(const CrashCase& crash) {
  Verdict verdict = CrashRun(crash).Run();
  if (!verdict.ok) {
    verdict.message = "world " + std::to_string(crash.world_seed) + ", power cut " +
                      (crash.when == simulation::When::kBefore ? "before" : "after") + " point " +
                      std::to_string(crash.point) + ", survival " +
                      std::to_string(static_cast<int>(crash.survival)) + ": " + verdict.message;
  }
  return verdict;
}

uint64_t CountCrashPoints(uint64_t world_seed) {
  CrashRun run({.world_seed = world_seed});
  (void)run.Run();
  return run.points();
}

CrashCases::CrashCases(uint64_t first_world)
    : world_(first_world), points_(CountCrashPoints(first_world)) {}

CrashCase CrashCases::At(uint64_t number) const {
  constexpr simulation::Survival kSurvivals[] = {
      simulation::Survival::kAllLost, simulation::Survival::kAllKept, simulation::Survival::kMixed};
  return {.world_seed = world_,
          .point = 1 + number / 6,
          .when = number % 2 == 0 ? simulation::When::kBefore : simulation::When::kAfter,
          .survival = kSurvivals[number / 2 % 3]};
}

}  // namespace luna::test
