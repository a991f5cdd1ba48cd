#include "replica/replica_world.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "replica/replica_node.h"

namespace luna::replica {

namespace {

constexpr uint64_t kMillisecond = 1'000'000;
constexpr int kKeys = 2;

class World {
 public:
  World(uint64_t seed, const Mutants& mutants) : scene_(seed), mode_(seed % 5) {
    scene_.faults_end = UINT64_MAX;  // until it is known
    settings_.lease_nanos = scene_.Between(100, 1000) * kMillisecond;
    constexpr uint64_t kDrifts[] = {0, 10'000, 50'000, 200'000};
    settings_.drift_per_million = kDrifts[scene_.Random(4)];
    settings_.jitter_nanos = settings_.lease_nanos / 10;
    settings_.idle_nanos = settings_.lease_nanos * scene_.Between(1, 5);
    settings_.confirm = mode_ == 2 || mode_ == 3;
    settings_.mutants = mutants;
    scene_.judge_leases = mode_ < 2;
    beyond_ = mode_ == 3 || mode_ == 4;
    timeout_ = settings_.lease_nanos / scene_.Between(2, 8);
    scene_.faults_end = settings_.lease_nanos * scene_.Between(10, 30);
    scene_.tell = [this](int target, const Hinted& hint) { Tell(target, hint); };
    const uint64_t count = scene_.Between(2, 3);
    for (uint64_t i = 0; i < count; ++i) {
      nodes_.push_back(std::make_unique<Node>(scene_, static_cast<int>(i), settings_, timeout_));
      nodes_.back()->SetRate(Rate());
    }
  }

  Report Run() {
    for (auto& node : nodes_) {
      node->Start();
    }
    Fault();
    ClientsForEver();
    scene_.RunUntil(scene_.faults_end);
    Heal();
    scene_.RunUntil(scene_.faults_end + Patience());
    if (scene_.last_failure + 2 * settings_.lease_nanos > scene_.faults_end) {
      // Who failed to take over waits longer.
      scene_.RunUntil(scene_.now() + 2 * settings_.WaitNanos());
    }
    return {.violation = Judge(),
            .reads = scene_.checker.reads(),
            .acknowledged = scene_.checker.acknowledged(),
            .elections = scene_.elections,
            .transfers = scene_.transfers,
            .yields = scene_.yields,
            .starts_with_fence = scene_.starts_with_fence,
            .rests = scene_.rests,
            .unknowns = scene_.unknowns,
            .self_fences = scene_.self_fences,
            .stopped_reads = scene_.stopped_reads,
            .confirmed_reads = scene_.confirmed_reads};
  }

 private:
  double Rate() {
    if (beyond_) {
      return 0.5 + static_cast<double>(scene_.Random(1501)) / 1000;  // to twice as fast
    }
    const double drift = static_cast<double>(settings_.drift_per_million) / 1e6;
    const double extremes[] = {1 - drift, 1, 1 + drift};
    return extremes[scene_.Random(3)];
  }

  // How long until somebody serves after the faults: what was under way ends, the last record seen
  // grows old, the fence.
  uint64_t Patience() const {
    const double slowest = 1 - static_cast<double>(settings_.drift_per_million) / 1e6;
    const uint64_t slow =
        settings_.WaitNanos() + settings_.jitter_nanos + 3 * settings_.LookNanos() + 2 * timeout_;
    return static_cast<uint64_t>(static_cast<double>(slow) / slowest) + 50 * kMillisecond;
  }

  Node& Any() { return *nodes_[scene_.Random(nodes_.size())]; }

  void ClientsForEver() {
    const uint64_t pause = settings_.lease_nanos / 100;
    const bool over = scene_.now() >= scene_.faults_end;
    if (over || scene_.now() >= quiet_until_) {
      Node& node = Any();
      const int key = static_cast<int>(scene_.Random(kKeys));
      if (node.alive() && scene_.Chance(35)) {
        node.Write(key);
      } else if (node.alive()) {
        node.Read(key);
      }
    }
    scene_.At(scene_.now() + scene_.Between(1, 2 * pause), [this] { ClientsForEver(); });
  }

  // One piece of bad luck after the other.
  void Fault() {
    const uint64_t lease = settings_.lease_nanos;
    if (scene_.now() >= scene_.faults_end) {
      return;
    }
    scene_.At(scene_.now() + scene_.Between(lease / 20, lease), [this] { Fault(); });
    Node& node = Any();
    const uint64_t until = std::min(scene_.now() + scene_.Random(3 * lease), scene_.faults_end);
    switch (scene_.Random(8)) {
      case 0:
        node.Pause(until);
        break;
      case 1:
        if (node.alive()) {
          node.Kill();
          scene_.At(until, [&node] { node.Start(); });
        }
        break;
      case 2:
      case 3:
        node.Cut(until);
        break;
      case 4:
        Transfer();
        break;
      case 5:
        node.Give(Suspected{});
        break;
      case 6:
        quiet_until_ = scene_.now() + scene_.Random(8 * lease);
        break;
      default:
        CutLeader(until);
        break;
    }
  }

  void Transfer() {
    for (auto& node : nodes_) {
      if (node->leading()) {
        const uint64_t target = scene_.Random(nodes_.size() + 1);
        node->Give(TransferAsked{.target = target < nodes_.size() ? std::to_string(target) : "",
                                 .prepared = scene_.Chance(50)});
      }
    }
  }

  // To the target, or now and then to all: the others hear who leads. Soon, late or never.
  void Tell(int target, const Hinted& hint) {
    const bool all = scene_.Chance(50);
    for (size_t i = 0; i < nodes_.size(); ++i) {
      const bool mine = static_cast<int>(i) == target;
      if ((!mine && !all) || scene_.Chance(30)) {
        continue;
      }
      Hinted told = hint;
      told.mine = mine;
      const uint64_t delay = scene_.Chance(80) ? scene_.Random(5 * kMillisecond)
                                               : scene_.Random(settings_.lease_nanos);
      scene_.At(scene_.now() + delay, [node = nodes_[i].get(), told] { node->Give(told); });
    }
  }

  void CutLeader(uint64_t until) {
    for (auto& node : nodes_) {
      if (node->leading()) {
        node->Cut(until);
      }
    }
  }

  void Heal() {
    for (auto& node : nodes_) {
      node->Pause(0);
      node->Cut(0);
      if (beyond_) {
        node->SetRate(1);
      }
    }
  }

  std::string Judge() const {
    if (!scene_.stream.violation().empty()) {
      return scene_.stream.violation();
    }
    if (!scene_.violation.empty()) {
      return scene_.violation;
    }
    const bool judge_reads = mode_ != 4;
    std::string violation = scene_.checker.Judge(scene_.stream.records(), judge_reads);
    if (violation.empty() && scene_.last_write < scene_.faults_end) {
      violation = "no write was served in time after the faults";
    }
    if (violation.empty() && scene_.last_read < scene_.faults_end) {
      violation = "no strong read was served in time after the faults";
    }
    return violation;
  }

  Scene scene_;
  const uint64_t mode_;
  Settings settings_;
  bool beyond_ = false;
  uint64_t timeout_ = 0;
  uint64_t quiet_until_ = 0;
  std::vector<std::unique_ptr<Node>> nodes_;
};

}  // namespace

Report RunWorld(uint64_t seed, const Mutants& mutants) {
  return World(seed, mutants).Run();
}

}  // namespace luna::replica
