// Peers: what one server of a group says to the others, and answers. Nothing rests on it: without
// it followers find what is new by looking at the stream, and leaders are elected by fencing it.
//
// Who follows asks its leader how it stands, soon when it is a new one and then once a second, and
// says by that where it listens; the leader sends a hint (Appended) to those it heard of within the
// last five seconds, after an acknowledged append, but no second one to a follower that has not
// answered the first, or within 50 ms of it: what comes meanwhile makes one more. When its term is
// over, it tells each of them once more, waiting for neither, and says to whom it gave the lead, if
// it did; there may be no other word of it.
// Threads: "luna-peers" sends; the transport's answer, and call Member.
// Thread rule: safe; Start and Stop once each, by one thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/transport/transport.h"
#include "cluster/wire/messages.h"
#include "luna/status.h"
#include "runtime/runtime.h"

namespace luna::peers {

// How the server gave its lead away.
struct Handover {
  uint64_t epoch = 0;
  uint64_t tail = 0;        // the last record of that epoch
  uint64_t end = 0;         // the stream's then, as StreamState's
  std::string target = {};  // empty: to whoever comes first
};

// The server itself, as others see it. Calls come from several threads.
// Thread rule: safe.
class Member {
 public:
  virtual ~Member() = default;
  // Does not wait. What `server` says is not looked at.
  virtual wire::StandingReply Standing() = 0;
  // The sequence by which everything was acknowledged that was before the call, and that up to
  // which it is published, if it leads then (kFenced). May wait that long.
  virtual Result<wire::ReadIndexReply> ReadIndex(uint64_t budget_nanos) = 0;
  // How its last term ended; nothing when it leads, or that ended otherwise. Does not wait.
  virtual std::optional<Handover> HandedOver() = 0;
  // The stream is said to have grown. Does not wait.
  virtual void Hint(const wire::Appended& hint) = 0;
  // Is about to be given the lead by the leader of `epoch`, whatever it answers: catches up as far
  // as it can in the time, and takes from that leader what it will lead with.
  virtual Result<wire::PrepareReply> Prepare(uint64_t epoch, uint64_t budget_nanos) = 0;
};

struct PeersOptions {
  std::string group = {};  // what is equal for the servers of one group of one universe only
  wire::Server self = {};  // as others are to call this one
  std::string build = {};  // shown to others
  uint64_t ask_nanos = 1'000'000'000;
  uint64_t keep_nanos = 5'000'000'000;  // a follower that was not heard of for so long is none
};

// A follower, as its leader knows it.
struct Follower {
  wire::Server server = {};
  uint64_t heard_nanos = 0;  // monotonic
  uint64_t applied = 0;      // there, then
};

class Peers final : public transport::Service {
 public:
  // All outlive it.
  Peers(runtime::Runtime& runtime, transport::Transport& transport, Member& member,
        PeersOptions options);
  ~Peers() override;  // stops

  // Listens, and begins to talk. Errors of Transport::Listen.
  Status Start(std::string_view address);
  void Stop();

  // An append of this server was acknowledged. Cheap; does not wait.
  void Appended();
  // Those heard of lately, by name.
  std::vector<Follower> followers() const;

  // Asks the leader for a strong read here: what must be applied first, and what may be told.
  // `done` hears, as of Transport::Send. kUnreachable when none is known, or none that listens to
  // others; kFenced.
  void ReadIndex(uint64_t budget_nanos, std::function<void(Result<wire::ReadIndexReply>)> done);
  // Tells the follower of that name that it will be given the lead, which must come then; `done`
  // hears, as of Transport::Send, what it says. kUnreachable when it was not heard of lately.
  void Prepare(const std::string& follower, uint64_t budget_nanos,
               std::function<void(Result<wire::PrepareReply>)> done);
  // How a server stands that listens to others there.
  Result<wire::StandingReply> Ask(const std::string& peers_address, uint64_t budget_nanos);

  Result<wire::Reply> Handle(const wire::Request& request, uint64_t budget_nanos) override;

 private:
  // Shared with the callbacks of calls, which may come after the end.
  struct State;

  Result<wire::Reply> Answer(const wire::ReadIndex& request, uint64_t budget_nanos);
  Result<wire::Reply> Answer(const wire::Appended& request, uint64_t budget_nanos);
  Result<wire::Reply> Answer(const wire::AskStanding& request, uint64_t budget_nanos);
  Result<wire::Reply> Answer(const wire::Prepare& request, uint64_t budget_nanos);
  Status CheckGroup(const std::string& group) const;
  void Run();
  void AskLeader(const wire::StandingReply& standing);
  // How long nothing more is to be sent, unless something happens.
  uint64_t SendHints(const wire::StandingReply& standing);
  uint64_t Now() const { return runtime_.clock().MonotonicNanos(); }

  runtime::Runtime& runtime_;
  transport::Transport& transport_;
  Member& member_;
  const PeersOptions options_;
  const std::shared_ptr<State> state_;
  std::unique_ptr<transport::Port> port_;
  std::unique_ptr<runtime::Thread> thread_;
  // The thread's.
  uint64_t next_ask_nanos_ = 0;
  std::string asked_;
};

}  // namespace luna::peers
