// READONLY and READWRITE: whether a connection's reads may be answered by a server that follows,
// and how old they may be. The names are those of Redis Cluster.
#include <string>

#include "service/command/command_table.h"

namespace luna::command {
namespace {

constexpr uint64_t kNanosPerMilli = 1'000'000;

bool TakeBound(Call& call, uint64_t& age_nanos) {
  constexpr int64_t kLongestMillis = 24 * 60 * 60 * 1000;
  if (call.arguments.size() == 1) {
    return true;
  }
  if (call.arguments.size() != 3 || !IsWord(call.arguments[1], "bounded")) {
    call.Fail(kSyntaxError);
    return false;
  }
  int64_t millis = 0;
  if (!ParseInteger(call.arguments[2], millis) || millis < 1 || millis > kLongestMillis) {
    call.Fail("ERR BOUNDED is a number of milliseconds from 1 to 86400000");
    return false;
  }
  age_nanos = static_cast<uint64_t>(millis) * kNanosPerMilli;
  return true;
}

// READONLY [BOUNDED milliseconds]
void RunReadonly(Call& call) {
  uint64_t age_nanos = ReadGate::kAnyAge;
  if (TakeBound(call, age_nanos)) {
    call.session.reads_here = true;
    call.session.age_nanos = age_nanos;
    call.reply.Simple("OK");
  }
}

void RunReadwrite(Call& call) {
  Session& session = call.session;
  // The leader would not know what was watched here, and EXEC would not look.
  if (call.host.follows() && !session.watched.empty()) {
    return call.Fail("ERR READWRITE while keys are watched; send EXEC, DISCARD or UNWATCH first");
  }
  session.reads_here = false;
  session.age_nanos = ReadGate::kAnyAge;
  call.reply.Simple("OK");
}

constexpr Family kFamily{"cluster"};
constexpr uint32_t kFlags =
    kFlagLoading | kFlagStale | kFlagFast | kFlagNoMulti | kFlagNoTransaction | kFlagAnywhere;

constexpr Command kRows[] = {
    Described(kFamily.Row("readonly", -1, kFlags, "3.0.0", RunReadonly), "[BOUNDED milliseconds]",
              "Lets a server that follows answer this connection's reads, at most so old."),
    Described(kFamily.Row("readwrite", 1, kFlags, "3.0.0", RunReadwrite), "",
              "Sends this connection's reads to the leader again."),
};

}  // namespace

std::span<const Command> FollowerCommands() {
  return kRows;
}

}  // namespace luna::command
