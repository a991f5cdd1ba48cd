// Handler: one thread that owns many connections and the Poller over their sockets. Each turn of
// its loop: takes new connections, operations that workers have finished and what the Poller found,
// lets those connections advance, pushes all their operations at once, then writes all replies.
// Thread rule: Give, Close, Stop and Finished are safe; Run is the thread's body.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "service/connection/connection.h"
#include "service/connection/surroundings.h"

namespace luna::connection {

class Handler {
 public:
  // `number`: its place among the handlers.
  Handler(Surroundings& surroundings, size_t number);
  ~Handler();

  void Run();  // until Stop

  // A new connection, counted in surroundings.open already.
  void Give(command::Departing client);
  // Ends the connection of this tag, if it is still there.
  void Close(uint64_t tag);
  // Looks again at what CLIENT PAUSE holds up, and what MONITOR is told. Safe, too.
  void Wake() { poller_->Wake(); }
  // Whether nothing is under way that was begun before this version of the pause, which holds
  // everything up. Safe.
  bool RestsSince(uint64_t version) const { return rests_since_.load() >= version; }
  // Answers what was received, sends it and ends; what is not sent at the deadline is dropped.
  // `hands_on`: but those that can go on elsewhere do, with what was not begun.
  void Stop(uint64_t deadline_nanos, bool hands_on = false);

 private:
  struct Slot {
    std::unique_ptr<Connection> connection;
    uint32_t generation = 0;
  };

  static void Finished(operation::Operation& operation, bool more);

  size_t Wait();
  void Count();
  void TellRest(uint64_t pause_version);
  void TakeMail();
  void Admit(command::Departing client);
  void TakeFinished();
  void TakeReady(size_t count);
  void Foretell(Connection& connection);
  void PeekForetold();
  void TakeQueued();
  void TakeDelayed();
  void TakePaused();
  void TakeMonitored();
  void Advance(Connection& connection);
  // `to_help`: writes are left for Help, which must follow.
  void PushOperations(bool to_help);
  void Help();
  void PushTo(operation::OperationQueue& queue, std::vector<operation::Operation*>& operations,
              std::string_view refusal);
  void FlushAll();
  void End(Connection& connection);
  void PassOn(Connection& connection);
  void CloseSocket(Connection& connection);
  void TellDebug(std::string_view event, Connection& connection) const;
  void Sweep();
  void BeginStop();
  void List(Connection& connection);
  Connection* Find(uint64_t tag);

  Surroundings& surroundings_;
  const size_t number_;
  const std::unique_ptr<runtime::Poller> poller_;

  // From other threads.
  base::Mutex mutex_;
  std::vector<command::Departing> given_ GUARDED_BY(mutex_);
  std::vector<uint64_t> to_close_ GUARDED_BY(mutex_);
  std::atomic<bool> has_mail_ = false;
  std::atomic<bool> hands_on_ = false;                     // set before stop_nanos_
  std::atomic<uint64_t> stop_nanos_ = 0;                   // the deadline; 0: not stopping
  std::atomic<operation::Operation*> finished_ = nullptr;  // newest first, linked by `next`
  std::atomic<uint32_t> waking_ = 0;       // workers that may still touch this handler
  std::atomic<uint64_t> rests_since_ = 0;  // a version of the pause; 0: something is under way

  // The thread's own.
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_slots_;
  size_t connections_ = 0;
  std::vector<Connection*> listed_;  // to be flushed, and ended if they are finished
  std::vector<Connection*> queued_;  // to advance in the next turn
  std::vector<uint64_t> delayed_;    // tags of those that wait to answer
  std::vector<uint64_t> paused_;     // tags of those that CLIENT PAUSE holds up
  std::vector<uint64_t> monitors_;   // tags of those that MONITOR tells
  uint64_t pause_version_ = 0;       // of the pause, when they last advanced
  size_t under_way_ = 0;             // operations in the queues, or taken from them
  std::vector<Connection*> advancing_;
  std::vector<operation::Operation*> reads_;
  std::vector<operation::Operation*> writes_;
  std::array<runtime::Ready, 256> ready_;
  Collection* foretold_of_ = nullptr;
  std::vector<std::string_view> foretold_;  // keys that connections are about to read
  std::vector<Connection*> foretelling_;    // these, which have not advanced yet
  bool to_help_ = false;
  bool added_writes_ = false;  // to the write queue, waking nobody
  Tally tally_;
  uint64_t now_nanos_ = 0;
  uint64_t next_sweep_nanos_ = 0;
  bool stopping_ = false;
};

}  // namespace luna::connection
