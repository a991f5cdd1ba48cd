// PosixThread: a system thread with a name and a priority.
// Thread rule: guarded by the caller.
#pragma once

#include <pthread.h>

#include <functional>
#include <string>

#include "runtime/runtime.h"

namespace luna::posix {

class PosixThread : public runtime::Thread {
 public:
  // Starts at once. That the system has no thread left to give stops the process.
  PosixThread(std::string name, runtime::ThreadClass thread_class, std::function<void()> body);
  ~PosixThread() override;
  void Join() override;

 private:
  struct Start;
  static void* Run(void* start);

  pthread_t thread_ = {};
  bool joined_ = false;
};

}  // namespace luna::posix
