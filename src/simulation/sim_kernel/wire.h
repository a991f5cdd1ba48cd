// Wire: messages between simulated servers and the store. A request travels, is applied at the
// store, and its reply travels back; each way may be slow, cut or lost. A request on its way stays
// so when its sender gives up or dies, and is applied when it arrives.
// There is no fiber behind it: what arrived is applied when somebody looks (Advance), in the order
// of arrival. Nobody can tell, as every look at the store begins with that.
// Thread rule: owned by one thread, that of the simulation.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/runtime.h"
#include "simulation/seeded_random.h"
#include "simulation/sim_kernel/sim_faults.h"
#include "simulation/trace.h"

namespace luna::sim_kernel {

using ServerId = uint64_t;  // one life of one server

// Both ways between one server and the store.
enum class Cut : uint8_t {
  kNone,
  kDrop,  // what arrives meanwhile is lost
  kHold,  // what arrives meanwhile arrives once the cut ends, unless the server dies first
};

struct Arrival {
  bool late = false;  // whoever asked gave up or died
};

struct Request {
  std::string object;  // what is stalled together
  bool reads = false;
  std::function<void(const Arrival&)> act;  // at the store; does not wait
};

enum class Fate : uint8_t {
  kAnswered,
  kUnknown,  // applied or not, or applied later
  kNotSent,  // the server is dead
};

class Wire {
 public:
  Wire(runtime::Clock& clock, simulation::Trace& trace, uint64_t seed)
      : clock_(clock), trace_(trace), random_(seed) {}

  // --- Servers, and what happens to them ---
  ServerId Join(const SimFaults& faults);
  void SetFaults(ServerId server, const SimFaults& faults);
  const SimFaults& faults(ServerId server) const { return servers_[server].faults; }
  void SetCut(ServerId server, Cut cut);
  // Whoever waits there is told at once that there is no answer; nothing more is sent. What is on
  // its way stays on its way.
  void Kill(ServerId server);
  bool alive(ServerId server) const { return servers_[server].alive; }

  // --- Messages ---
  // Waits by `runtime`, the server's own, for the answer or until the time is up.
  Fate Exchange(ServerId server, runtime::Runtime& runtime, Request request);
  // Nobody waits for the answer.
  void Post(ServerId server, Request request);
  // From the store to a server: `deliver` runs when, and if, it arrives. Called by an `act`.
  void Hint(ServerId server, std::function<void()> deliver);
  // Waits until `done`, which is looked at whenever something arrived, or for `nanos`.
  bool Await(ServerId server, runtime::Runtime& runtime, uint64_t nanos,
             const std::function<bool()>& done);
  // Applies what has arrived by now.
  void Advance();

  uint64_t travelling() const { return travelling_.size() + held_.size(); }

 private:
  struct Waiter {
    ServerId server;
    bool wants_all;  // is woken by everything sent, not only by what concerns its letter
    std::unique_ptr<runtime::Event> event;
  };
  struct Server {
    SimFaults faults;
    Cut cut = Cut::kNone;
    bool alive = true;
  };
  struct Letter {
    uint64_t number = 0;
    ServerId server = 0;
    Request request;
    enum class Way : uint8_t { kRequest, kReply, kHint } way = Way::kRequest;
    bool awaited = false;
    bool answered = false;
    bool met_stall = false;             // whether it would was decided already
    std::optional<uint64_t> due_nanos;  // none while it is held, and at its end
  };
  using LetterPtr = std::shared_ptr<Letter>;

  uint64_t Now() const { return clock_.MonotonicNanos(); }
  uint64_t Draw(const MillisRange& range);
  LetterPtr Send(ServerId server, Request request, bool awaited);
  void Insert(LetterPtr letter, uint64_t due_nanos);
  void Arrive(const LetterPtr& letter, uint64_t now_nanos);
  void Apply(const LetterPtr& letter, uint64_t now_nanos);
  // Until when the object stands still; nothing when it does not.
  std::optional<uint64_t> Stalled(Letter& letter, uint64_t now_nanos);
  // Sleeps until then or until poked, and applies what arrived.
  void Doze(Waiter& waiter, uint64_t until_nanos);
  void Poke(const std::function<bool(const Waiter&)>& whom);

  runtime::Clock& clock_;
  simulation::Trace& trace_;
  simulation::SeededRandom random_;
  std::deque<Server> servers_;
  std::map<std::pair<uint64_t, uint64_t>, LetterPtr> travelling_;  // by arrival, then sequence
  std::vector<LetterPtr> held_;
  std::map<std::string, uint64_t> stalled_until_;
  std::vector<Waiter*> dozing_;
  uint64_t letters_ = 0;
  uint64_t sequence_ = 0;
  bool advancing_ = false;
};

}  // namespace luna::sim_kernel
