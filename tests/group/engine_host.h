// EngineHost: what a replica of a group leads in the tests: the universe of its server, with the
// database "d" and two collections; and what it follows while it does not lead.
// Thread rule: owned by one thread, that of the simulation.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/replica/replica_server.h"
#include "engine/universe/led_universe.h"
#include "group/group_follower.h"
#include "kernel/kernel.h"
#include "luna/luna.h"

namespace luna::test {

struct HostSettings {
  Options options{};
  uint64_t release_bytes = 0;  // of the stream, at a time
  universe::Removal removal{};
};

// What is open while a server leads.
struct Led {
  std::unique_ptr<Universe> universe{};
  group::Group* group = nullptr;
  std::shared_ptr<Database> database{};
  std::array<std::shared_ptr<Collection>, 2> collections{};
  journal::Epoch epoch = 0;
};

class EngineHost final : public replica::Host {
 public:
  // Both outlive the host. `follower` is started.
  EngineHost(kernel::Kernel& kernel, const HostSettings& settings, GroupFollower& follower)
      : kernel_(kernel), settings_(settings), follower_(follower) {}

  Status BecomeLeader(group::Leadership leadership, group::AppendObserver& observer) override;
  void StopLeading(replica::Epoch epoch) override;
  std::vector<std::string> LimitsOf(replica::Epoch epoch) override;
  Status Renew(bool resting) override;
  Status HandOver(const std::string& target) override;
  Result<journal::StreamState> Yield(const std::string& target) override;

  // Runs `use` with what is led here, which stays open meanwhile; nothing when nothing is.
  template <class Use>
  auto With(const Use& use) -> std::optional<decltype(use(std::declval<Led&>()))> {
    if (!serves_) {
      return std::nullopt;
    }
    ++users_;
    auto answer = use(led_);
    --users_;
    return answer;
  }

  uint64_t terms() const { return terms_; }
  // Why the last attempt to lead failed; empty: it did not.
  const std::string& trouble() const { return trouble_; }

 private:
  Status Lead(group::Leadership leadership, group::AppendObserver& observer);

  kernel::Kernel& kernel_;
  const HostSettings settings_;
  GroupFollower& follower_;
  Led led_;
  bool serves_ = false;
  int users_ = 0;
  uint64_t terms_ = 0;
  std::string trouble_;
};

}  // namespace luna::test
