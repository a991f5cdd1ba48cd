#include "group/server_runtime.h"

#include <utility>

#include "base/mutex.h"

namespace luna::test {

namespace {

constexpr uint64_t kMillion = 1'000'000;
constexpr uint64_t kForEver = uint64_t{1} << 53;  // no wait of a test is as long

// Waits by the server's clock, and not while the server is paused.
class ServerEvent final : public runtime::Event {
 public:
  ServerEvent(ServerRuntime& runtime, std::unique_ptr<runtime::Event> event)
      : runtime_(runtime), event_(std::move(event)) {}

  // Not stopped by a pause: who sets it may be another server, or the wire.
  void Set() override { event_->Set(); }
  void Reset() override { event_->Reset(); }
  bool IsSet() const override { return event_->IsSet(); }
  void Wait() override {
    event_->Wait();
    runtime_.Gate();
  }
  bool WaitFor(uint64_t nanos) override {
    const bool set = event_->WaitFor(runtime_.WorldNanos(nanos));
    runtime_.Gate();
    return set;
  }

 private:
  ServerRuntime& runtime_;
  const std::unique_ptr<runtime::Event> event_;
};

}  // namespace

// --- The clock ---

ServerRuntime::DriftingClock::DriftingClock(runtime::Runtime& world, uint64_t rate_per_million,
                                            uint64_t wall_ahead_millis)
    : world_(world.clock()),
      wall_at_zero_(world_.WallMillis() + wall_ahead_millis),
      rate_(rate_per_million),
      world_base_(world_.MonotonicNanos()),
      local_base_(0) {}

void ServerRuntime::DriftingClock::SetRate(uint64_t per_million) {
  const uint64_t local = MonotonicNanos();
  world_base_ = world_.MonotonicNanos();
  local_base_ = local;
  rate_ = per_million;
}

uint64_t ServerRuntime::DriftingClock::MonotonicNanos() {
  // Never 0, which often means "never".
  return 1 + local_base_ + (world_.MonotonicNanos() - world_base_) * rate_ / kMillion;
}

uint64_t ServerRuntime::DriftingClock::WallMillis() {
  return wall_at_zero_ + MonotonicNanos() / kMillion;
}

// --- The runtime ---

ServerRuntime::ServerRuntime(runtime::Runtime& world, uint64_t rate_per_million,
                             uint64_t wall_ahead_millis)
    : world_(world), clock_(world, rate_per_million, wall_ahead_millis) {}

void ServerRuntime::SetRate(uint64_t per_million) {
  clock_.SetRate(per_million);
}

uint64_t ServerRuntime::WorldNanos(uint64_t local_nanos) const {
  return local_nanos >= kForEver ? local_nanos : local_nanos * kMillion / clock_.rate() + 1;
}

void ServerRuntime::Gate() {
  if (base::Mutex::HeldCount() > 0) {
    return;
  }
  for (uint64_t now = world_.clock().MonotonicNanos(); now < paused_until_;
       now = world_.clock().MonotonicNanos()) {
    world_.Sleep(paused_until_ - now);
  }
}

std::unique_ptr<runtime::Event> ServerRuntime::NewEvent() {
  return std::make_unique<ServerEvent>(*this, world_.NewEvent());
}

std::unique_ptr<runtime::Thread> ServerRuntime::Spawn(std::string name,
                                                      runtime::ThreadClass thread_class,
                                                      std::function<void()> body) {
  return world_.Spawn(std::move(name), thread_class, [this, body = std::move(body)] {
    Gate();
    body();
  });
}

void ServerRuntime::Yield() {
  world_.Yield();
  Gate();
}

void ServerRuntime::Sleep(uint64_t nanos) {
  world_.Sleep(WorldNanos(nanos));
  Gate();
}

}  // namespace luna::test
