// ReplicaServer: carries out what a ReplicaState decides, on a stream of a Journal that several
// processes share. While it follows, it only looks at the stream; when it wins a fence, it hands
// the opened stream to its host, which opens the group with it.
// Threads: "replica" ticks and does everything that appends, fences or opens; "replica-look" reads
// the stream. The host's callbacks come from the former, one at a time.
// Thread rule: safe; Start and Stop once each.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "cluster/replica/replica_state.h"
#include "cluster/replica/server_name.h"
#include "engine/group/group.h"
#include "kernel/journal/journal.h"
#include "luna/status.h"
#include "runtime/runtime.h"

namespace luna::replica {

// What a replica is part of.
class Host {
 public:
  virtual ~Host() = default;
  // Opens the group (Group::Open with both arguments, Recover) and begins to serve. May take long.
  virtual Status BecomeLeader(group::Leadership leadership, group::AppendObserver& observer) = 0;
  // Lets go of everything that BecomeLeader opened, also when that failed: the stream is closed
  // when this returns. What is still asked of the group fails.
  virtual void StopLeading(Epoch epoch) = 0;
  // Records of `epoch` that go before its LeaderStart where that comes with the fence, for the
  // group that BecomeLeader opens: limits for its clocks (TsLimit). Must not wait.
  virtual std::vector<std::string> LimitsOf(Epoch /*epoch*/) { return {}; }
  // The group's methods of these names.
  virtual Status Renew(bool resting) = 0;
  virtual Status HandOver(const std::string& target) = 0;
  virtual Result<journal::StreamState> Yield(const std::string& target) = 0;
};

struct ReplicaOptions {
  Settings settings{};
  std::string server{};  // as others know this one; they are told to go there
  std::string peers{};   // where it listens to other servers; empty: nowhere
  bool tls = false;      // `server` is an address at which clients speak TLS
  // Called after each append that was acknowledged, by the thread that made it, and when the lead
  // was given away (Standing::given): must not wait. May be empty.
  std::function<void()> appended{};
  std::string stream = group::kStreamName;
  // Of the stream.
  uint64_t segment_bytes = journal::StreamOptions{}.segment_bytes;
};

class ReplicaServer final : public group::AppendObserver {
 public:
  // All outlive the server. kBadOption.
  static Result<std::unique_ptr<ReplicaServer>> Open(runtime::Runtime& runtime,
                                                     journal::Journal& journal,
                                                     const ReplicaOptions& options, Host& host);
  ReplicaServer(runtime::Runtime& runtime, journal::Journal& journal, const ReplicaOptions& options,
                Host& host);
  ~ReplicaServer() override;

  void Start();
  // Gives leadership up, for anyone to take at once; returns when the host leads no more.
  void Stop();

  // Before a strong read touches anything: waits for an append or a question where one is needed,
  // at most a lease long. kFenced: another leads, see standing(); kBackPressure: try again.
  Result<ReadTicket> BeginRead();
  // After it: an error means that the answer must not be given. Waits likewise.
  Status EndRead(const ReadTicket& ticket);
  // The same for threads that must not wait. Nothing, or false: to be asked again with BeginRead,
  // which may wait and says why not.
  std::optional<ReadTicket> BeginReadAtOnce();
  bool MayAnswerAtOnce(const ReadTicket& ticket);

  // A request came that needs a leader, here or elsewhere.
  void Request() { Give(Requested{}); }
  // A hint that the leader is gone.
  void Suspect() { Give(Suspected{}); }
  // A hint that the lead was given away: looks at the stream at once, or fences it when it is this
  // replica's. Does not wait.
  void Hint(const Hinted& hint) { Give(hint); }
  // A hint that the lead is about to be given to this replica: opens the stream ahead of the fence,
  // for some time. Does not wait.
  void Expect();
  // Begins to give leadership to the server of that name; `prepared`: as of TransferAsked. kFenced
  // when it is not this one's.
  Status Transfer(const std::string& target, bool prepared = false);

  struct Standing {
    Role role = Role::kFollowing;
    Epoch epoch = 0;
    std::string leader{};  // as far as known; empty: not
    std::string
        leader_peers{};  // where that listens to other servers; empty: not known, or nowhere
    // Whether that speaks TLS with clients; of one that has not led yet, whether the one before
    // did.
    bool leader_tls = false;
    Nanos lease_end = 0;
    std::optional<Given> given{};  // as ReplicaState's
    Epoch seen_epoch = 0;          // of the stream, as it was seen last; while it follows
  };
  Standing standing() const;

  void OnAppendSent(journal::Epoch epoch, Kind kind) override;
  void OnAppended(journal::Epoch epoch, const journal::AppendResult& result) override;
  void OnStarted(journal::Epoch epoch) override;

 private:
  using Waiters = std::vector<std::shared_ptr<runtime::Event>>;

  void Give(const Event& event);
  Nanos Now() const { return runtime_.clock().MonotonicNanos(); }
  void Queue(Actions actions) REQUIRES(mutex_);
  void Wake(Waiters waiters);
  Error NotLeading() const REQUIRES(mutex_);
  // After every change of the state.
  void Publish() REQUIRES(mutex_);
  // Until something changes or the time has come.
  bool Await(const std::shared_ptr<runtime::Event>& changed, Nanos deadline);

  void Act();
  void Watch();
  std::optional<Action> Next(std::deque<Action>& queue);
  Result<std::unique_ptr<journal::Stream>> OpenStream();
  void OpenAhead();  // or lets go of it
  uint64_t LookNanos() const;
  std::string Name() const;  // as LeaderStart says it
  Result<Sequence> Fence(journal::Stream& stream, const FenceStream& action);
  void Do(const FenceStream& action);
  void Do(const CatchUp& action);
  void Do(const AppendRenew& action);
  void Do(const AppendTransfer& action);
  void Do(const Yield& action);
  void Do(const StopServing& action);
  // Has the host append a record of that kind (kRenew, kTransfer), if the replica still is to do so
  // under that epoch; LeadFailed when none of the kind was handed to the stream. Commits may be,
  // meanwhile.
  void Append(AppendKind kind, Epoch epoch, const std::function<Status()>& append);

  void DoLook();
  void DoConfirm(const ConfirmEpoch& action);
  Result<journal::StreamState> ReadState();
  Result<SawTail> LookAtStream();
  Status ReadUpTo(const journal::StreamState& state);
  void Note(const journal::Record& record);
  void NoteLeader(const std::string& text);

  runtime::Runtime& runtime_;
  journal::Journal& journal_;
  const ReplicaOptions options_;
  Host& host_;
  const std::unique_ptr<runtime::Event> act_;
  const std::unique_ptr<runtime::Event> watch_;
  std::unique_ptr<runtime::Thread> actor_;
  std::unique_ptr<runtime::Thread> watcher_;

  mutable base::Mutex mutex_;
  ReplicaState state_ GUARDED_BY(mutex_);
  std::deque<Action> to_do_ GUARDED_BY(mutex_);
  std::deque<Action> to_look_ GUARDED_BY(mutex_);
  Waiters waiters_ GUARDED_BY(mutex_);
  std::array<uint64_t, kAppendKinds> sent_ GUARDED_BY(mutex_){};  // to the stream, by kind
  bool stopping_ GUARDED_BY(mutex_) = false;
  ServerName named_ GUARDED_BY(mutex_);  // by the newest record that names a leader

  // What most strong reads look at instead of the state. The end is 0 while the epoch changes, and
  // is looked at before the epoch after a read: then it is that epoch's.
  std::atomic<Epoch> epoch_{0};
  std::atomic<Nanos> readable_until_{0};
  std::atomic<bool> requested_{false};
  std::atomic<bool> expected_{false};

  // The actor's.
  std::unique_ptr<journal::Stream> won_;    // between the fence and the host
  std::vector<std::string> fenced_;         // what was appended with it
  std::unique_ptr<journal::Stream> ahead_;  // for the next fence
  Nanos ahead_until_ = 0;

  // The watcher's.
  std::unique_ptr<journal::StreamFollower> follower_;
  std::unique_ptr<journal::StreamReader> reader_;
  Sequence read_ = 0;  // the last record read
  Lease lease_ = Lease::kRunning;
  std::string leader_;
  bool removed_ = false;
};

}  // namespace luna::replica
