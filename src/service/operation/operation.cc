#include "service/operation/operation.h"

#include "base/assert.h"

namespace luna::operation {

void Operation::Add(const command::Command& command, std::vector<std::string_view>& arguments) {
  if (count_ == requests_.size()) {
    requests_.emplace_back();
  }
  Request& request = requests_[count_++];
  request.command = &command;
  request.arguments.swap(arguments);
}

void Operation::Clear() {
  count_ = 0;
  failures = 0;
  replies.clear();
}

void Operation::Overflow() {
  ++failures;
  if (session->replies == command::Session::Replies::kOn) {
    resp::ReplyWriter reply(replies, session->version);
    reply.Fail("TOOLARGE not run: the replies before it are more than a client may have at a time");
  }
}

void Operation::Release() {
  LUNA_ASSERT(empty());
  std::vector<Request>().swap(requests_);
  std::string().swap(replies);
}

void Finish(std::span<Operation* const> operations, const void* here) {
  for (size_t i = 0; i < operations.size(); ++i) {
    Operation& operation = *operations[i];
    const bool next = i + 1 < operations.size() && operations[i + 1]->home == operation.home;
    const bool more = next || operation.home == here;
    operation.done(operation, more);
  }
}

}  // namespace luna::operation
