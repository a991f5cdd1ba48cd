// ModelRun: executes a ModelScript on a whole engine in a SimulatedRuntime and compares everything
// it answers with a VersionedModel, through the ReplayChecker. A script is a row of lives: each
// ends by a close, a power cut or an injected fault, and the next one must find every acknowledged
// commit, and each unanswered one whole or not at all. Below device durability a power cut may
// also take the newest commits, but only in their order.
// Thread rule: owned by one thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "luna/luna.h"
#include "model/model_script.h"
#include "simulation/simulated_runtime.h"
#include "support/history.h"
#include "support/isolated_run.h"
#include "support/replay_checker.h"
#include "support/versioned_model.h"

namespace luna::test {

class ModelRun {
 public:
  explicit ModelRun(const ModelScript& script, simulation::Trace::Sink sink = {});
  Verdict Run();

 private:
  struct Requirement {
    uint64_t collection = 0;
    std::string key;
    Precondition precondition;
  };
  // A transaction under way, and what is noted of it.
  struct Attempt {
    TransactionRecord record;
    std::vector<Requirement> requirements;
    std::optional<TransactionId> id;
    bool device = false;       // its commit is durable when acknowledged
    bool rolled_back = false;  // by the script or by a lock that timed out
  };
  struct HeldSnapshot {
    std::unique_ptr<Snapshot> snapshot;
  };
  // A change of the catalog that was under way when power went.
  struct PendingNames {
    std::map<std::string, uint64_t> names;
  };

  // --- lives: model_run.cc ---
  void Life();
  void CloseUniverse();
  bool Open(const Tokens& tokens);
  void RunSteps();
  void RunParallel(size_t first, size_t end);
  void Step(const std::string& line, bool alone);
  void Reopen(const Tokens& tokens);
  void FinalCheck();
  // False ends the step: the error was expected (power is cut) or is a failure now.
  void Note(const std::string& what, const Error& error);
  void Fail(const std::string& why);
  bool over() const { return over_ || !failure_.empty(); }
  std::optional<std::pair<uint64_t, std::shared_ptr<Collection>>> Find(const std::string& name);

  // --- recovery: model_recovery.cc ---
  void CheckRecovered();
  bool ReconcileNames();
  std::optional<std::map<uint64_t, std::vector<ModelEntry>>> ReadAll(Timestamp* at);
  bool Matches(Timestamp upto, const std::vector<const Attempt*>& applied, Timestamp now,
               const std::map<uint64_t, std::vector<ModelEntry>>& found, std::string* why);
  bool MatchesFrom(Timestamp commit, Timestamp upto, const std::vector<const Attempt*>& applied,
                   Timestamp now, const std::map<uint64_t, std::vector<ModelEntry>>& found,
                   std::string* why);
  bool MatchUnknown(Timestamp now, const std::map<uint64_t, std::vector<ModelEntry>>& found,
                    std::string* why);
  bool OutcomesOfUnknown(std::vector<int>* forced);
  void CompareWhole(Database& database, const std::string& what);

  // --- transactions: model_transactions.cc ---
  void TransactionLine(const std::string& line, bool alone);
  void BatchLine(const std::string& line, bool alone);
  void AllLine(const std::string& line);
  std::unique_ptr<Transaction> BeginAttempt(const std::string& head, Attempt* attempt);
  void RunOperations(Transaction& transaction, const std::vector<std::string>& operations,
                     Attempt* attempt);
  Status RunOperation(Transaction& transaction, const Tokens& tokens, Attempt* attempt);
  void Finish(Attempt attempt, const Result<Timestamp>& result, bool alone);
  void CheckAborted(const Attempt& attempt, const Error& error, bool alone);
  void CheckRequirements(const Attempt& attempt, bool held);
  void CheckOutcome(const Attempt& attempt, bool committed, Timestamp timestamp);
  void Replay();

  // --- single calls: model_calls.cc ---
  void WriteCall(const Tokens& tokens);
  void GetCall(const Tokens& tokens);
  void ScanCall(const Tokens& tokens);
  void SnapshotCall(const Tokens& tokens);
  void PastCall(const Tokens& tokens);
  void UpkeepCall(const Tokens& tokens);
  void NamesCall(const Tokens& tokens);
  void IngestCall(const Tokens& tokens);
  void CheckpointCall();
  void BackupCall();
  void VerifyCall();
  void TroubleCall(const Tokens& tokens);
  void NoteRead(Timestamp at, HistoryOperation operation);
  // A read without a timestamp of its own: run between two equal `now`s.
  void NoteReadNow(HistoryOperation operation,
                   const std::function<Status(HistoryOperation&)>& read);

  const ModelScript script_;
  simulation::SimulatedRuntime world_;
  VersionedModel model_;
  ReplayChecker checker_;
  HistoryRecorder recorder_;
  std::string failure_;
  size_t next_ = 0;          // step
  uint64_t lives_ = 0;
  bool over_ = false;        // this life ends
  bool must_recover_ = false;
  bool faulted_ = false;     // an injected fault may have struck
  std::optional<simulation::Survival> survival_;
  Tokens options_line_;
  Options options_;
  Durability ended_durability_ = Durability::kDevice;  // of the life that a power cut ended

  std::unique_ptr<Universe> universe_;
  std::shared_ptr<Database> database_;
  std::map<std::string, uint64_t> names_;  // collection → number in the model
  std::map<std::string, std::shared_ptr<Collection>> handles_;
  std::optional<PendingNames> pending_names_;
  uint64_t collections_made_ = 0;
  std::map<std::string, HeldSnapshot> snapshots_;
  std::vector<TransactionRecord> past_reads_;  // checked against the model after each step
  std::vector<Attempt> unknown_;        // commits without an answer in this life
  std::vector<Timestamp> commits_;      // acknowledged since floor_
  Timestamp floor_ = 0;                 // everything up to here survives power loss
  Timestamp oldest_known_ = 0;          // the model knows no past before it
  uint64_t directories_ = 0;
};

}  // namespace luna::test
