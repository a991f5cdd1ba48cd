// SimNet: the network between simulated servers. Requests and replies are bytes; they take time,
// get lost, come twice and stop at cuts, by the seed. A host is what stands before the colon of its
// addresses; each Join is a life of it.
// Every request is a fiber of its own, from its sending to the arrival of the reply.
// Thread rule: owned by one thread, that of the simulation.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "luna/status.h"
#include "runtime/runtime.h"
#include "simulation/seeded_random.h"
#include "simulation/trace.h"

namespace luna::sim_transport {

// All zero: nothing takes time, nothing is lost.
struct NetFaults {
  uint64_t delay_least_nanos = 0;  // of a message, each way: any time between the two
  uint64_t delay_most_nanos = 0;
  uint32_t lost_request_per_mille = 0;
  uint32_t lost_reply_per_mille = 0;  // the request was handled
  uint32_t twice_per_mille = 0;       // the request arrives two times, each after its own time
};

using LifeId = uint64_t;

class SimNet {
 public:
  using Handler = std::function<std::string(const std::string& bytes)>;  // may wait
  // The reply's bytes; nothing: nobody listens there.
  using Arrived = std::function<void(std::optional<std::string> reply)>;

  // `world` gives time and fibers. Both outlive the net.
  SimNet(runtime::Runtime& world, simulation::Trace& trace, uint64_t seed)
      : world_(world), trace_(trace), random_(seed) {}
  ~SimNet();  // waits for what is on its way

  // --- Bad luck ---
  void SetFaults(const NetFaults& faults) { faults_ = faults; }
  // One way: what arrives at `to` from `from` meanwhile is lost, replies to what `to` asked as
  // well.
  void SetCut(const std::string& from, const std::string& to, bool cut);
  // The host's newest life ends: nothing of it is heard any more, its addresses refuse. What is
  // handled there goes on, and nobody learns what came of it.
  void Kill(const std::string& host);

  // --- For transports ---
  LifeId Join(const std::string& host);
  bool alive(LifeId life) const { return lives_[life].alive; }
  // `end` is called by Kill.
  void AtEnd(LifeId life, std::function<void()> end);
  // The address with its port. kBadOption: of another host; kAddressInUse.
  Result<std::string> Open(LifeId life, const std::string& address, Handler handler);
  // Returns when nothing is handled there.
  void Close(LifeId life, const std::string& address);
  // `arrived` is called when, and if, an answer comes; more often than once when that comes twice.
  void Carry(LifeId from, const std::string& address, const std::string& bytes, Arrived arrived);

 private:
  struct Life {
    std::string host;
    bool alive = true;
    std::function<void()> end;
  };
  struct Place {
    LifeId life = 0;
    Handler handler;
    uint64_t handling = 0;
    std::unique_ptr<runtime::Event> idle;  // set while nothing is handled
  };
  struct Fiber {
    std::unique_ptr<runtime::Thread> thread;
    bool ended = false;
  };

  void Deliver(LifeId from, const std::string& address, const std::string& bytes,
               const Arrived& arrived);
  void Travel();
  bool IsCut(const std::string& from, const std::string& to) const {
    return cuts_.contains({from, to});
  }
  void Reap();

  runtime::Runtime& world_;
  simulation::Trace& trace_;
  simulation::SeededRandom random_;
  NetFaults faults_;
  std::deque<Life> lives_;
  std::set<std::pair<std::string, std::string>> cuts_;
  std::map<std::string, std::shared_ptr<Place>> places_;                // by address
  std::vector<std::pair<std::string, std::shared_ptr<Place>>> killed_;  // and not yet closed
  std::vector<std::unique_ptr<Fiber>> fibers_;
  uint16_t next_port_ = 1;
};

}  // namespace luna::sim_transport
