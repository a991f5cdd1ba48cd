// ReadGate: asked around everything that is read, where a server may answer only while it leads its
// group: an answer that left out what a later leader wrote would be wrong. A commit needs no gate:
// that it succeeded proves that this server led. Where a server follows, its gate tells whether
// what it has is as new as the connection asked for (READONLY BOUNDED). Begin, then the read, then
// End, then the answer: the state that was read is then the newest there was at some time between
// request and answer. A service serves one leadership: it is stopped before its server can lead
// again. So whatever was read since it started is covered by a ticket taken later, too (Confirm).
// Thread rule: safe. May be called from many threads at once, also between rounds of writes.
#pragma once

#include <cstdint>

#include "luna/status.h"

namespace luna::command {

class ReadGate {
 public:
  virtual ~ReadGate() = default;

  // Between Begin and End; means something to the gate alone (replica::ReadTicket).
  struct Ticket {
    uint64_t epoch = 0;
    uint64_t question = 0;
  };

  // Of those who ask for no bound.
  static constexpr uint64_t kAnyAge = ~uint64_t{0};

  // Before anything is read. kFenced: another leads, and the message says who; kBackPressure: try
  // again. Without `may_wait` it waits for nothing, and answers kNotInMemory where it would have
  // to: the read is then begun again by somebody who may wait.
  // `age_nanos`: what was acknowledged longer ago than that is to be seen; kDeadline: it is not all
  // here yet. Who leads shows everything whatever is asked for.
  virtual Result<Ticket> Begin(uint64_t age_nanos, bool may_wait) = 0;
  // After it, before the answer goes out: an error means that what was read must not be told.
  virtual Status End(const Ticket& ticket, bool may_wait) = 0;
};

// Whether what was read already may be told: for those who know only afterwards that they
// committed nothing. Waits; the gate's errors. Null: yes.
Status Confirm(ReadGate* gate, uint64_t age_nanos = ReadGate::kAnyAge);

}  // namespace luna::command
