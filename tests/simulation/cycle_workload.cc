#include "simulation/cycle_workload.h"

#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "luna/luna.h"
#include "simulation/seeded_random.h"
#include "simulation/simulated_runtime.h"
#include "support/cycle_checker.h"

namespace luna::test {

namespace {

constexpr int kLives = 3;
constexpr int kTransactionsEach = 14;

std::vector<int64_t> ParseList(std::string_view text) {
  std::vector<int64_t> list;
  while (!text.empty()) {
    const size_t end = text.find(',');
    int64_t element = 0;
    std::from_chars(text.data(), text.data() + end, element);
    list.push_back(element);
    text.remove_prefix(end + 1);
  }
  return list;
}

class CycleRun {
 public:
  explicit CycleRun(uint64_t seed) : world_(seed), random_(seed + 77) {
    // Snapshot transactions write whole lists, so that the engine sees what they overwrite; blind
    // appends never conflict.
    snapshot_ = random_.Chance(400);
    keys_ = 1 + random_.Below(5);
    fibers_ = 2 + random_.Below(4);
  }

  Verdict Run() {
    for (int life = 0; life < kLives && problem_.empty(); ++life) {
      const bool cut = random_.Chance(600);
      if (cut) {
        world_.faults().CutAtPoint(world_.faults().points() + 20 + random_.Below(200),
                                   simulation::When::kAfter);
      }
      world_.Run([&] { Life(); });
      if (cut) {
        world_.faults().Restart(simulation::Survival::kMixed, world_.seed());
      }
    }
    world_.Run([&] { ReadEverything(); });
    if (problem_.empty()) {
      Judge();
    }
    return {problem_.empty(), problem_, world_.trace().hash()};
  }

 private:
  void Accept(const Error& error) {
    if (!world_.faults().power_is_cut() && problem_.empty()) {
      problem_ = error.ToString();
    }
  }

  bool Open() {
    Options options{.location = "file:/universe", .memory_budget_bytes = uint64_t{64} << 20};
    options.memtable_bytes = 64 << 10;
    auto universe = Universe::Open(options, {.listener = nullptr, .runtime = &world_});
    if (!universe.ok()) {
      Accept(universe.error());
      return false;
    }
    universe_ = std::move(universe).value();
    auto database = universe_->OpenOrCreateDatabase("lists");
    auto collection = database.ok() ? (*database)->OpenOrCreateCollection("lists")
                                    : Result<std::shared_ptr<Collection>>(database.error());
    if (!collection.ok()) {
      Accept(collection.error());
      return false;
    }
    database_ = std::move(database).value();
    collection_ = std::move(collection).value();
    return true;
  }

  void Close() {
    collection_.reset();
    database_.reset();
    universe_.reset();
  }

  void Life() {
    if (Open()) {
      std::vector<std::unique_ptr<runtime::Thread>> threads;
      for (uint64_t fiber = 0; fiber < fibers_; ++fiber) {
        threads.push_back(world_.Spawn("client", runtime::ThreadClass::kForeground, [this] {
          for (int i = 0; i < kTransactionsEach && !world_.faults().power_is_cut(); ++i) {
            RunTransaction();
          }
        }));
      }
      for (const auto& thread : threads) {
        thread->Join();
      }
    }
    Close();
  }

  void RunTransaction() {
    ListTransaction noted;
    noted.name = "T" + std::to_string(++transactions_);
    noted.begun = ++ticks_;
    TransactionOptions options;
    options.isolation = snapshot_ ? Isolation::kSnapshot : Isolation::kSerializable;
    auto transaction = database_->Begin(options);
    if (!transaction.ok()) {
      return Accept(transaction.error());
    }
    bool going = true;
    for (uint64_t i = 1 + random_.Below(4); i > 0 && going; --i) {
      ListOperation operation;
      operation.key = "list-" + std::to_string(random_.Below(keys_));
      operation.append = random_.Chance(500);
      operation.element = operation.append ? ++elements_ : 0;
      going = snapshot_ && operation.append
                  ? Rewrite(**transaction, operation, noted)
                  : operation.append ? Append(**transaction, operation, noted)
                                     : Read(**transaction, operation, noted);
      world_.Yield();
    }
    const auto committed = going ? (*transaction)->Commit() : Result<Timestamp>(Timestamp{0});
    noted.ended = ++ticks_;
    noted.outcome = ListTransaction::Outcome::kCommitted;
    if (!going) {
      noted.outcome = ListTransaction::Outcome::kAborted;
    } else if (!committed.ok()) {
      const bool conflict = committed.error().code() == ErrorCode::kConflict;
      noted.outcome = conflict ? ListTransaction::Outcome::kAborted
                               : ListTransaction::Outcome::kUnknown;
      if (!conflict) {
        Accept(committed.error());
      }
    }
    history_.push_back(std::move(noted));
  }

  bool Read(Transaction& transaction, ListOperation operation, ListTransaction& noted) {
    auto value = transaction.Get(*collection_, operation.key);
    if (!value.ok()) {
      Accept(value.error());
      return false;
    }
    operation.append = false;
    operation.seen = ParseList(value->value_or(""));
    noted.operations.push_back(std::move(operation));
    return true;
  }

  bool Append(Transaction& transaction, ListOperation operation, ListTransaction& noted) {
    const Status done = transaction.Append(*collection_, operation.key,
                                           std::to_string(operation.element) + ",");
    if (!done.ok()) {
      Accept(done.error());
      return false;
    }
    noted.operations.push_back(std::move(operation));
    return true;
  }

  bool Rewrite(Transaction& transaction, const ListOperation& operation, ListTransaction& noted) {
    if (!Read(transaction, operation, noted)) {
      return false;
    }
    std::string list;
    for (int64_t element : noted.operations.back().seen) {
      list += std::to_string(element) + ",";
    }
    list += std::to_string(operation.element) + ",";
    if (const Status done = transaction.Put(*collection_, operation.key, list); !done.ok()) {
      Accept(done.error());
      return false;
    }
    noted.operations.push_back(operation);
    return true;
  }

  void ReadEverything() {
    if (!Open()) {
      return Close();
    }
    ListTransaction noted;
    noted.name = "the last reader";
    noted.begun = ++ticks_;
    {
      auto transaction = database_->Begin();
      for (uint64_t key = 0; transaction.ok() && key < keys_; ++key) {
        ListOperation operation;
        operation.key = "list-" + std::to_string(key);
        (void)Read(**transaction, operation, noted);
      }
    }
    noted.ended = ++ticks_;
    history_.push_back(std::move(noted));
    Close();
  }

  void Judge() {
    for (const Finding& finding : CheckLists(history_)) {
      if (!snapshot_ || finding.anomaly != Anomaly::kG2) {
        problem_ = std::string(snapshot_ ? "snapshot: " : "serializable: ") +
                   Name(finding.anomaly) + ": " + finding.text;
        return;
      }
    }
  }

  simulation::SimulatedRuntime world_;
  simulation::SeededRandom random_;
  bool snapshot_ = false;
  uint64_t keys_ = 1;
  uint64_t fibers_ = 2;
  std::unique_ptr<Universe> universe_;
  std::shared_ptr<Database> database_;
  std::shared_ptr<Collection> collection_;
  std::vector<ListTransaction> history_;
  uint64_t ticks_ = 0;
  uint64_t transactions_ = 0;
  int64_t elements_ = 0;
  std::string problem_;
};

}  // namespace

Verdict RunCycleSeed(uint64_t seed) {
  Verdict verdict = CycleRun(seed).Run();
  if (!verdict.ok) {
    verdict.message = "seed " + std::to_string(seed) + ": " + verdict.message;
  }
  return verdict;
}

}  // namespace luna::test
