// GroupFollower: what a server of a simulated group reads while it does not lead: the universe that
// another one leads, followed by the real engine, and the gate of a service in front of it. The
// leader is asked for strong reads by a fiber of its own: a question takes its time both ways, and
// may find that nobody leads there any more.
// Thread rule: owned by one thread, that of the simulation.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/universe/followed_universe.h"
#include "kernel/kernel.h"
#include "luna/luna.h"
#include "service/follower/freshness_gate.h"
#include "simulation/seeded_random.h"

namespace luna::test {

struct FollowerSettings {
  Options options{};
  uint64_t look_nanos = 20'000'000;
  uint64_t grace_nanos = 0;   // of the leader's removals
  uint64_t travel_nanos = 0;  // of a question, each way, at most
  // Asks whoever leads as far as this server knows; waits for its answer.
  std::function<Result<follower::LeaderPoint>()> ask_leader{};
};

// What is open while a server follows.
struct FollowedHere {
  std::unique_ptr<universe::FollowedUniverse> universe{};
  std::unique_ptr<follower::FreshnessGate> gate{};
  std::shared_ptr<Database> database{};
  std::array<std::shared_ptr<Collection>, 2> collections{};
};

class GroupFollower {
 public:
  // `kernel` outlives it.
  GroupFollower(kernel::Kernel& kernel, FollowerSettings settings, uint64_t seed);
  ~GroupFollower();

  // Follows, as soon as there is what it could follow. Nothing while it does.
  void Start();
  // Until its readers have ended; what it knows, for whoever leads here next.
  std::unique_ptr<universe::Inheritance> Stop();
  // There may be something new.
  void Hint();

  // Runs `use` with what is followed here, which stays open meanwhile; nothing when nothing is.
  template <class Use>
  auto With(const Use& use) -> std::optional<decltype(use(std::declval<FollowedHere&>()))> {
    if (!serves_) {
      return std::nullopt;
    }
    ++users_;
    auto answer = use(here_);
    --users_;
    return answer;
  }

 private:
  using Done = std::function<void(Result<follower::LeaderPoint>)>;

  void Run();
  Status Open();
  void Ask();  // the fiber

  kernel::Kernel& kernel_;
  const FollowerSettings settings_;
  simulation::SeededRandom random_;
  const std::unique_ptr<runtime::Event> stop_;
  std::unique_ptr<runtime::Thread> thread_;
  FollowedHere here_;
  bool serves_ = false;
  int users_ = 0;

  const std::unique_ptr<runtime::Event> asked_;
  std::vector<Done> questions_;
  bool over_ = false;
  std::unique_ptr<runtime::Thread> asker_;
};

}  // namespace luna::test
