// ServerRuntime: the runtime of one server in a simulated world: its clocks run at a rate of their
// own, and it can be paused, all of it, as by SIGSTOP. It goes on where it stood when the pause is
// over. A pause takes hold where a fiber waits, sleeps or yields, and never under a base::Mutex.
// Thread rule: owned by one thread, that of the simulation.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runtime/runtime.h"

namespace luna::test {

class ServerRuntime final : public runtime::Runtime {
 public:
  // `world` outlives this, and this everything it spawned. `wall_ahead_millis`: of the world's.
  ServerRuntime(runtime::Runtime& world, uint64_t rate_per_million, uint64_t wall_ahead_millis);

  void PauseUntil(uint64_t world_nanos) { paused_until_ = world_nanos; }
  void SetRate(uint64_t per_million);

  runtime::Clock& clock() override { return clock_; }
  runtime::Random& random() override { return world_.random(); }
  runtime::FileSystem& files() override { return world_.files(); }
  std::unique_ptr<runtime::Event> NewEvent() override;
  std::unique_ptr<runtime::Thread> Spawn(std::string name, runtime::ThreadClass thread_class,
                                         std::function<void()> body) override;
  void Yield() override;
  void Sleep(uint64_t nanos) override;

  // Waits until the pause is over.
  void Gate();
  // What the server's clock calls `local_nanos` takes so long in the world.
  uint64_t WorldNanos(uint64_t local_nanos) const;

 private:
  class DriftingClock final : public runtime::Clock {
   public:
    DriftingClock(runtime::Runtime& world, uint64_t rate_per_million, uint64_t wall_ahead_millis);
    uint64_t WallMillis() override;
    uint64_t MonotonicNanos() override;
    void SetRate(uint64_t per_million);
    uint64_t rate() const { return rate_; }

   private:
    runtime::Clock& world_;
    const uint64_t wall_at_zero_;  // milliseconds when the local clock was 0
    uint64_t rate_;
    uint64_t world_base_;
    uint64_t local_base_;
  };

  runtime::Runtime& world_;
  DriftingClock clock_;
  uint64_t paused_until_ = 0;
};

}  // namespace luna::test
