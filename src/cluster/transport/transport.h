// Transport: requests between servers of a group, each answered once or failed by its deadline.
// grpc_transport/: gRPC, with TLS in both directions. simulation/sim_transport: in the simulator,
// with bad luck. Addresses are "HOST:PORT".
//
// A call that failed (kUnreachable, kDeadline, kShutDown) may have been handled, or be handled
// later, and any call may be handled twice; the messages are such that this does no harm.
// Thread rule: safe; nobody calls a Transport while it is destroyed, but for what its own callbacks
// do.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "cluster/wire/messages.h"
#include "luna/status.h"
#include "runtime/runtime.h"

namespace luna::transport {

// Who answers.
class Service {
 public:
  virtual ~Service() = default;
  // By a few threads of the transport at a time; may wait, but must come back within the budget: it
  // is what the sender still waits for. An error travels to the sender with its reason.
  virtual Result<wire::Reply> Handle(const wire::Request& request, uint64_t budget_nanos) = 0;
};

// An address that is listened on. Destroying it ends that: what is being handled is waited for,
// what waits for its turn is told kShutDown or nothing. Thread rule: owned by one thread; not by
// one that handles a request of it.
class Port {
 public:
  virtual ~Port() = default;
  virtual const std::string& address() const = 0;  // with the real port
};

class Transport {
 public:
  // A reply, the error the peer answered with, or why there is none: kUnreachable (nobody listens,
  // or is not whom we trust), kDeadline, kShutDown (the Transport ends), kBackPressure (the peer
  // has too much to do), kBadOption (no address, or one that must not be called without TLS).
  using Done = std::function<void(Result<wire::Reply> reply)>;

  explicit Transport(runtime::Runtime& runtime) : runtime_(runtime) {}
  // Ends every call under way: their callbacks have returned when this has. Ports end before.
  virtual ~Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // `service` outlives the port. kAddressInUse, kBadOption.
  virtual Result<std::unique_ptr<Port>> Listen(std::string_view address, Service& service) = 0;
  // Calls `done` once, at most about `budget_nanos` from now: by a thread of the transport, which
  // must not be made to wait, or, when the call cannot even begin, by this one.
  virtual void Send(std::string_view address, const wire::Request& request, uint64_t budget_nanos,
                    Done done) = 0;

  // The same and waits. Not from a callback.
  Result<wire::Reply> Call(std::string_view address, const wire::Request& request,
                           uint64_t budget_nanos);

 protected:
  runtime::Runtime& runtime_;
};

// What NotLeader means as an error, and a reply to another question.
Error NotLeading(const wire::NotLeader& reply);
Error OtherKind();

// The reply to a request of one kind, or the error: kFenced, naming the leader, for NotLeader;
// kBadFormat for a reply of another kind.

template <typename Wanted>
Result<Wanted> As(const Result<wire::Reply>& reply) {
  if (!reply.ok()) {
    return reply.error();
  }
  if (const auto* wanted = std::get_if<Wanted>(&*reply)) {
    return *wanted;
  }
  const auto* other = std::get_if<wire::NotLeader>(&*reply);
  return other != nullptr ? NotLeading(*other) : OtherKind();
}

}  // namespace luna::transport
