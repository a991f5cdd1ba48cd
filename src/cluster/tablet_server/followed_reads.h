// FollowedReads: the universe of a server that follows. One thread ("tablet-follow") opens it,
// again and again while nobody has made it yet, gives it to be read, and ends that.
// Thread rule: Start and Stop by one thread at a time; the rest is safe.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "cluster/tablet_server/tablet_server.h"
#include "engine/universe/followed_universe.h"
#include "kernel/kernel.h"
#include "runtime/runtime.h"

namespace luna::tablet_server {

class FollowedReads {
 public:
  // Whoever takes over waits no longer for readers: then it inherits nothing.
  static constexpr uint64_t kPatienceNanos = 200'000'000;

  // All outlive it. `leader`: as of universe::Follow.
  FollowedReads(kernel::Kernel& kernel, const TabletServerOptions& options,
                std::function<std::string()> leader, Serving& serving);
  ~FollowedReads();  // waits for readers

  // How long nothing is read here after Expect, unless Stop comes.
  static constexpr uint64_t kExpectNanos = 500'000'000;

  // After Stop, too; waits for readers of before.
  void Start();
  // Nothing is given to be read any more. What the universe knew, if its readers ended in time;
  // else they end later.
  std::unique_ptr<universe::Inheritance> Stop();

  // Stop will come in a moment, it seems: ends what is read here and makes ready what is left, so
  // that it need not wait; goes on later if it was not so. `epoch`: that which will lead, as the
  // leader before gives its lead away (Inheritance::TakeLead); 0: not known. `tail`: where it ended
  // (Inheritance::ReadAhead); 0: it has not yet. Safe in any thread; does not wait.
  void Expect(replica::Epoch epoch, journal::Sequence tail);
  // Between Start and the end of what Expect or Stop asked for. Safe in any thread.
  bool reads() const { return reads_.load(); }

  // After Stop: returns when its readers have ended.
  void Await();

  std::optional<universe::FollowedState> state() const;
  // That Stop will leave behind, once what Expect asked for is done.
  std::vector<catalog::DatabaseId> databases() const;

 private:
  void Run();
  bool IsOver() const { return stopping_.load() || expected_.load(); }
  bool Begin();  // false: try again later
  bool AwaitStop(uint64_t nanos);
  void TakeLead();
  void NoteDatabases();
  Status Open();
  void End();

  kernel::Kernel& kernel_;
  const TabletServerOptions& options_;
  const std::function<std::string()> leader_;
  Serving& serving_;
  const std::unique_ptr<runtime::Event> woken_;
  const std::unique_ptr<runtime::Event> ended_;
  std::unique_ptr<runtime::Thread> thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> expected_{false};
  std::atomic<bool> reads_{false};
  std::atomic<replica::Epoch> given_{0};    // the epoch to take the lead with; 0: none
  std::atomic<journal::Sequence> tail_{0};  // where the leader before ended; 0: not known
  // The thread's; afterwards whoever joined it.
  bool served_ = false;
  std::string trouble_;       // told last
  replica::Epoch taken_ = 0;  // with which the lead of what is inherited was taken
  std::unique_ptr<universe::Inheritance> inheritance_;

  mutable base::Mutex mutex_;
  std::unique_ptr<universe::FollowedUniverse> followed_ GUARDED_BY(mutex_);
  std::vector<catalog::DatabaseId> databases_ GUARDED_BY(mutex_);
};

}  // namespace luna::tablet_server
