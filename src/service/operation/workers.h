// ReadWorkers and WriteWorker: the threads behind the two operation queues.
//
// Exactly one WriteWorker takes everything that waits in the write queue and runs it, in order, in
// one transaction a database: a round. A later command of the round sees what an earlier one wrote;
// all of it commits at once, and only then are the replies handed back. A round ends at 1 MiB of
// writes or 4,096 commands; kCommit commands (EXEC, COMMIT, names) run between rounds. When the
// commit of a round conflicts (somebody else in this process wrote), the round runs again: nobody
// saw its replies. When it fails otherwise, every command of it that wrote answers the error.
// A command that fails after its first write leaves nothing (savepoint); the others commit.
// Thread rule: constructed, started and stopped by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/runtime.h"
#include "service/command/command_table.h"
#include "service/operation/operation_queue.h"
#include "service/operation/rounds.h"
#include "service/operation/slow_watch.h"

namespace luna::operation {

class ReadWorkers {
 public:
  // `watch`: who is told of slow commands; null: nobody.
  ReadWorkers(runtime::Runtime& runtime, command::Host& host, OperationQueue& queue, size_t threads,
              SlowWatch* watch = nullptr);
  ~ReadWorkers();  // the queue was closed

 private:
  void Work(Runner runner);

  const Runner runner_;
  OperationQueue* queue_;
  std::vector<std::unique_ptr<runtime::Thread>> threads_;
};

class WriteWorker {
 public:
  WriteWorker(runtime::Runtime& runtime, command::Host& host, OperationQueue& queue,
              SlowWatch* watch = nullptr);
  ~WriteWorker();  // the queue was closed

  const Rounds& rounds() const { return rounds_; }  // its counters are safe

 private:
  void Work();

  OperationQueue* queue_;
  Rounds rounds_;
  std::unique_ptr<runtime::Thread> thread_;
};

}  // namespace luna::operation
