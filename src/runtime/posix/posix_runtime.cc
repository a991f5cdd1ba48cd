#include "runtime/posix/posix_runtime.h"

#include <sched.h>

#include <cerrno>
#include <ctime>

#include "base/assert.h"
#include "base/mutex.h"
#include "runtime/posix/posix_clock.h"
#include "runtime/posix/posix_event.h"
#include "runtime/posix/posix_thread.h"

namespace luna::posix {

namespace {

// Whether this process may use more than one processor.
bool HasSecondProcessor() {
  cpu_set_t processors;
  CPU_ZERO(&processors);
  // A machine with more processors than the set has bits is refused, and surely has two.
  return ::sched_getaffinity(0, sizeof(processors), &processors) != 0 || CPU_COUNT(&processors) > 1;
}

class PosixRuntime : public runtime::Runtime {
 public:
  runtime::Clock& clock() override { return clock_; }
  runtime::Random& random() override { return random_; }
  runtime::FileSystem& files() override { return *files_; }
  std::unique_ptr<runtime::Event> NewEvent() override {
    return std::make_unique<PosixEvent>(spins_);
  }
  std::unique_ptr<runtime::Thread> Spawn(std::string name, runtime::ThreadClass thread_class,
                                         std::function<void()> body) override {
    return std::make_unique<PosixThread>(std::move(name), thread_class, std::move(body));
  }
  void Yield() override;
  void Sleep(uint64_t nanos) override;

 private:
  PosixClock clock_;
  PosixRandom random_;
  const std::unique_ptr<runtime::FileSystem> files_ = NewPosixFileSystem();
  const bool spins_ = HasSecondProcessor();
};

void PosixRuntime::Yield() {
  if (base::Mutex::HeldCount() == 0) {
    ::sched_yield();
  }
}

void PosixRuntime::Sleep(uint64_t nanos) {
  LUNA_ASSERT(base::Mutex::HeldCount() == 0);
  constexpr uint64_t kNanosPerSecond = 1'000'000'000;
  timespec left = {};
  left.tv_sec = static_cast<time_t>(nanos / kNanosPerSecond);
  left.tv_nsec = static_cast<long>(nanos % kNanosPerSecond);
  while (::clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
  }
}

}  // namespace

std::unique_ptr<runtime::Runtime> NewPosixRuntime() {
  return std::make_unique<PosixRuntime>();
}

}  // namespace luna::posix
