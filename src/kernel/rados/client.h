// A client of a Ceph cluster: one librados handle, and the watchdog that keeps it informed.
//
// Every operation runs asynchronously and is waited for through a runtime::Event. librados is told
// late, or not at all, that an OSD is back (12 to 15 s were measured); so while an operation is
// slower than 200 ms, the watchdog fetches the newest map of the cluster every 100 ms.
// librados has threads of its own; they only set Events here.
// Thread rule: safe.
#pragma once

#include <rados/librados.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/hash.h"
#include "base/mutex.h"
#include "kernel/rados/location.h"
#include "luna/status.h"
#include "runtime/runtime.h"

namespace luna::rados {

// What a negative result of librados means, with `what` was tried on which object.
Error ToError(int code, const std::string& what);
// The operation may or may not have been done, or may be done later; or it was not done and can be
// tried again.
bool IsTransient(int code);

class Client {
 public:
  // Connects. `runtime` outlives the client. kUnreachable, kBadOption (no such configuration).
  static Result<std::shared_ptr<Client>> Connect(runtime::Runtime& runtime,
                                                 const Location& location);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Runs what `start` starts with the completion given to it, and returns the operation's result.
  // -ESHUTDOWN for ever once this client was evicted: the cluster forgets that after a time.
  int Run(const std::function<int(rados_completion_t)>& start);

  // A handle of the pool; the caller destroys it. kObjectMissing when there is no such pool.
  Result<rados_ioctx_t> OpenPool(const std::string& pool);
  // As others see this client; what Evict takes.
  Result<std::string> Addresses();
  // From when this returns, no object that this client has used since takes anything more from the
  // client at `addresses`, late operations included.
  Status Evict(const std::string& addresses);
  // This client lost what it owned: it does nothing more.
  void Disown() { evicted_.store(true, std::memory_order_release); }

  runtime::Runtime& runtime() { return runtime_; }
  const Location& location() const { return location_; }
  base::Id128 NewId();

 private:
  Client(runtime::Runtime& runtime, const Location& location, rados_t cluster);
  void Watch();

  runtime::Runtime& runtime_;
  const Location location_;
  const rados_t cluster_;
  std::atomic<bool> evicted_{false};
  base::Mutex mutex_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  uint64_t slow_ GUARDED_BY(mutex_) = 0;  // operations that have taken too long already
  const std::unique_ptr<runtime::Event> wake_;
  std::unique_ptr<runtime::Thread> watchdog_;
};

// Paces the repeats of one operation: first soon, then once a second, until the time is up.
// Thread rule: owned by one thread.
class Patience {
 public:
  explicit Patience(Client& client);
  // Waits, and says true, when `code` is transient and there is time left.
  bool Again(int code);

 private:
  Client& client_;
  const uint64_t deadline_nanos_;
  uint64_t pause_nanos_;
};

}  // namespace luna::rados
