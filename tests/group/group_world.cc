#include "group/group_world.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "group/group_client.h"
#include "group/nemesis.h"

namespace luna::test {

namespace {

constexpr uint64_t kMillisecond = 1'000'000;
constexpr uint64_t kSecond = 1'000 * kMillisecond;
// Waits, take-over, the clock of a predecessor, jobs that failed and are tried again: at most.
constexpr uint64_t kServeNanos = 10 * kSecond;
constexpr uint64_t kTendNanos = 25 * kSecond;

class GroupWorld {
 public:
  GroupWorld(simulation::SimulatedRuntime& world, sim_kernel::SimStore& store)
      : scene_(world, store), nemesis_(scene_) {}

  Verdict Run() {
    nemesis_.Begin();
    auto clients = SpawnClients();
    auto tender = Spawn("tender", [this] { Tend(); });
    auto witness = Spawn("witness", [this] { Watch(); });
    nemesis_.Harm();
    nemesis_.Heal();
    scene_.over = true;
    for (auto& client : clients) {
      client->Join();
    }
    tender->Join();
    scene_.judge_reads = true;  // no clock is beyond the bound any more
    Settle();
    JudgeAll();
    nemesis_.ReplaceAll();
    Settle();
    JudgeAll();
    FindNoOrphans();
    nemesis_.StopAll();
    witnessing_ = false;
    witness->Join();
    JudgeHistory();
    scene_.report.released += scene_.witness.released() > 0 ? 1 : 0;
    return {scene_.violation.empty(), scene_.violation, scene_.world.trace().hash()};
  }

  const GroupReport& report() const { return scene_.report; }

 private:
  std::unique_ptr<runtime::Thread> Spawn(const char* name, std::function<void()> body) {
    return scene_.world.Spawn(name, runtime::ThreadClass::kForeground, std::move(body));
  }
  std::vector<std::unique_ptr<runtime::Thread>> SpawnClients() {
    std::vector<std::unique_ptr<runtime::Thread>> clients;
    const uint64_t count = 2 + scene_.random.Below(3);
    for (uint64_t i = 0; i < count; ++i) {
      clients.push_back(Spawn("client", [this, i] { GroupClient(scene_, i).Run(); }));
    }
    for (uint64_t i = 0; i < kWatchers; ++i) {
      clients.push_back(Spawn("watcher", [this, i] { GroupClient(scene_, kWatcher + i).Watch(); }));
    }
    return clients;
  }

  void Watch() {
    while (witnessing_) {
      scene_.witness.Look();
      if (!scene_.witness.violation().empty()) {
        scene_.Blame(scene_.witness.violation());
      }
      scene_.world.Sleep(10 * kMillisecond);
    }
  }

  // --- What a leader does beside serving ---

  void Tend() {
    for (uint64_t i = 0; !scene_.over; ++i) {
      const auto servers = scene_.servers;
      for (const auto& server : servers) {
        if (server != nullptr) {
          (void)TendAt(*server, i % 4 == 3);
        }
      }
      scene_.world.Sleep((20 + scene_.random.Below(80)) * kMillisecond);
    }
  }
  // Nothing: it does not lead.
  std::optional<Status> TendAt(GroupServer& server, bool compact) {
    const auto done = server.host().With([&](Led& led) -> Status {
      for (const auto& collection : led.collections) {
        if (Status one = compact ? collection->Compact() : collection->Flush(); !one.ok()) {
          return one;
        }
      }
      return {};
    });
    if (done.has_value() && done->ok()) {
      ++(compact ? scene_.report.compactions : scene_.report.flushes);
    } else if (done.has_value() && done->error().reason() == Reason::kCollectionMissing) {
      scene_.Blame("a collection is missing: " + done->error().ToString());
    }
    return done;
  }

  // --- After the faults ---

  // Tries at one server after the other until it is done.
  void Until(uint64_t nanos, const char* what, GroupClient& client,
             const std::function<bool()>& done) {
    const uint64_t deadline = scene_.Now() + nanos;
    while (scene_.violation.empty() && !done()) {
      if (scene_.Now() > deadline) {
        scene_.Blame(std::string(what) + " in " + std::to_string(nanos / kSecond) +
                     " s after the faults; " + Troubles());
      }
      for (const auto& server : scene_.servers) {
        server->replica().Request();
      }
      client.NextServer();
      scene_.world.Sleep(2 * kMillisecond);
    }
  }
  std::string Troubles() const {
    std::string text;
    for (const auto& server : scene_.servers) {
      const auto standing = server->replica().standing();
      text += server->name() + ": role " + std::to_string(static_cast<int>(standing.role)) +
              ", epoch " + std::to_string(standing.epoch) + " " + server->host().trouble() + "; ";
    }
    return text + trouble_;
  }
  bool Works(const std::optional<Status>& done) {
    if (done.has_value() && !done->ok()) {
      trouble_ = done->error().ToString();
    }
    return done.has_value() && done->ok();
  }

  void Settle() {
    GroupClient client(scene_, kSettler);
    Until(kServeNanos, "no write was served", client,
          [&] { return client.Put(RegisterKey(0), 0); });
    Until(kServeNanos, "no strong read was served", client,
          [&] { return client.Get(RegisterKey(0), 0); });
    if (scene_.servers.size() > 1) {
      Until(kServeNanos, "no strong read was served by a follower", client,
            [&] { return client.GetElsewhere(RegisterKey(0), 0); });
    }
    Until(kTendNanos, "nobody flushes and compacts", client, [&] {
      return std::any_of(scene_.servers.begin(), scene_.servers.end(), [&](const auto& server) {
        return Works(TendAt(*server, false)) && Works(TendAt(*server, true));
      });
    });
  }

  void JudgeAll() {
    GroupClient client(scene_, kSettler);
    for (uint64_t i = 0; i < kRegisters; ++i) {
      Until(kServeNanos, "a register was not read", client,
            [&] { return client.Get(RegisterKey(i), i % 2); });
    }
    for (uint64_t i = 0; i < kPairs; ++i) {
      Until(kServeNanos, "a pair was not read", client,
            [&] { return client.ReadPair(PairKey(i)); });
    }
    Until(kServeNanos, "the ledger was not read", client, [&] { return client.FindLedger(); });
    std::optional<int64_t> count;
    Until(kServeNanos, "the counter was not read", client,
          [&] { return (count = client.Count()).has_value(); });
    if (count.has_value() && static_cast<uint64_t>(*count) != scene_.report.counted) {
      scene_.Blame("the counter is " + std::to_string(*count) + " after " +
                   std::to_string(scene_.report.counted) + " increments");
    }
    client.RecallOutcomes();
    Verify(client);
  }
  void Verify(GroupClient& client) {
    Until(kTendNanos, "nobody verified", client, [&] {
      return std::any_of(scene_.servers.begin(), scene_.servers.end(), [&](const auto& server) {
        const auto report = server->host().With([](Led& led) { return led.universe->Verify(); });
        if (!report.has_value() || !report->ok()) {
          return false;
        }
        if (!(*report)->damage.empty() && server->leads()) {
          scene_.Blame("damage: " + (*report)->damage.front().ToString());
        }
        return (*report)->damage.empty();
      });
    });
  }
  // I8: what nobody refers to goes, at the latest under a leader that did not make it.
  void FindNoOrphans() {
    GroupClient client(scene_, kSettler);
    uint64_t stored = 0;
    uint64_t named = 0;
    Until(kTendNanos, "objects stay that nothing names", client, [&] {
      const auto report =
          scene_.servers.front()->host().With([](Led& led) { return led.universe->Verify(); });
      stored = CountObjects();
      named = report.has_value() && report->ok() ? (*report)->objects : 0;
      trouble_ =
          std::to_string(stored) + " objects, of which " + std::to_string(named) + " have a name";
      scene_.world.Sleep(50 * kMillisecond);
      return report.has_value() && stored == named;
    });
  }
  // Tables and blobs in the store.
  uint64_t CountObjects() {
    uint64_t count = 0;
    for (const auto& [name, object] : scene_.store.space("u").objects) {
      const std::string_view own = std::string_view(name).substr(name.find('/') + 1);
      count += own.starts_with("t-") || own.starts_with("b-") || own.starts_with("j-") ? 1 : 0;
    }
    return count;
  }
  void JudgeHistory() {
    if (const std::string problem = scene_.history.Judge(); !problem.empty()) {
      scene_.Blame(problem);
    }
  }

  // Clients' numbers.
  static constexpr uint64_t kWatcher = 500;
  static constexpr uint64_t kSettler = 1000;
  static constexpr uint64_t kWatchers = 2;

  GroupScene scene_;
  Nemesis nemesis_;
  bool witnessing_ = true;
  std::string trouble_;
};

}  // namespace

GroupReport& GroupReport::operator+=(const GroupReport& other) {
  writes += other.writes;
  reads += other.reads;
  unknowns += other.unknowns;
  refused_reads += other.refused_reads;
  reads_elsewhere += other.reads_elsewhere;
  refused_elsewhere += other.refused_elsewhere;
  conflicts += other.conflicts;
  counted += other.counted;
  asked += other.asked;
  snapshots += other.snapshots;
  flushes += other.flushes;
  compactions += other.compactions;
  terms += other.terms;
  transfers += other.transfers;
  kills += other.kills;
  pauses += other.pauses;
  released += other.released;
  return *this;
}

Verdict RunGroupSeed(uint64_t seed, GroupReport* report, simulation::Trace::Sink sink) {
  simulation::SimulationOptions options;
  options.max_switches = 5'000'000;  // some twenty times what a world takes
  options.trace_sink = std::move(sink);
  simulation::SimulatedRuntime world(seed, options);
  Verdict verdict;
  world.Run([&] {
    sim_kernel::SimStore store(world, world.trace(), seed);
    GroupWorld group(world, store);
    verdict = group.Run();
    if (report != nullptr) {
      *report += group.report();
    }
  });
  if (!verdict.ok) {
    verdict.message = "seed " + std::to_string(seed) + ": " + verdict.message;
  }
  return verdict;
}

}  // namespace luna::test
