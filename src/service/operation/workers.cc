#include "service/operation/workers.h"

#include <limits>
#include <string>

namespace luna::operation {

ReadWorkers::ReadWorkers(runtime::Runtime& runtime, command::Host& host, OperationQueue& queue,
                         size_t threads, SlowWatch* watch)
    : runner_{.runtime = &runtime, .host = &host, .watch = watch}, queue_(&queue) {
  for (size_t i = 0; i < threads; ++i) {
    threads_.push_back(
        runtime.Spawn("luna-read-" + std::to_string(i), runtime::ThreadClass::kForeground, [this] {
          Runner runner = runner_;
          runner.counts = &runner_.host->command_counts().NewShard();
          Work(runner);
        }));
  }
}

ReadWorkers::~ReadWorkers() {
  for (const auto& thread : threads_) {
    thread->Join();
  }
}

void ReadWorkers::Work(Runner runner) {
  std::vector<Operation*> taken;
  // One at a time: behind a slow command nothing waits that another worker could do.
  for (queue_->Take(1, taken); !taken.empty(); queue_->Take(1, taken)) {
    Operation& operation = *taken.front();
    for (const Request& request : operation.requests()) {
      if (operation.overflows()) {
        operation.Overflow();
        continue;
      }
      resp::ReplyWriter reply(operation.replies, operation.session->version);
      const bool succeeded =
          runner.Run(*request.command, request.arguments, *operation.session, nullptr, reply);
      operation.failures += succeeded ? 0 : 1;
    }
    Finish(taken);
  }
}

WriteWorker::WriteWorker(runtime::Runtime& runtime, command::Host& host, OperationQueue& queue,
                         SlowWatch* watch)
    : runtime_(&runtime),
      queue_(&queue),
      free_(runtime.NewEvent()),
      rounds_({.runtime = &runtime,
               .host = &host,
               .watch = watch,
               .counts = &host.command_counts().NewShard()}) {
  thread_ = runtime.Spawn("luna-writer", runtime::ThreadClass::kForeground, [this] { Work(); });
}

WriteWorker::~WriteWorker() {
  thread_->Join();
}

void WriteWorker::Work() {
  constexpr size_t kAll = std::numeric_limits<size_t>::max();
  std::vector<Operation*> taken;
  for (queue_->Take(kAll, taken); !taken.empty(); queue_->Take(kAll, taken)) {
    AwaitTurn();
    rounds_.Run(taken);
    EndTurn();
    Finish(taken);
  }
}

bool WriteWorker::Help(const void* home) {
  constexpr uint64_t kLongNanos = 5'000'000;
  constexpr uint64_t kPauses = 4;  // no help for so many times as long
  const uint64_t start = runtime_->clock().MonotonicNanos();
  if (start < help_again_nanos_.load(std::memory_order_relaxed) || !TryTurn()) {
    queue_->Wake();
    return false;
  }
  const bool nothing_left = queue_->TakeLight(helped_);
  rounds_.Run(helped_);
  const uint64_t end = runtime_->clock().MonotonicNanos();
  if (end - start > kLongNanos) {
    help_again_nanos_.store(end + kPauses * (end - start), std::memory_order_relaxed);
  }
  const bool any = !helped_.empty();
  Finish(helped_, home);
  EndTurn();
  if (!nothing_left) {
    queue_->Wake();
  }
  return any;
}

void WriteWorker::AwaitTurn() {
  while (!TryTurn()) {
    free_->Reset();
    worker_waits_ = true;
    if (TryTurn()) {
      break;
    }
    free_->Wait();
  }
  worker_waits_ = false;
}

void WriteWorker::EndTurn() {
  busy_ = false;
  if (worker_waits_) {
    free_->Set();
  }
}

}  // namespace luna::operation
