// Resolver: the numbers of host names, looked up by a thread of its own, so that nobody else waits
// for a name service. It knows one address at a time, the last that was asked for: the leader's.
// Thread rule: Find from one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "runtime/network.h"
#include "runtime/runtime.h"

namespace luna::follower {

class Resolver {
 public:
  // Both outlive it.
  Resolver(runtime::Runtime& runtime, runtime::Network& network);
  // Waits for a look-up that is under way.
  ~Resolver();

  // `address` with the number of its host, at once; nullopt: it is being looked up, ask again a
  // little later. kUnreachable, kBadOption: why that failed; it is tried again. A number that was
  // found is looked up again after a while, and serves until then.
  Result<std::optional<std::string>> Find(const std::string& address);

 private:
  void Run();
  void Ask(const std::string& address);

  runtime::Runtime* const runtime_;
  runtime::Network* const network_;
  const std::unique_ptr<runtime::Event> asked_;
  std::unique_ptr<runtime::Thread> thread_;  // once it is needed
  base::Mutex mutex_;
  std::string wanted_ GUARDED_BY(mutex_);  // to be looked up; empty: nothing
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::string address_ GUARDED_BY(mutex_);  // whose answer is known, since found_nanos_
  std::optional<Result<std::string>> found_ GUARDED_BY(mutex_);
  uint64_t found_nanos_ GUARDED_BY(mutex_) = 0;
};

}  // namespace luna::follower
