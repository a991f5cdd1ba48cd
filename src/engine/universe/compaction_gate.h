// CompactionGate: lets compactions through, or holds them while a checkpoint or backup lists
// objects: what a manifest names is not removed meanwhile.
// Thread rule: safe.
#pragma once

#include <memory>

#include "base/mutex.h"
#include "runtime/runtime.h"

namespace luna::universe {

class CompactionGate {
 public:
  explicit CompactionGate(runtime::Runtime& runtime) : idle_(runtime.NewEvent()) { idle_->Set(); }
  // False while closed: come back later. True: Leave afterwards.
  bool Enter();
  void Leave();
  // No compaction enters; running ones are asked to stop (see closing) and waited for. Nests.
  void Close();
  void Open();
  bool closing() const;

 private:
  const std::unique_ptr<runtime::Event> idle_;
  mutable base::Mutex mutex_;
  int closed_ GUARDED_BY(mutex_) = 0;
  int running_ GUARDED_BY(mutex_) = 0;
};

class GateClosed {
 public:
  explicit GateClosed(CompactionGate& gate) : gate_(gate) { gate_.Close(); }
  ~GateClosed() { gate_.Open(); }
  GateClosed(const GateClosed&) = delete;
  GateClosed& operator=(const GateClosed&) = delete;

 private:
  CompactionGate& gate_;
};

}  // namespace luna::universe
