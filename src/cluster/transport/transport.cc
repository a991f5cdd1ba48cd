#include "cluster/transport/transport.h"

#include <optional>
#include <utility>

namespace luna::transport {

Result<wire::Reply> Transport::Call(std::string_view address, const wire::Request& request,
                                    uint64_t budget_nanos) {
  std::optional<Result<wire::Reply>> answer;
  const std::unique_ptr<runtime::Event> answered = runtime_.NewEvent();
  Send(address, request, budget_nanos, [&](Result<wire::Reply> reply) {
    answer = std::move(reply);
    answered->Set();
  });
  answered->Wait();
  return *std::move(answer);
}

Error NotLeading(const wire::NotLeader& reply) {
  return {Reason::kFenced,
          "the server that was asked does not lead the group; " +
              (reply.leader.clients.empty() ? std::string("it knows of no other: try again")
                                            : "ask " + reply.leader.clients)};
}

Error OtherKind() {
  return {Reason::kBadFormat,
          "a server answered another question than was asked; is it of another build?"};
}

}  // namespace luna::transport
