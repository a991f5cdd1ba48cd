// READONLY and READWRITE: whether a connection's reads may be answered by a server that follows,
// and how old they may be. The names are those of Redis Cluster.
#include <string>

#include "service/command/command_table.h"

namespace luna::command {
namespace {

constexpr uint64_t kNanosPerMilli = 1'000'000;

bool TakeFreshness(Call& call, Freshness& freshness) {
  constexpr int64_t kLongestMillis = 24 * 60 * 60 * 1000;
  if (call.arguments.size() == 1) {
    return true;
  }
  if (call.arguments.size() == 2 && IsWord(call.arguments[1], "strong")) {
    freshness = Freshness::Strong();
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
  freshness = Freshness::Bounded(static_cast<uint64_t>(millis) * kNanosPerMilli);
  return true;
}

// READONLY [BOUNDED milliseconds | STRONG]
void RunReadonly(Call& call) {
  Freshness freshness;
  if (!TakeFreshness(call, freshness)) {
    return;
  }
  ReadGate* const gate = call.host.read_gate();
  if (const Status offered = gate == nullptr ? Status() : gate->Offers(freshness); !offered.ok()) {
    return call.Fail(offered.error());
  }
  call.session.reads_here = true;
  call.session.freshness = freshness;
  call.reply.Simple("OK");
}

void RunReadwrite(Call& call) {
  Session& session = call.session;
  // The leader would not know what was watched here, and EXEC would not look.
  if (call.host.follows() && !session.watched.empty()) {
    return call.Fail("ERR READWRITE while keys are watched; send EXEC, DISCARD or UNWATCH first");
  }
  session.reads_here = false;
  session.freshness = Freshness::Any();
  call.reply.Simple("OK");
}

constexpr Family kFamily{"cluster"};
constexpr uint32_t kFlags =
    kFlagLoading | kFlagStale | kFlagFast | kFlagNoMulti | kFlagNoTransaction | kFlagAnywhere;

constexpr Command kRows[] = {
    Described(kFamily.Row("readonly", -1, kFlags, "3.0.0", RunReadonly),
              "[BOUNDED milliseconds | STRONG]",
              "Lets a server that follows answer this connection's reads, at most so old."),
    Described(kFamily.Row("readwrite", 1, kFlags, "3.0.0", RunReadwrite), "",
              "Sends this connection's reads to the leader again."),
};

}  // namespace

std::span<const Command> FollowerCommands() {
  return kRows;
}

}  // namespace luna::command
