// replica_state: when a replica of a tablet group leads: election by fencing the group's own
// stream, and the lease that allows it to answer strong reads from memory. Pure: events in, actions
// out; no I/O, no clock, no waiting.
//
// Writes are safe by the stream's epoch alone. Time protects strong reads only, and only rates of
// clocks count: the leader's lease ends at (when it sent its last acknowledged append) +
// L·(1 − drift) by its own clock; a candidate fences when it has seen nothing new for L·(1 + drift)
// since it *first* saw the last record (hence after that was sent), and with that record as the
// expected tail: if the leader did append meanwhile, the fence is void. A freshly started replica
// has seen nothing, so it waits as long. With `confirm` nothing rests on time: a strong read is
// answered only after the stream's epoch was read, by a question begun after the request; a
// candidate may then fence at any tail as soon as it suspects something.
// Who was given the lead writes LeaderStart with the fence: one request to the stream less. It
// serves when everything before is applied, as ever, and its lease counts from when that was sent.
// The lead is given by a Transfer record; or by word alone (Hinted), to one that was prepared: the
// leader has ended its lease and appends no more, and the stream's epoch does the rest. If that one
// does not come, nobody else knows; so the leader of before takes it back.
// An append of unknown outcome is resolved by fencing oneself with the next epoch and reading the
// tail. A leader without requests says so in its last Renew and rests: silence after that is no
// reason to fence, a request that finds no leader is.
// Thread rule: guarded by the caller. `now` is the monotonic clock of this machine and is never
// smaller than the time before.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "kernel/journal/journal.h"
#include "luna/status.h"

namespace luna::replica {

using journal::Epoch;
using journal::Sequence;
using Nanos = uint64_t;

// Rules that a test breaks one at a time, to see that its checks notice. All false outside tests.
struct Mutants {
  bool skip_fence = false;       // append under the epoch found
  bool any_tail = false;         // fence without an expected tail
  bool short_wait = false;       // fence before the lease must be over
  bool lease_from_ack = false;   // count the lease from the acknowledgement
  bool no_second_check = false;  // answer without looking at the lease again
  bool serve_early = false;      // serve before everything up to the fence is applied
  bool unknown_is_failed = false;
  bool unknown_is_ok = false;
  bool old_question = false;         // confirm by a question begun before the request
  bool read_after_transfer = false;  // answer reads while the lease is given away
};

struct Settings {
  uint64_t lease_nanos = 2'000'000'000;  // L: 50 ms to 1 min
  uint64_t drift_per_million = 10'000;   // how far clock rates may be off: 0 to 20 %
  uint64_t jitter_nanos = 200'000'000;   // candidates wait so much longer, at most; up to L
  uint64_t idle_nanos = 10'000'000'000;  // a leader rests after this without requests; from L on
  bool confirm = false;
  Mutants mutants{};

  Status Validate() const;      // kBadOption naming the setting
  uint64_t LeaseNanos() const;  // L·(1 − drift), rounded down
  uint64_t WaitNanos() const;   // L·(1 + drift), rounded up
  uint64_t RenewNanos() const { return lease_nanos / 4; }
  // A leader says its name so often, for those who did not see its start.
  uint64_t NameNanos() const { return lease_nanos; }
  uint64_t LookNanos() const { return lease_nanos / 16; }
};

// What the last record of the stream says about its writer's lease.
enum class Lease : uint8_t {
  kRunning,
  kResting,    // running, and silence will follow
  kGivenUp,    // over, for anyone to take
  kGivenToMe,  // over, for this replica
  kYielded,    // over: it was this replica's, which gave it away by word
};
enum class AppendKind : uint8_t { kCommit, kRenew, kLeaderStart, kTransfer };
inline constexpr size_t kAppendKinds = 4;

// --- Events ---
struct Tick {};   // time goes by; at least every LookNanos()
struct SawTail {  // the answer to Look
  Epoch epoch = 0;
  Sequence tail = 0;
  Lease lease = Lease::kRunning;
  std::string leader{};  // of the newest LeaderStart known; empty: not known
  bool removed = false;  // by the newest Config known: this replica may not lead
};
struct LookFailed {};
struct FenceOk {
  Sequence tail = 0;
  // When the fence was sent, if it came with LeaderStart, which is that tail.
  std::optional<Nanos> started{};
};
struct FenceRefused {};  // the epoch or the tail was another: not fenced
struct FenceUnknown {};  // no answer, or an error
struct CaughtUp {};      // everything up to CatchUp's tail is applied
struct LeadFailed {};    // the host could not catch up or go on
// An append of this leader, of whatever kind: told when it is handed to the stream, and by exactly
// one of the four that follow. One at a time.
struct AppendSent {
  AppendKind kind = AppendKind::kCommit;
};
struct AppendAcked {
  Sequence tail = 0;  // the stream's by then
};
struct AppendFailed {};   // definitely not in the stream
struct AppendFenced {};   // refused: another epoch or tail
struct AppendUnknown {};  // may be in the stream
struct Requested {};      // somebody needs a leader
struct Suspected {};      // a hint that the leader is gone
// A hint that the lead was given away, to whoever comes first: look now. By a leader that says
// at which record it was given to this replica: a look would find no more, and the fence is void
// where anything else came after. Given to another one, it says who leads.
struct Hinted {
  Epoch epoch = 0;       // of the leader that gave it
  Sequence tail = 0;     // its last record
  uint64_t end = 0;      // the stream's then, as StreamState's
  std::string leader{};  // who was given the lead; empty: whoever comes first
  bool mine = false;     // this replica was
};
struct TransferAsked {
  std::string target{};   // empty: whoever comes first
  bool prepared = false;  // it knows of it, and can be told: no record is needed
};
struct Yielded {
  Sequence tail = 0;  // the last record under the epoch
  uint64_t end = 0;   // the stream's, as StreamState's
  std::string target{};
};
struct EpochRead {  // the answer to ConfirmEpoch
  uint64_t question = 0;
  Epoch epoch = 0;
};
struct EpochReadFailed {
  uint64_t question = 0;
};
using Event =
    std::variant<Tick, SawTail, LookFailed, FenceOk, FenceRefused, FenceUnknown, CaughtUp,
                 LeadFailed, AppendSent, AppendAcked, AppendFailed, AppendFenced, AppendUnknown,
                 Requested, Suspected, Hinted, TransferAsked, Yielded, EpochRead, EpochReadFailed>;

// --- Actions, to be carried out in order ---
struct Look {};  // read epoch, tail and last record of the stream
struct FenceStream {
  Epoch expected_epoch = 0;
  std::optional<Sequence> expected_tail{};
  Epoch new_epoch = 0;
  bool start = false;  // with LeaderStart, in one step
  uint64_t end = 0;    // the stream's, if that was told; as StreamState's
};
struct CatchUp {  // read and apply the stream up to its tail
  Epoch epoch = 0;
  Sequence tail = 0;
};
struct AppendLeaderStart {
  Epoch epoch = 0;
};
struct AppendRenew {
  Epoch epoch = 0;
  bool resting = false;
};
struct AppendTransfer {  // after it nothing is appended under this epoch
  Epoch epoch = 0;
  std::string target{};
};
// Append nothing more under this epoch; after Yielded, tell the target. Until then this replica has
// its lease.
struct Yield {
  Epoch epoch = 0;
  std::string target{};
};
struct Serve {
  Epoch epoch = 0;
};
struct StopServing {  // of this epoch: let go of everything that CatchUp opened
  Epoch epoch = 0;
};
struct ConfirmEpoch {  // read the stream's epoch, beginning now
  uint64_t question = 0;
};
using Action = std::variant<Look, FenceStream, CatchUp, AppendLeaderStart, AppendRenew,
                            AppendTransfer, Yield, Serve, StopServing, ConfirmEpoch>;
using Actions = std::vector<Action>;

enum class Role : uint8_t {
  kFollowing,  // watching the stream; a candidate once it has been silent for long enough
  kFencing,
  kCatchingUp,
  kStarting,  // LeaderStart is under way
  kLeading,
  kHandingOver,  // Transfer is under way
};

// How this replica gave its lead away.
struct Given {
  Epoch epoch = 0;
  Sequence tail = 0;     // its last record
  uint64_t end = 0;      // the stream's then, as StreamState's; 0: not known
  std::string target{};  // empty: to whoever comes first
  bool by_word = false;  // the stream does not say so
};

// A strong read between BeginRead and EndRead.
struct ReadTicket {
  Epoch epoch = 0;
  uint64_t question = 0;  // with `confirm`: the first one that counts
};
enum class Verdict : uint8_t {
  kYes,
  kWait,  // ask again after the next event: an append or a question is under way
  kNo,    // not the leader (any more)
};

class ReplicaState {
 public:
  // `settings` are valid. The seed decides the jitter.
  ReplicaState(const Settings& settings, uint64_t seed);

  Actions Handle(Nanos now, const Event& event);

  // Before a strong read touches anything; kYes fills the ticket. What it asks for is added to
  // `actions`. Counts as a request.
  Verdict BeginRead(Nanos now, ReadTicket& ticket, Actions& actions);
  // After it, before it is answered. kNo: the answer must not be given.
  Verdict EndRead(Nanos now, const ReadTicket& ticket) const;
  // Whether the lease allows strong reads now; always false with `confirm`.
  bool MayRead(Nanos now) const { return now < readable_until(); }
  // Up to when it does as things stand; 0: not at all.
  Nanos readable_until() const;

  Role role() const { return role_; }
  Epoch epoch() const { return epoch_; }                 // led under, or fenced for; 0: none yet
  const std::string& leader() const { return leader_; }  // as far as known
  Epoch seen_epoch() const { return seen_.has_value() ? seen_->epoch : 0; }  // while it follows
  // Between two looks, and the ticks that begin them.
  uint64_t look_nanos() const;
  Nanos lease_end() const { return lease_end_; }  // 0: none
  // How its last term ended; nothing when it ended otherwise, or none did.
  const std::optional<Given>& given() const { return given_; }

 private:
  struct Seen {
    Epoch epoch = 0;
    Sequence tail = 0;
    Lease lease = Lease::kRunning;
    uint64_t end = 0;  // told with it
    Nanos at = 0;      // when it was first seen
  };

  void On(const Tick& event);
  void On(const SawTail& event);
  void On(const LookFailed& event);
  void On(const FenceOk& event);
  void On(const FenceRefused& event);
  void On(const FenceUnknown& event);
  void On(const CaughtUp& event);
  void On(const LeadFailed& event);
  void On(const AppendSent& event);
  void On(const AppendAcked& event);
  void On(const AppendFailed& event);
  void On(const AppendFenced& event);
  void On(const AppendUnknown& event);
  void On(const Requested& event);
  void On(const Suspected& event);
  void On(const Hinted& event);
  void On(const TransferAsked& event);
  void On(const Yielded& event);
  void On(const EpochRead& event);
  void On(const EpochReadFailed& event);

  void See(const Seen& seen);  // now, for the first time
  void Name(const std::string& leader, Epoch epoch, Sequence tail);
  void TickFollowing();
  void LookNow();
  void TickLeading();
  bool MayFence() const;
  void Fence(Epoch expected_epoch, std::optional<Sequence> expected_tail);
  void Renew(bool resting);
  void Ask();
  void BeginLeading();
  void GiveAway(Given given);
  void Follow();
  // Ends what this replica had under its epoch, and follows.
  void Resign();
  uint64_t DrawJitter();

  const Settings settings_;
  uint64_t random_;
  Nanos now_ = 0;
  Actions actions_;
  Role role_ = Role::kFollowing;
  Epoch epoch_ = 0;
  std::string leader_;
  // By a record that looks may not have come to: what they find before it is older.
  Epoch named_epoch_ = 0;
  Sequence named_tail_ = 0;

  // Following.
  std::optional<Seen> seen_;
  bool looking_ = false;
  bool hinted_ = false;  // while it looked
  Nanos next_look_ = 0;
  uint64_t jitter_ = 0;
  uint64_t penalty_ = 0;  // waits longer after a failure of its own
  bool removed_ = false;
  bool wanted_ = false;
  bool suspected_ = false;

  // Leading.
  std::optional<AppendKind> in_flight_;
  Nanos sent_ = 0;  // the append in flight, or the last one
  Nanos lease_end_ = 0;
  Nanos last_request_ = 0;
  bool renewing_ = false;  // asked for, not yet sent
  bool started_ = false;   // LeaderStart came with the fence
  std::string target_;     // while handing over
  std::optional<Given> given_;
  Nanos named_ = 0;  // when the stream was told last who leads, or that was tried
  bool resting_ = false;

  // Confirming.
  bool asking_ = false;
  uint64_t asked_ = 0;      // the newest question begun
  uint64_t needed_ = 0;     // the newest question somebody waits for
  uint64_t confirmed_ = 0;  // the newest question answered with our epoch
};

}  // namespace luna::replica
