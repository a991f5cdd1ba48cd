// LeaseModel: election by fence and strong reads, of three servers over one stream.
//
// Server A leads with epoch 1; B and C are candidates. A deposed leader stays out, but for what it
// has sent. A server has one append and one fence on their way; both may arrive late,
// twice or never, and their replies may be lost: then the sender knows nothing. Standing still (a
// pause) is a server taking no step while others, and time, go on.
//
// Time, in lease mode only: a tick is real; in it a server's clock moves by its own rate, `slow` or
// `fast`, chosen once: A slow, C fast, B either, so that every pair of a slow leader and a fast
// candidate occurs (a fast leader's lease and a slow candidate's wait are only safer). L is 3 ticks
// of 3 units, ρ is 1/3: a lease counts 3·3·(1−ρ) = 6 units from the sending, a candidate waits
// 3·3·(1+ρ) = 12. Rates 2..4 are within the bound. In confirm mode the state has no clock at all,
// and candidates fence when they like: any pause, any drift.
//
// With `gives` A may once give its lead away by word: it appends no more and has no lease. B may
// then fence at its last record without waiting, at any later time; by confirm so may A, which
// follows.
// Thread rule: plain values; a model is immutable.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "protocols/explorer.h"

namespace luna::protocols {

enum class LeaseMutant : uint8_t {
  kNone,
  kFenceAnyTail,        // a fence carries no expected_tail
  kShortWait,           // a candidate waits one tick too short
  kLeaseFromAck,        // the lease counts from the ack, not from the sending
  kNoSecondCheck,       // a read is answered without a look at the lease afterwards
  kNoFirstCheck,        // no look at the lease before (harmless, see docs/protocols.md)
  kSkipFence,           // a candidate writes LeaderStart under the epoch it found
  kUnknownIsFailed,     // an append without a reply is answered "not committed"
  kUnknownIsOk,         // … is answered "committed"
  kFenceAcceptsEqual,   // the fence compares new epoch >= epoch, not expected = epoch
  kAppendIgnoresEpoch,  // the append compares the position only
  kAppendIgnoresTail,   // the append compares the epoch only
  kServesBeforeTail,    // a new leader serves what it had applied before it was elected
  kConfirmAskedBefore,  // an epoch reply confirms reads that came after it was asked for
  kGivesAndReads,       // who gave its lead away goes on to answer reads by its lease
  kGivesAndAppends,     // … or to append (harmless: the stream's guards)
  kWordAnyTail,         // who was given the lead fences at any tail (harmless: nothing comes after)
};

struct LeaseSetting {
  bool confirm = false;
  LeaseMutant mutant = LeaseMutant::kNone;
  uint8_t slow = 2;  // clock units a tick; 3 is exact
  uint8_t fast = 4;
  bool check_after_arrival = false;  // the first check belongs to one read, not to a round of them
  uint8_t writes = 1;
  uint8_t epochs = 3;  // none larger
  bool gives = false;
};

inline constexpr int kLeaseServers = 3;
inline constexpr int kLeaseRecords = 6;

enum class LeaseRole : uint8_t { kFollower, kFencing, kStarting, kLeader, kUnsure, kOut };
// What the sender and the network know of an operation. Left: the sender looks away, it may still
// arrive. A reply of yes or no is on its way.
enum class Flight : uint8_t { kNone, kSent, kYes, kNo, kLeft };

struct LeaseServer {
  LeaseRole role = LeaseRole::kFollower;
  uint8_t epoch = 0;    // it leads, or tries to
  uint8_t start = 0;    // its memory holds the records [start, applied)
  uint8_t applied = 0;  //
  uint8_t seen = 0;     // as a candidate, by lease: tail and epoch it saw
  uint8_t seen_epoch = 0;
  uint8_t wait = 0;           // units since it saw them first
  uint8_t lease = 0;          // units left
  uint8_t pending_lease = 0;  // units left if the append on its way were acked now
  uint8_t rate = 0;
  uint8_t record = 0;  // the last append: a write, or kLeaderStart
  uint8_t append_epoch = 0;
  uint8_t append_at = 0;
  Flight append = Flight::kNone;
  uint8_t fence_from = 0;  // the last fence: from this epoch to the next
  uint8_t fence_tail = 0;  // or kAnyTail
  Flight fence = Flight::kNone;
};

struct LeaseState {
  std::array<LeaseServer, kLeaseServers> servers;
  uint8_t epoch = 1;  // of the stream
  uint8_t tail = 0;
  std::array<uint8_t, kLeaseRecords> records{};
  uint8_t writes_sent = 0;
  uint8_t acked = 0;  // writes, as bits
  uint8_t failed = 0;
  uint8_t reader = 0;  // the server that handles the one read
  uint8_t read = 0;    // its phase, see lease_reads.cc
  uint8_t need = 0;    // writes acked before it began
  uint8_t got = 0;
  uint8_t confirm = 0;  // 0, 1 asked, 2 answered
  uint8_t confirmed_epoch = 0;
  uint8_t asked_after = 0;  // the confirmation was asked for after the read had begun
  uint8_t broken = 0;       // what a step broke; see Violation
  uint8_t word_epoch = 0;   // of the leader that gave its lead away; 0: none did
  uint8_t word_tail = 0;    // the end of its records
};

class LeaseModel {
 public:
  using State = LeaseState;

  explicit LeaseModel(const LeaseSetting& setting) : setting_(setting) {}
  State Initial() const;
  std::string_view Violation(const State& state) const;
  void Next(const State& state, Steps<State>& steps) const;

 private:
  bool Is(LeaseMutant mutant) const { return setting_.mutant == mutant; }
  void ChooseRates(const State& state, Steps<State>& steps) const;
  void Tick(const State& state, Steps<State>& steps) const;
  // The stream's side.
  void DeliverAppend(const State& state, int server, Steps<State>& steps) const;
  void DeliverFence(const State& state, int server, Steps<State>& steps) const;
  // A server's side.
  void Follow(const State& state, int server, Steps<State>& steps) const;
  void TryToLead(const State& state, int server, Steps<State>& steps) const;
  void TakeGiven(const State& state, int server, Steps<State>& steps) const;
  void Lead(const State& state, int server, Steps<State>& steps) const;
  void Give(const State& state, int server, Steps<State>& steps) const;
  void HearAppend(const State& state, int server, Steps<State>& steps) const;
  void LoseAppendReply(const State& state, int server, Steps<State>& steps) const;
  void Resolve(const State& state, int server, Steps<State>& steps) const;
  // Reads.
  void ReadByLease(const State& state, int server, Steps<State>& steps) const;
  void BeginReadByLease(const State& state, int server, Steps<State>& steps) const;
  void ReadByConfirm(const State& state, int server, Steps<State>& steps) const;
  void AnswerByConfirm(const State& state, int server, Steps<State>& steps) const;

  static State Started(const State& state, int server, int epoch, int applied);
  static uint8_t Memory(const State& state, int server);
  static void Answer(State& state);
  static void ForgetRead(State& state);
  static void StepDown(LeaseServer& server);
  void Tidy(State& state) const;

  LeaseSetting setting_;
};

// Visits every state of the model.
Report Check(const LeaseSetting& setting);

}  // namespace luna::protocols
