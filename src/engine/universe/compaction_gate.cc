#include "engine/universe/compaction_gate.h"

namespace luna::universe {

bool CompactionGate::Enter() {
  base::MutexLock lock(mutex_);
  if (closed_ > 0) {
    return false;
  }
  if (running_++ == 0) {
    idle_->Reset();
  }
  return true;
}

void CompactionGate::Leave() {
  base::MutexLock lock(mutex_);
  if (--running_ == 0) {
    idle_->Set();
  }
}

void CompactionGate::Close() {
  {
    base::MutexLock lock(mutex_);
    ++closed_;
  }
  idle_->Wait();
}

void CompactionGate::Open() {
  base::MutexLock lock(mutex_);
  --closed_;
}

bool CompactionGate::closing() const {
  base::MutexLock lock(mutex_);
  return closed_ > 0;
}

}  // namespace luna::universe
