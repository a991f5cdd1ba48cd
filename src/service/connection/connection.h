// Connection: one client: its socket, parser, session and output, and the operation it waits for.
// It turns bytes into commands that run at once, or into an operation for a queue, and replies into
// bytes. It decides; its handler watches the socket, pushes operations and ends connections.
//
// Advance takes requests until an operation stands ready, nothing more was received, or
// output waits beyond the soft limit. Then Flush. Replies keep the order of the requests: while an
// operation is on its way nothing is parsed, and what was answered after its last request was taken
// (a refusal) waits in `after_`.
// Thread rule: owned by one thread, its handler's; the session and the operation belong to a worker
// while waiting().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/network.h"
#include "service/command/command_table.h"
#include "service/command/elsewhere.h"
#include "service/connection/client_card.h"
#include "service/connection/foresight.h"
#include "service/connection/output.h"
#include "service/connection/surroundings.h"
#include "service/operation/operation.h"
#include "service/resp/request_parser.h"

namespace luna::connection {

// What a connection needs after it advanced.
enum class Need : uint8_t {
  kWait,   // for the client
  kLater,  // until answer_nanos()
  kAgain,  // there is more to do at once; others go first
  kPause,  // until CLIENT PAUSE ends or changes
  kRead,   // operation() to the read queue
  kWrite,  // operation() to the write queue
};

class Connection {
 public:
  Connection(Surroundings& surroundings, std::unique_ptr<runtime::Socket> socket,
             uint64_t now_nanos);
  ~Connection();

  // Goes to the default database and collection; a failure is answered and ends the connection.
  void Begin();
  // After that, if others had the client before: says its introduction, which the client does not
  // hear unless it fails, and takes its bytes as received. The socket was given already.
  void Arrive(command::Departing client);

  // The socket reported this.
  void Noticed(const runtime::Ready& ready);
  // Before Advance, while others are ready too: receives if nothing stands before what comes, and
  // tells which key is read then, if that can be seen so easily, and of which collection.
  struct Foretold {
    Collection* collection = nullptr;  // null: nothing is known
    std::string_view key;              // valid until Advance
  };
  Foretold Foretell(Tally& tally);
  // What the collection with that id told of that key. Advance follows before anything else.
  void Found(uint64_t collection, std::string_view key, Peeked answer) {
    foresight_.Found(collection, key, std::move(answer));
  }
  // Parses and runs. Not while waiting().
  Need Advance(uint64_t now_nanos, Tally& tally);
  // The operation was pushed: the connection waits for Returned, or answers that the queue is full.
  void Waits() { waiting_ = true; }
  void Refused(std::string_view error, Tally& tally);
  void Returned(Tally& tally);
  // Sends what waits; true if that made room to Advance.
  bool Flush(uint64_t now_nanos, Tally& tally);

  // Once a second: closes what is idle or stuck for too long, gives back room.
  void Sweep(uint64_t now_nanos);
  // For the leader, or handed on: once nothing waits to be sent, the socket and what is to be said
  // there.
  bool leaves() const { return departing_.has_value(); }
  command::Departing Depart();

  // Reads no more; what was received is answered.
  void Stop() { stopping_ = true; }
  // The same, but it leaves as soon as it is between two requests, if its session can be introduced
  // elsewhere: what was received and not begun goes along unanswered.
  void HandOn() { stopping_ = handed_on_ = true; }
  // Ends without another byte.
  void Lose() { lost_ = true; }

  // Takes what MONITOR is told into the output.
  void TakeMonitored();

  bool waiting() const { return waiting_; }
  bool monitoring() const { return monitoring_; }
  // Before then it says nothing; 0: at once.
  uint64_t answer_nanos() const { return session_.answer_nanos; }
  bool lost() const { return lost_; }
  // Everything is said, or there is nobody to say it to.
  bool finished() const;
  bool has_output() const { return output_.pending() > 0; }

  runtime::Socket* socket() { return socket_.get(); }
  void CloseSocket() { socket_ = nullptr; }
  operation::Operation& operation() { return operation_; }
  // Makes the handler look: called by any thread, when there is something for TakeMonitored.
  void set_wake(std::function<void()> wake) { wake_ = std::move(wake); }
  ClientCard& card() { return *card_; }
  const std::shared_ptr<ClientCard>& shared_card() const { return card_; }

  bool listed = false;     // the handler's: will be flushed in this turn
  bool delayed = false;    // the handler's: is to advance at answer_nanos()
  bool queued = false;     // the handler's: is to advance in the next turn
  bool monitored = false;  // the handler's: is to take what MONITOR is told
  bool paused = false;     // the handler's: is to advance when the pause ends or changes

 private:
  enum class Queue : uint8_t { kNone, kReads, kWrites };

  bool Next(Tally& tally);       // a decided command into command_; false: none now
  bool Receive(Tally& tally);    // false: nothing came
  bool Judge(Tally& tally);      // false: answered or postponed, or the connection leaves
  void Pack(bool with_request);  // what it leaves with; that in arguments_, and the rest
  bool LeavesNow();              // it was handed on, and can go
  bool Take(Tally& tally);       // runs or adds command_; false: it has to wait for the operation
  command::Place PlaceOfCommand() const;
  bool ReadsHere() const;
  Need AdvanceOn(uint64_t now_nanos, Tally& tally);
  bool RunHere(Tally& tally);
  // What is known of the key that command_ reads; null: nothing.
  command::Foreseen* Foresee();
  bool Joins(Queue queue, bool alone) const;
  void TellMonitors(const command::Command& command, std::span<const std::string_view> arguments);
  void BeginOrEndMonitor();
  void TakeReplies(Tally& tally);  // of the operation, which is empty then
  // Tells the surroundings what it holds; cut off if that is too much. Not while waiting.
  void Account();
  uint64_t room() const;
  void ProtocolError(const Error& error);
  // Ends without another byte, and says why.
  void CutOff(std::string_view reason);
  bool is_full() const;           // of output
  bool rests() const;             // after an answer no further request is looked at
  bool Held(uint64_t now_nanos);  // an answer waits
  resp::Limits limits() const;
  // Where an answer given now belongs.
  std::string& answers() { return operation_.empty() ? output_.tail() : after_; }

  Surroundings& surroundings_;
  std::unique_ptr<runtime::Socket> socket_;
  command::Session session_;
  resp::RequestParser parser_;
  std::vector<std::string_view> arguments_;
  const command::Command* command_ = nullptr;  // decided, not run
  operation::Operation operation_;
  Queue queue_ = Queue::kNone;  // of operation_
  std::string after_;           // answers that follow the operation's replies
  Output output_;
  std::shared_ptr<ClientCard> card_;
  std::function<void()> wake_;
  uint64_t held_bytes_ = 0;  // that the surroundings know of
  uint64_t progress_nanos_;  // when the client last took bytes, or had taken all
  Foresight foresight_;
  uint64_t ended_nanos_ = 0;  // of the last command run here; 0: something lay between
  int receives_left_ = 0;     // in this turn
  bool readable_ = false;     // bytes may wait in the socket
  bool ending_ = false;       // the client's end was reported
  bool ended_ = false;        // the client's end was read
  bool drained_ = true;       // no whole request is left of what was received
  bool waiting_ = false;
  bool stopping_ = false;
  bool handed_on_ = false;
  bool lost_ = false;
  bool alone_ = false;                           // nothing may join operation_
  bool monitoring_ = false;                      // MONITOR tells this connection
  bool postponed_ = false;                       // CLIENT PAUSE holds up the request in arguments_
  std::optional<command::Departing> departing_;  // without the socket
};

}  // namespace luna::connection
