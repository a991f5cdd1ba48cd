#include "service/command/read_gate.h"

#include "base/try.h"

namespace luna::command {

Status Confirm(ReadGate* gate, uint64_t age_nanos) {
  if (gate == nullptr) {
    return {};
  }
  const ReadGate::Ticket ticket = TRY(gate->Begin(age_nanos, true));
  return gate->End(ticket, true);
}

}  // namespace luna::command
