// ReadGate: asked around everything that is read, where a server may answer only while it leads its
// group: an answer that left out what a later leader wrote would be wrong. A commit needs no gate:
// that it succeeded proves that this server led. Where a server follows, its gate tells whether
// what it has is as new as the connection asked for (READONLY). Begin, then the read, then End,
// then the answer: the state that was read is then the newest there was at some time between
// request and answer. A service serves one leadership: it is stopped before its server can lead
// again. So whatever was read since it started is covered by a ticket taken later, too (Confirm).
// Not so where a server follows: there whatever reads begins first.
// Thread rule: safe. May be called from many threads at once, also between rounds of writes.
#pragma once

#include <cstdint>
#include <string>

#include "luna/status.h"

namespace luna::command {

// How new what a connection reads must be. Who leads shows everything whatever is asked for.
struct Freshness {
  enum class Kind : uint8_t {
    kAny,      // whatever is here
    kBounded,  // everything that was acknowledged longer ago than `age_nanos`
    kStrong,   // as if the leader had answered
  };
  Kind kind = Kind::kAny;
  uint64_t age_nanos = 0;  // of kBounded

  static constexpr Freshness Any() { return {}; }
  static constexpr Freshness Bounded(uint64_t nanos) {
    return {.kind = Kind::kBounded, .age_nanos = nanos};
  }
  static constexpr Freshness Strong() { return {.kind = Kind::kStrong}; }
  bool operator==(const Freshness&) const = default;
};
// "any", "bounded:250" (milliseconds), "strong".
std::string Name(const Freshness& freshness);

class ReadGate {
 public:
  virtual ~ReadGate() = default;

  // Between Begin and End; means something to the gate alone (replica::ReadTicket).
  struct Ticket {
    uint64_t epoch = 0;
    uint64_t question = 0;
  };

  // Whether it can ever be asked for here; an error: not as this server is set up, and what to do.
  virtual Status Offers(const Freshness& /*freshness*/) { return {}; }

  // Before anything is read. kFenced: another leads, and the message says who; kBackPressure: try
  // again. Without `may_wait` it waits for nothing, and answers kNotInMemory where it would have
  // to: the read is then begun again by somebody who may wait. kDeadline: what is here is not known
  // to be as new as asked for.
  virtual Result<Ticket> Begin(const Freshness& freshness, bool may_wait) = 0;
  // After it, before the answer goes out: an error means that what was read must not be told.
  virtual Status End(const Ticket& ticket, bool may_wait) = 0;
};

// Whether what was read already may be told: for those who know only afterwards that they
// committed nothing. Waits; the gate's errors. Null: yes.
Status Confirm(ReadGate* gate, const Freshness& freshness = {});

}  // namespace luna::command
