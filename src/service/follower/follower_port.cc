#include "service/follower/follower_port.h"

#include <utility>

#include "base/assert.h"
#include "base/mutex.h"
#include "base/try.h"
#include "service/follower/resolver.h"
#include "service/follower/tallies.h"
#include "service/follower/usher.h"

namespace luna::follower {

struct FollowerPort::State {
  State(runtime::Runtime& runtime_in, runtime::Network& network_in, FollowerSettings settings_in)
      : runtime(&runtime_in),
        network(&network_in),
        settings(std::move(settings_in)),
        resolver(runtime_in, network_in) {}

  runtime::Runtime* const runtime;
  runtime::Network* const network;
  const FollowerSettings settings;
  Tallies tallies;
  Resolver resolver;
  std::unique_ptr<Usher> usher;  // from Start to Stop
  std::unique_ptr<runtime::Thread> thread;
  mutable base::Mutex mutex;
  Usher* open GUARDED_BY(mutex) = nullptr;  // the usher, while it takes clients
  std::vector<std::string> addresses GUARDED_BY(mutex);
};

FollowerPort::FollowerPort(runtime::Runtime& runtime, runtime::Network& network,
                           FollowerSettings settings)
    : state_(std::make_unique<State>(runtime, network, std::move(settings))) {}

FollowerPort::~FollowerPort() {
  End();
}

void FollowerPort::End() {
  Stop();
  if (state_->thread != nullptr) {
    state_->usher->EndNow();
    state_->thread->Join();
    state_->thread = nullptr;
    state_->usher = nullptr;
  }
}

Status FollowerPort::Start() {
  LUNA_ASSERT(addresses().empty());  // stopped
  End();
  auto usher = std::make_unique<Usher>(*state_->runtime, *state_->network, state_->settings,
                                       state_->tallies, state_->resolver);
  TRY(usher->Listen());
  state_->usher = std::move(usher);
  {
    const base::MutexLock lock(state_->mutex);
    state_->addresses = state_->usher->addresses();
    state_->open = state_->usher.get();
  }
  state_->thread = state_->runtime->Spawn("luna-follower", runtime::ThreadClass::kForeground,
                                          [usher = state_->usher.get()] { usher->Run(); });
  return {};
}

std::vector<command::Departing> FollowerPort::Stop() {
  {
    const base::MutexLock lock(state_->mutex);
    if (std::exchange(state_->open, nullptr) == nullptr) {
      return {};
    }
  }
  state_->usher->Stop();
  std::vector<command::Departing> left = state_->usher->TakeLeft();
  {
    const base::MutexLock lock(state_->mutex);
    state_->addresses.clear();
  }
  if (!state_->settings.hand_on) {
    End();
  }
  return left;
}

bool FollowerPort::PassOn(command::Departing& client) {
  const base::MutexLock lock(state_->mutex);
  if (state_->open == nullptr) {
    return false;
  }
  state_->open->Give(std::move(client));
  return true;
}

std::vector<std::string> FollowerPort::addresses() const {
  const base::MutexLock lock(state_->mutex);
  return state_->addresses;
}

FollowerCounts FollowerPort::counts() const {
  const Tallies& tallies = state_->tallies;
  return {.open = tallies.open,
          .accepted = tallies.accepted,
          .refused_clients = tallies.refused_clients,
          .forwarded = tallies.forwarded,
          .unled = tallies.unled,
          .lost = tallies.lost,
          .returned = tallies.returned,
          .returning = tallies.returning,
          .refused_commands = tallies.refused_commands,
          .to_leader_bytes = tallies.to_leader_bytes,
          .to_client_bytes = tallies.to_client_bytes};
}

}  // namespace luna::follower
