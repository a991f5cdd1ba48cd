#include "service/command/read_gate.h"

#include "base/try.h"

namespace luna::command {

Status Confirm(ReadGate* gate) {
  if (gate == nullptr) {
    return {};
  }
  const ReadGate::Ticket ticket = TRY(gate->Begin(true));
  return gate->End(ticket, true);
}

}  // namespace luna::command
