// Operation: requests of one connection that go to a worker together: a run of reads, a run of
// writes, or one commit. The connection waits for it, so the arguments stay where they were
// received and the session belongs to the worker meanwhile.
// Thread rule: owned by one thread at a time; handed over by the queues.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "service/command/command.h"

namespace luna::operation {

struct Request {
  const command::Command* command = nullptr;
  std::vector<std::string_view> arguments;  // into the connection's parser
};

struct Operation {
  command::Session* session = nullptr;
  std::vector<Request> requests;
  std::string replies;          // one reply a request, in order
  uint64_t queued_nanos = 0;    // monotonic: when it was pushed
  void* owner = nullptr;        // the connection
  // Called once by the worker, last: hands the operation back to its connection. Cheap, never
  // blocks.
  void (*done)(Operation&) = nullptr;
};

}  // namespace luna::operation
