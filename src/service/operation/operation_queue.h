// OperationQueue: operations that wait for a worker, in order of arrival, bounded. Takers wait
// through runtime::Event, which spins shortly before it blocks.
// Thread rule: safe.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
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
  // Waits for operations and takes up to `most`; empty only after Close and when nothing is left.
  std::vector<Operation*> Take(size_t most);
  void Close();

  size_t size() const;
  const base::Histogram& wait_micros() const { return wait_micros_; }

 private:
  runtime::Runtime* runtime_;
  const size_t limit_;
  mutable base::Mutex mutex_;
  std::deque<Operation*> waiting_ GUARDED_BY(mutex_);
  bool closed_ GUARDED_BY(mutex_) = false;
  std::unique_ptr<runtime::Event> arrived_;
  base::Histogram wait_micros_;
};

}  // namespace luna::operation
