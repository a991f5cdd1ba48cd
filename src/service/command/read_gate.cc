#include "service/command/read_gate.h"

#include "base/try.h"

namespace luna::command {

std::string Name(const Freshness& freshness) {
  constexpr uint64_t kNanosPerMilli = 1'000'000;
  switch (freshness.kind) {
    case Freshness::Kind::kAny:
      return "any";
    case Freshness::Kind::kBounded:
      return "bounded:" + std::to_string(freshness.age_nanos / kNanosPerMilli);
    case Freshness::Kind::kStrong:
      break;
  }
  return "strong";
}

Status Confirm(ReadGate* gate, const Freshness& freshness) {
  if (gate == nullptr) {
    return {};
  }
  const ReadGate::Ticket ticket = TRY(gate->Begin(freshness, true));
  return gate->End(ticket, true);
}

}  // namespace luna::command
