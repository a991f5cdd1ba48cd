// Runtime: the door to the world. Clock, random numbers, files, threads and waiting come from here
// and nowhere else, so that the simulator can run everything from a seed. It is passed, never
// global.
// Thread rule: safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runtime/event.h"
#include "runtime/file_system.h"

namespace luna::runtime {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual uint64_t WallMillis() = 0;      // since 1970; may jump
  virtual uint64_t MonotonicNanos() = 0;  // never goes back
};

class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t Next() = 0;  // 64 uniform bits; not for secrets
};

// How much of the processor a thread should get against others of the process.
enum class ThreadClass : uint8_t {
  kForeground,
  kFlush,       // background that foreground work waits for: normal priority
  kBackground,  // nice 10, SCHED_BATCH, idle I/O class where the system allows it
};

// A running body. Destroying one that was not joined is a programmer error.
class Thread {
 public:
  virtual ~Thread() = default;
  virtual void Join() = 0;  // waits until the body has returned
};

class Runtime {
 public:
  virtual ~Runtime() = default;
  virtual Clock& clock() = 0;
  virtual Random& random() = 0;
  virtual FileSystem& files() = 0;
  virtual std::unique_ptr<Event> NewEvent() = 0;
  // Starts `body` on a thread (in simulation: a fiber). `name` is shown by debuggers, ≤ 15 bytes.
  virtual std::unique_ptr<Thread> Spawn(std::string name, ThreadClass thread_class,
                                        std::function<void()> body) = 0;
  // Lets others run; in simulation a point where the seed may switch. Nothing while a Mutex is
  // held.
  virtual void Yield() = 0;
  virtual void Sleep(uint64_t nanos) = 0;
};

}  // namespace luna::runtime
