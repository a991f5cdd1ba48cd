#include "group/nemesis.h"

#include <algorithm>
#include <string>
#include <utility>

namespace luna::test {

namespace {

using sim_kernel::MillisRange;

constexpr uint64_t kMillisecond = 1'000'000;
constexpr uint64_t kMillion = 1'000'000;
constexpr sim_kernel::SimFaults kCalm{.request_delay = {.least = 0, .most = 1},
                                      .reply_delay = {.least = 0, .most = 1},
                                      .timeout_millis = 200};

}  // namespace

Nemesis::Nemesis(GroupScene& scene) : scene_(scene), random_(scene.random.Fork()) {
  const uint64_t mode = scene.world.seed() % 5;
  constexpr uint64_t kDrifts[] = {0, 10'000, 50'000, 200'000};
  constexpr uint64_t kSegments[] = {32 << 10, 128 << 10, uint64_t{64} << 20};
  replica_.lease_nanos = (50 + random_.Below(200)) * kMillisecond;
  replica_.drift_per_million = kDrifts[random_.Below(4)];
  replica_.jitter_nanos = replica_.lease_nanos / 20;
  replica_.idle_nanos = replica_.lease_nanos * (1 + random_.Below(4));
  replica_.confirm = mode == 2 || mode == 3;
  beyond_ = mode == 3 || mode == 4;
  skewed_ = !beyond_ && random_.Chance(300);
  if (skewed_) {
    replica_.drift_per_million = 200'000;
  }
  pace_ = 1 + random_.Below(6);
  scene.judge_leases = mode < 2;
  scene.judge_reads = mode != 4;
  scene.value_bytes = random_.Chance(300) ? 2000 : 100;
  segment_bytes_ = kSegments[random_.Below(3)];
  host_.release_bytes = segment_bytes_;
  host_.removal.grace_nanos = (100 + random_.Below(900)) * kMillisecond;
  host_.removal.orphans_nanos = (100 + random_.Below(900)) * kMillisecond;
  host_.options.memory_budget_bytes = uint64_t{64} << 20;
  host_.options.memtable_bytes = 64 << 10;
  host_.options.table_bytes = 64 << 10;
  host_.options.block_bytes = static_cast<uint32_t>(1024 << random_.Below(4));
  look_nanos_ = (2 + random_.Below(20)) * kMillisecond;
}

uint64_t Nemesis::DrawRate(uint64_t slot) {
  if (skewed_) {
    return slot == 0 ? kMillion - replica_.drift_per_million
                     : kMillion + replica_.drift_per_million;
  }
  if (beyond_) {
    return kMillion / 2 + random_.Below(kMillion * 3 / 2);
  }
  const uint64_t extremes[] = {kMillion - replica_.drift_per_million, kMillion,
                               kMillion + replica_.drift_per_million};
  return extremes[random_.Below(3)];
}

sim_kernel::SimFaults Nemesis::DrawFaults() {
  const auto often = [&](uint32_t per_mille) {
    return random_.Chance(500) ? static_cast<uint32_t>(random_.Below(per_mille + 1)) : 0;
  };
  const uint32_t slow = 1 + static_cast<uint32_t>(random_.Below(4));
  // Who waits for its last request longer than its lease is deposed by its clock alone.
  const uint64_t patience = skewed_ || random_.Chance(300) ? 600 : 120;
  // Of a leader with slow answers others see what it does not know to be done yet.
  const uint32_t answer =
      random_.Chance(200) ? 10 + static_cast<uint32_t>(random_.Below(30)) : slow;
  return {.request_delay = {.least = 0, .most = slow},
          .reply_delay = {.least = 0, .most = answer},
          .lost_request_per_mille = often(8),
          .lost_reply_per_mille = often(8),
          .late_per_mille = often(8),
          .late = {.least = 0, .most = 300},
          .stall_per_mille = often(4),
          .stall = {.least = 5, .most = 300},
          .slow_read_per_mille = often(replica_.confirm ? 200 : 20),  // confirming is reading
          .slow_read = {.least = 5, .most = 150},
          .lost_hint_per_mille = often(500),
          .timeout_millis = 30 + static_cast<uint32_t>(random_.Below(patience))};
}

ServerSettings Nemesis::DrawServer(uint64_t number) {
  return {.name = "s" + std::to_string(number),
          .seed = random_.Next(),
          .look_nanos = look_nanos_,
          .travel_nanos = random_.Below(4 * kMillisecond),
          .find = [this](const std::string& name) { return Find(name); },
          .appended = [this](const std::string& name) { Hint(name); },
          .rate_per_million = DrawRate(number),
          .wall_ahead_millis = random_.Chance(100) ? random_.Below(1000) : random_.Below(50),
          .host = host_,
          .replica = replica_,
          .segment_bytes = segment_bytes_,
          .faults = DrawFaults()};
}

std::shared_ptr<GroupServer> Nemesis::Find(const std::string& name) {
  for (const auto& server : scene_.servers) {
    if (server != nullptr && server->name() == name && server->alive()) {
      return server;
    }
  }
  return nullptr;
}

void Nemesis::Hint(const std::string& from) {
  const auto sender = Find(from);
  const auto given = sender != nullptr ? sender->replica().standing().given : std::nullopt;
  if (given.has_value() && taker_ != nullptr && random_.Chance(500)) {
    taker_->Take(given->epoch + 1);
  }
  for (const auto& server : scene_.servers) {
    if (server == nullptr || server->name() == from || !random_.Chance(700)) {
      continue;
    }
    server->follower().Hint();
    if (given.has_value()) {
      server->replica().Hint({.epoch = given->epoch,
                              .tail = given->tail,
                              .leader = given->target,
                              .mine = given->target == server->name()});
    }
  }
}

void Nemesis::Begin() {
  taker_ = std::make_unique<ManifestTaker>(scene_.store, scene_.world, DrawFaults());
  const uint64_t count = 2 + random_.Below(2);
  for (uint64_t i = 0; i < count; ++i) {
    slots_.push_back({.settings = DrawServer(i)});
    scene_.servers.push_back(
        std::make_shared<GroupServer>(scene_.store, scene_.world, slots_[i].settings));
  }
}

// --- Faults ---

void Nemesis::Harm() {
  for (uint64_t left = 6 + random_.Below(10); left > 0 && scene_.violation.empty(); --left) {
    scene_.world.Sleep(replica_.lease_nanos / 20 + random_.Below(pace_ * replica_.lease_nanos));
    Revive(false);
    std::erase_if(cuts_, [&](const Cut& cut) {
      const bool over = scene_.Now() >= cut.until;
      if (over) {
        scene_.store.wire().SetCut(cut.server, sim_kernel::Cut::kNone);
      }
      return over;
    });
    scene_.store.SetFull(scene_.Now() < full_until_);
    Strike();
  }
}

GroupServer* Nemesis::Victim() {
  if (random_.Chance(600)) {
    for (const auto& server : scene_.servers) {
      if (server != nullptr && server->leads()) {
        return server.get();
      }
    }
  }
  return scene_.servers[random_.Below(scene_.servers.size())].get();
}

void Nemesis::Strike() {
  GroupServer* const victim = Victim();
  if (victim == nullptr) {
    return;
  }
  const uint64_t long_time = random_.Below(3 * replica_.lease_nanos);
  switch (random_.Below(10)) {
    case 0:
    case 1:
      victim->runtime().PauseUntil(scene_.Now() + long_time);
      ++scene_.report.pauses;
      break;
    case 2:
      for (size_t slot = 0; slot < scene_.servers.size(); ++slot) {
        if (scene_.servers[slot].get() == victim) {
          Kill(slot);
          break;
        }
      }
      break;
    case 3:
    case 4:
    case 5:
      CutOff(*victim);
      break;
    case 6:
      Transfer();
      break;
    case 7:
      Alarm();
      break;
    case 8:
      scene_.store.wire().SetFaults(victim->kernel().server(), DrawFaults());
      break;
    default:
      if (random_.Chance(300)) {
        full_until_ = scene_.Now() + long_time;
      } else {
        scene_.quiet_until = scene_.Now() + random_.Below(6 * replica_.lease_nanos);
      }
      break;
  }
}

void Nemesis::Kill(size_t slot) {
  const std::shared_ptr<GroupServer> server = std::exchange(scene_.servers[slot], nullptr);
  server->Kill();
  server->Stop();
  ++scene_.report.kills;
  scene_.report.terms += server->host().terms();
  slots_[slot].back_at = scene_.Now() + random_.Below(3 * replica_.lease_nanos);
}

void Nemesis::CutOff(GroupServer& server) {
  const sim_kernel::ServerId id = server.kernel().server();
  scene_.store.wire().SetCut(id,
                             random_.Chance(500) ? sim_kernel::Cut::kDrop : sim_kernel::Cut::kHold);
  cuts_.push_back({.server = id, .until = scene_.Now() + random_.Below(3 * replica_.lease_nanos)});
}

void Nemesis::Alarm() {
  for (const auto& server : scene_.servers) {
    if (server != nullptr && !server->leads() && random_.Chance(500)) {
      server->replica().Suspect();
    }
  }
}

void Nemesis::Transfer() {
  const std::string target = slots_[random_.Below(slots_.size())].settings.name;
  for (const auto& server : scene_.servers) {
    if (server == nullptr) {
      continue;
    }
    const bool prepared = random_.Chance(600);
    if (prepared) {
      Prepare(*server);
    }
    const bool by_word = prepared && random_.Chance(700);
    if (server->replica().Transfer(random_.Chance(800) ? target : "", by_word).ok()) {
      ++scene_.report.transfers;
    }
  }
}

// Its manifests are taken while it leads.
void Nemesis::Prepare(GroupServer& leader) {
  const auto epoch = leader.host().With([](Led& led) {
    led.group->ExpectHandOver();
    return led.group->epoch();
  });
  if (epoch.has_value() && taker_ != nullptr) {
    taker_->Take(*epoch + 1);
    scene_.world.Sleep(random_.Below(20'000'000));
  }
}

void Nemesis::Revive(bool all) {
  for (size_t slot = 0; slot < slots_.size(); ++slot) {
    if (scene_.servers[slot] == nullptr && (all || scene_.Now() >= slots_[slot].back_at)) {
      slots_[slot].settings.rate_per_million = DrawRate(slot);
      scene_.servers[slot] =
          std::make_shared<GroupServer>(scene_.store, scene_.world, slots_[slot].settings);
    }
  }
}

// --- The end of faults ---

void Nemesis::Heal() {
  taker_->Stop();
  taker_ = nullptr;
  for (const Cut& cut : cuts_) {
    scene_.store.wire().SetCut(cut.server, sim_kernel::Cut::kNone);
  }
  cuts_.clear();
  scene_.store.SetFull(false);
  Revive(true);
  for (const auto& server : scene_.servers) {
    server->runtime().PauseUntil(0);
    scene_.store.wire().SetFaults(server->kernel().server(), kCalm);
    if (beyond_) {
      server->runtime().SetRate(kMillion);
    }
  }
  // A lease counted by a clock beyond the bound ends, too.
  scene_.world.Sleep(4 * replica_.lease_nanos);
}

void Nemesis::StopAll() {
  for (auto& server : scene_.servers) {
    server->Stop();
    scene_.report.terms += server->host().terms();
  }
  scene_.servers.clear();
}

void Nemesis::ReplaceAll() {
  StopAll();
  ServerSettings settings = slots_.front().settings;
  settings.name = "new";
  settings.rate_per_million = kMillion;
  settings.faults = kCalm;
  scene_.servers.push_back(std::make_shared<GroupServer>(scene_.store, scene_.world, settings));
}

}  // namespace luna::test
