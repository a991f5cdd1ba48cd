// Published: an immutable value that one thread replaces and many read. A reader keeps what it
// loaded alive for as long as it holds the pointer.
// Thread rule: safe.
#pragma once

#include <memory>
#include <utility>

#include "base/mutex.h"

namespace luna::base {

template <typename T>
class Published {
 public:
  explicit Published(std::shared_ptr<const T> value) : value_(std::move(value)) {}
  std::shared_ptr<const T> Load() const {
    MutexLock lock(mutex_);
    return value_;
  }
  // The old value is released outside the lock: its end may be long.
  void Store(std::shared_ptr<const T> value) {
    MutexLock lock(mutex_);
    value_.swap(value);
  }

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const T> value_ GUARDED_BY(mutex_);
};

}  // namespace luna::base
