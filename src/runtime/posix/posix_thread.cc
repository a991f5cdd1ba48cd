#include "runtime/posix/posix_thread.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "base/assert.h"
#include "base/mutex.h"

namespace luna::posix {

namespace {

constexpr size_t kNameBytes = 15;  // the system's limit

// The calling thread gives way to others. Each wish may be refused; the thread then just runs.
void EnterBackground() {
  constexpr int kNice = 10;
  const auto thread = static_cast<id_t>(::syscall(SYS_gettid));
  static_cast<void>(::setpriority(PRIO_PROCESS, thread, kNice));
  const sched_param none = {};
  static_cast<void>(::sched_setscheduler(0, SCHED_BATCH, &none));
  // From linux/ioprio.h: the target is this thread, the class sits above bit 13.
  constexpr int kThisThread = 1;
  constexpr int kIdle = 3 << 13;
  constexpr int kLowestBestEffort = (2 << 13) | 7;
  if (::syscall(SYS_ioprio_set, kThisThread, 0, kIdle) != 0) {
    static_cast<void>(::syscall(SYS_ioprio_set, kThisThread, 0, kLowestBestEffort));
  }
}

}  // namespace

struct PosixThread::Start {
  std::string name;
  runtime::ThreadClass thread_class;
  std::function<void()> body;
};

PosixThread::PosixThread(std::string name, runtime::ThreadClass thread_class,
                         std::function<void()> body) {
  name.resize(std::min(name.size(), kNameBytes));
  auto start = std::make_unique<Start>(Start{std::move(name), thread_class, std::move(body)});
  const int thread_refused = ::pthread_create(&thread_, nullptr, Run, start.get());
  LUNA_ASSERT(thread_refused == 0);
  static_cast<void>(start.release());  // Run owns it now
}

PosixThread::~PosixThread() {
  LUNA_ASSERT(joined_);
}

void PosixThread::Join() {
  LUNA_ASSERT(base::Mutex::HeldCount() == 0);
  LUNA_ASSERT(!joined_);
  ::pthread_join(thread_, nullptr);
  joined_ = true;
}

void* PosixThread::Run(void* start) {
  const std::unique_ptr<Start> mine(static_cast<Start*>(start));
  ::pthread_setname_np(::pthread_self(), mine->name.c_str());
  if (mine->thread_class == runtime::ThreadClass::kBackground) {
    EnterBackground();
  }
  mine->body();
  return nullptr;
}

}  // namespace luna::posix
