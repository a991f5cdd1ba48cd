// OperationQueue: operations that wait for a worker, in order of arrival, bounded. Takers wait
// through runtime::Event, which spins shortly before it blocks.
// Thread rule: safe.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "base/metrics.h"
#include "base/mutex.h"
#include "runtime/runtime.h"
#include "service/operation/operation.h"

namespace luna::operation {

class OperationQueue {
 public:
  OperationQueue(runtime::Runtime& runtime, size_t limit);

  // False: full (the connection answers BUSY) or closed.
  bool Push(Operation& operation);
  // Pushes the first ones that fit, under one lock and with one wake; how many.
  size_t Push(std::span<Operation* const> operations);
  // The same without waking a taker: the caller takes what is light itself, or calls Wake.
  size_t Add(std::span<Operation* const> operations);
  void Wake();
  // The first ones, as far as they are light, without waiting; true if nothing else waits then.
  bool TakeLight(std::vector<Operation*>& taken);
  // Waits for operations and puts up to `most` into `taken`, whose room is used again; empty only
  // after Close and when nothing is left.
  void Take(size_t most, std::vector<Operation*>& taken);
  void Close();

  size_t size() const;
  const base::Histogram& wait_micros() const { return wait_micros_; }

 private:
  size_t Append(std::span<Operation* const> operations, bool& was_empty);
  void CountWaits(std::span<Operation* const> taken);
  void TakeWaiting(size_t most, std::vector<Operation*>& taken) REQUIRES(mutex_);

  runtime::Runtime* runtime_;
  const size_t limit_;
  mutable base::Mutex mutex_;
  std::vector<Operation*> waiting_ GUARDED_BY(mutex_);  // from first_ on; earlier ones are taken
  size_t first_ GUARDED_BY(mutex_) = 0;
  bool closed_ GUARDED_BY(mutex_) = false;
  std::unique_ptr<runtime::Event> arrived_;  // set while something waits, and after Close
  base::Histogram wait_micros_;
};

}  // namespace luna::operation
