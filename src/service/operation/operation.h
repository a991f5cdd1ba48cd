// Operation: requests of one connection that go to a worker together: a run of reads, a run of
// writes, or one commit. The connection waits for it, so the arguments stay where they were
// received and the session belongs to the worker meanwhile. Connections keep theirs and fill it
// again and again: Clear keeps the room of requests, arguments and replies.
// Thread rule: owned by one thread at a time; handed over by the queues.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "service/command/command.h"

namespace luna::operation {

struct Request {
  const command::Command* command = nullptr;
  std::vector<std::string_view> arguments;  // into the connection's parser
};

class Operation {
 public:
  command::Session* session = nullptr;
  std::string replies;        // one reply a request, in order
  uint32_t failures = 0;      // requests that failed
  uint64_t queued_nanos = 0;  // monotonic: when it was pushed
  bool light = false;         // a short run of plain writes: a handler may run it, see WriteWorker
  void* owner = nullptr;      // the connection
  void* home = nullptr;       // whoever is woken by done: the connection's handler
  // Called once by the worker, last: hands the operation back to its connection, after which the
  // worker knows it no more. `more`: the next operation is of the same home and done at once, so
  // waking the home can wait. Cheap, never blocks.
  void (*done)(Operation& operation, bool more) = nullptr;
  Operation* next = nullptr;  // the home's: in its list of what is done

  std::span<const Request> requests() const { return {requests_.data(), count_}; }
  bool empty() const { return count_ == 0; }
  // Adds a request; `arguments` are swapped in, and those of an earlier one out, with their room.
  void Add(const command::Command& command, std::vector<std::string_view>& arguments);
  void Clear();
  // Whether its replies are more than one client may have already: what is left is not run.
  bool overflows() const { return replies.size() > session->reply_bytes_max; }
  // Answers a request so.
  void Overflow();
  size_t room() const { return replies.capacity(); }
  // Gives back all room, while the connection is idle. Empty before and after.
  void Release();

 private:
  std::vector<Request> requests_;  // the first `count_` are this operation's
  size_t count_ = 0;
};

// Hands every operation back, telling neighbours of one home apart from the last; `here` is a home
// that need not be woken, because it looks at once.
void Finish(std::span<Operation* const> operations, const void* here = nullptr);

}  // namespace luna::operation
