// ReadWorkers and WriteWorker: the threads behind the two operation queues.
//
// Exactly one WriteWorker takes everything that waits in the write queue and runs it, in order, in
// one transaction a database: a round. A later command of the round sees what an earlier one wrote;
// all of it commits at once, and only then are the replies handed back. A round ends at 1 MiB of
// writes or 4,096 commands; kCommit commands (EXEC, COMMIT, names) run between rounds. When the
// commit of a round conflicts (somebody else in this process wrote), the round runs again: nobody
// saw its replies. When it fails otherwise, every command of it that wrote answers the error.
// A command that fails after its first write leaves nothing (savepoint); the others commit.
//
// Where commits need not wait for a device, changing threads twice costs more than most rounds do.
// So whoever pushed light operations may take the worker's turn for one round (Help). There is
// one turn: never do two threads run rounds at the same time. A round that took long, as when the
// engine holds writers back, ends helping for a while: then readers would wait for it, too.
// Thread rule: constructed, started and stopped by one thread; Help is safe.
#pragma once

#include <atomic>
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
  void Work();

  const Runner runner_;
  OperationQueue* queue_;
  std::vector<std::unique_ptr<runtime::Thread>> threads_;
};

class WriteWorker {
 public:
  WriteWorker(runtime::Runtime& runtime, command::Host& host, OperationQueue& queue,
              SlowWatch* watch = nullptr);
  ~WriteWorker();  // the queue was closed

  // Runs the light operations that wait first, on the caller's thread, and hands them back; those
  // of `home` without waking it. What is left is the worker's, which is woken for it. False:
  // nothing was run.
  bool Help(const void* home);

  uint64_t rounds() const { return rounds_.committed(); }

 private:
  void Work();
  bool TryTurn() { return !busy_.exchange(true); }
  void AwaitTurn();
  void EndTurn();

  runtime::Runtime* runtime_;
  OperationQueue* queue_;
  std::atomic<bool> busy_ = false;          // somebody has the turn
  std::atomic<bool> worker_waits_ = false;  // for the turn, on free_
  std::unique_ptr<runtime::Event> free_;
  std::atomic<uint64_t> help_again_nanos_ = 0;  // monotonic: no help before
  Rounds rounds_;                               // of whoever has the turn
  std::vector<Operation*> helped_;              // likewise
  std::unique_ptr<runtime::Thread> thread_;
};

}  // namespace luna::operation
