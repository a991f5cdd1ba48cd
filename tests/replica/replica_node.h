// A replica in a simulated world: a ReplicaState, a tiny host that carries its actions out on the
// model of the stream, and clients that read and write registers through it. It can be paused,
// killed, cut off from the stream, and its clock runs at a rate of its own.
// Thread rule: owned by one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "cluster/replica/replica_state.h"
#include "replica/register_checker.h"
#include "replica/stream_model.h"

namespace luna::replica {

// Time, chance and what the replicas share.
class Scene {
 public:
  explicit Scene(uint64_t seed) : random_(seed) {}

  uint64_t now() const { return now_; }
  void At(uint64_t when, std::function<void()> what);
  void RunUntil(uint64_t end);
  uint64_t Random(uint64_t bound);  // 0 … bound − 1
  uint64_t Between(uint64_t low, uint64_t high) { return low + Random(high - low + 1); }
  bool Chance(uint64_t percent) { return Random(100) < percent; }

  StreamModel stream;
  RegisterChecker checker;
  uint64_t faults_end = 0;
  // Leases hold: a strong read is never answered after another one fenced. (That such reads are
  // linearizable is less: one that began in time may be answered with what was so then.)
  bool judge_leases = false;
  std::string violation;
  // Tells a replica what another one said; it may be lost.
  std::function<void(int, const Hinted&)> tell;
  // What happened, so that a test can see that its rules were reached.
  uint64_t elections = 0;
  uint64_t transfers = 0;
  uint64_t yields = 0;
  uint64_t starts_with_fence = 0;
  uint64_t rests = 0;
  uint64_t unknowns = 0;
  uint64_t self_fences = 0;
  uint64_t stopped_reads = 0;  // by the second look at the lease
  uint64_t confirmed_reads = 0;
  uint64_t last_failure = 0;  // when a host last failed to take over
  uint64_t last_write = 0;    // began, and acknowledged
  uint64_t last_read = 0;     // likewise

 private:
  struct Due {
    uint64_t when = 0;
    uint64_t order = 0;
    std::shared_ptr<std::function<void()>> what;
    bool operator<(const Due& other) const {
      return when != other.when ? when > other.when : order > other.order;
    }
  };
  uint64_t random_;
  uint64_t now_ = 0;
  uint64_t order_ = 0;
  std::priority_queue<Due> queue_;
};

class Node {
 public:
  Node(Scene& scene, int id, const Settings& settings, uint64_t timeout);

  void Start();
  void Kill();
  bool alive() const { return state_ != nullptr; }
  void Pause(uint64_t until) { paused_until_ = until; }
  void Cut(uint64_t until) { cut_until_ = until; }
  void SetRate(double rate);

  void Write(int key);
  void Read(int key);
  void Give(const Event& event);  // nothing while it is dead
  bool leading() const { return state_ != nullptr && state_->role() == Role::kLeading; }

 private:
  using Reply = std::function<void()>;
  struct Job {
    AppendKind kind = AppendKind::kCommit;
    Epoch epoch = 0;
    bool resting = false;
    int target = -1;
    bool yields = false;  // is no append: what is under way has ended
    std::vector<ModelWrite> writes{};
  };
  struct ReadCall {
    int key = 0;
    uint64_t began = 0;
    int tries = 0;
    uint64_t value = 0;
    ReadTicket ticket{};
  };

  Nanos Local() const;
  // Runs `what` on this node after `delay`, unless it died; later when it is paused.
  void After(uint64_t delay, std::function<void()> what);
  void Deliver(int life, const std::function<void()>& what);
  // `serve` runs where the stream is; what it returns runs here, or else `timed_out`.
  void Call(std::function<Reply()> serve, std::function<void()> timed_out);
  uint64_t Delay();
  void TickForEver();

  void Do(const Actions& actions);
  void Do(const replica::Look& action);
  void Do(const FenceStream& action);
  void Do(const CatchUp& action);
  void Do(const AppendLeaderStart& action);
  void Do(const AppendRenew& action);
  void Do(const AppendTransfer& action);
  void Do(const Yield& action);
  void Do(const Serve& action);
  void Do(const StopServing& action);
  void Do(const ConfirmEpoch& action);

  void Pump();
  void Submit(const Job& job);
  void Ended(int tenure, const Job& job, const Event& outcome);
  void Settle(const Job& job, Answer answer);
  void DropWrites();
  void BeginRead(ReadCall call);
  void EndRead(ReadCall call);

  Scene& scene_;
  const int id_;
  const Settings settings_;
  const uint64_t timeout_;
  std::unique_ptr<ReplicaState> state_;
  int life_ = 0;
  uint64_t paused_until_ = 0;
  uint64_t cut_until_ = 0;
  double rate_ = 1;
  uint64_t local_base_ = 0;
  uint64_t real_base_ = 0;

  // The host's.
  int tenure_ = 0;
  Sequence tail_ = 0;
  bool appending_ = false;
  bool serving_ = false;
  std::deque<Job> jobs_;
  std::vector<ModelWrite> writes_;
  std::map<uint64_t, uint64_t> began_;  // of writes
  std::map<int, uint64_t> values_;      // what was applied
};

}  // namespace luna::replica
