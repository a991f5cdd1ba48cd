// Mutex: a short critical section with clang's thread-safety annotations. Nothing waits, sleeps or
// does I/O while holding one; runtime::Event asserts that through HeldCount().
// Thread rule: safe.
#pragma once

#include <mutex>

#if defined(__clang__)
#define LUNA_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define LUNA_THREAD_ATTRIBUTE(x)
#endif

#define CAPABILITY(name) LUNA_THREAD_ATTRIBUTE(capability(name))
#define SCOPED_CAPABILITY LUNA_THREAD_ATTRIBUTE(scoped_lockable)
#define GUARDED_BY(mutex) LUNA_THREAD_ATTRIBUTE(guarded_by(mutex))
#define PT_GUARDED_BY(mutex) LUNA_THREAD_ATTRIBUTE(pt_guarded_by(mutex))
#define REQUIRES(...) LUNA_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) LUNA_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define ACQUIRE(...) LUNA_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define RELEASE(...) LUNA_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))

namespace luna::base {

class CAPABILITY("mutex") Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ACQUIRE() {
    mutex_.lock();
    ++held_;
  }
  void Unlock() RELEASE() {
    --held_;
    mutex_.unlock();
  }
  // How many Mutexes the calling thread holds now.
  static int HeldCount() { return held_; }

 private:
  std::mutex mutex_;
  static inline thread_local int held_ = 0;
};

class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() RELEASE() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace luna::base
