// Rounds: runs write operations, many in one transaction a database, and commits each transaction
// once. The rules are in workers.h. What waits for a commit is an open round; replies of open
// rounds are at the end of their operations' `replies`, so that a round can run again.
// Thread rule: owned by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/metrics.h"
#include "luna/luna.h"
#include "service/operation/operation.h"
#include "service/operation/slow_watch.h"

namespace luna::operation {

class Rounds {
 public:
  static constexpr size_t kCommandsMax = 4096;              // of one round
  static constexpr uint64_t kBytesMax = uint64_t{1} << 20;  // of its arguments
  static constexpr int kAttemptsMax = 100;                  // of one round that conflicts

  explicit Rounds(Runner runner) : runner_(runner) { runner_.ended_nanos = &ended_nanos_; }
  Rounds(const Rounds&) = delete;
  Rounds& operator=(const Rounds&) = delete;

  // Runs all, in order, and commits. Afterwards every operation has its replies; the caller
  // finishes them.
  void Run(std::span<Operation* const> operations);

  uint64_t committed() const { return committed_.value(); }                  // rounds; safe
  const base::Histogram& round_commands() const { return round_commands_; }  // safe
  const base::Histogram& commit_micros() const { return commit_micros_; }    // safe
  uint64_t repeated() const { return repeated_.value(); }  // because of conflicts; safe

 private:
  struct Step {
    Operation* operation = nullptr;
    const Request* request = nullptr;
    size_t reply_begin = 0;
    command::Session::Replies replies = command::Session::Replies::kOn;  // before it ran
    bool failed = false;
  };
  struct Round {
    std::shared_ptr<Database> database;
    std::unique_ptr<Transaction> transaction;
    std::vector<Step> steps;
    uint64_t bytes = 0;
  };

  void Add(Operation& operation, const Request& request);
  Round& RoundOf(const std::shared_ptr<Database>& database);
  // False: the transaction has no room for it beside the others; nothing of it remains.
  bool RunStep(Round& round, Step& step);
  bool Begin(Round& round, Step& step);
  void RunStraight(Operation& operation, const Request& request);
  void CommitOpen();
  void Commit(Round& round);
  void ConfirmReads(Round& round);
  void FailCommit(Round& round, const Error& error);
  bool RunAgain(Round& round);
  void FailSteps(Round& round, const Error& error, const Status& confirmed);
  void Close(Round& round);

  Runner runner_;
  uint64_t ended_nanos_ = 0;   // the runner's
  std::vector<Round> rounds_;  // the first open_ are open; the others keep their room
  size_t open_ = 0;
  base::Histogram round_commands_;
  base::Histogram commit_micros_;
  base::Counter committed_;
  base::Counter repeated_;
};

}  // namespace luna::operation
