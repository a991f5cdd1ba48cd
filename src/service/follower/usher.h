// Usher: the thread of a FollowerPort. Each turn of its loop: asks who leads, takes new clients and
// what the Poller found, lets those guests advance, and starts dials for the ones that seek. Dials
// are bounded: many at once while they succeed, one after a pause while they fail, so that a leader
// that just came or goes is not run over by all clients of its follower.
// Thread rule: Listen comes before Run, which is the thread's body; Stop and Give are safe, Give
// until Stop; TakeLeft comes after Stop.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/mutex.h"
#include "service/follower/guest.h"
#include "service/follower/resolver.h"

namespace luna::follower {

class Usher {
 public:
  // All outlive it. `settings` has its callbacks set.
  Usher(runtime::Runtime& runtime, runtime::Network& network, const FollowerSettings& settings,
        Tallies& tallies, Resolver& resolver);
  ~Usher();

  // On every address; kAddressInUse, kBadOption, kReadOnly.
  Status Listen();
  std::vector<std::string> addresses() const;  // with the real ports
  // Until Stop; then nothing is open any more but what TakeLeft gives. With settings.hand_on some
  // are for a moment longer.
  void Run();
  void Stop();
  void EndNow();                         // after Stop: without that moment. Safe
  void Give(command::Departing client);  // that others had
  // Those of which no request was passed to anybody. Waits until nobody listens any more. Once.
  std::vector<command::Departing> TakeLeft();

 private:
  struct Slot {
    std::unique_ptr<Guest> guest;
    uint32_t generation = 0;
    bool queued = false;  // in again_
  };

  Status ListenAt(runtime::Network& network, const std::string& address);
  uint64_t WaitNanos() const;
  uint64_t SeekNanos() const;
  void AskWhoLeads();
  bool AcceptAll(runtime::Listener& listener);  // false: try again a little later
  void Admit(std::unique_ptr<runtime::Socket> client);
  void AdmitGiven();
  void Place(command::Departing client);
  void OfferAll();
  void Leave();
  void Linger();
  bool IsFull(runtime::Socket& client);  // it is told so
  uint32_t FreeSlot();
  void Begin(uint32_t index);  // its guest is there
  void TakeReady(size_t count);
  void TakeQueued();
  void TickAll();
  void Advance(uint32_t index);
  void Seek(uint32_t index);
  void StartDials();
  Result<std::unique_ptr<runtime::Socket>> DialLeader(const std::string& address);
  bool DialFor(uint32_t index, const std::string& address);
  void DialFailed();
  void End(uint32_t index);
  // From Give to the end of its guest, or of its way to one.
  void CountReturning(const command::Departing& client, int64_t change);
  void CloseAll();
  uint64_t TagOf(uint32_t index) const;
  Slot* Find(uint64_t tag);
  bool Seeks(uint64_t tag);

  runtime::Runtime& runtime_;
  runtime::Network& network_;
  const FollowerSettings& settings_;
  Tallies& tallies_;
  Resolver& resolver_;
  const std::unique_ptr<runtime::Poller> poller_;
  std::vector<std::unique_ptr<runtime::Listener>> listeners_;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> ending_ = false;
  const std::unique_ptr<runtime::Event> left_there_;  // left_ is the owner's
  base::LogThrottle throttle_;
  base::Mutex mutex_;
  std::vector<command::Departing> given_ GUARDED_BY(mutex_);

  // The thread's own.
  std::vector<char> scratch_;
  Surroundings surroundings_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_slots_;
  size_t guests_ = 0;
  std::deque<uint64_t> seeking_;  // tags, longest first; of guests that may be gone
  std::vector<uint64_t> again_;   // tags of guests that have more to do
  size_t dialing_ = 0;            // guests
  bool reached_ = true;           // the last dial succeeded, or nobody tried yet
  bool all_accepted_ = true;
  uint64_t now_nanos_ = 0;
  uint64_t asked_nanos_ = 0;  // who leads
  uint64_t next_dial_nanos_ = 0;
  uint64_t next_tick_nanos_ = 0;
  std::vector<command::Departing> left_;
  std::array<runtime::Ready, 256> ready_;
};

}  // namespace luna::follower
