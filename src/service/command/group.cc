// GROUP: the servers that serve one universe together, of which one leads.
#include <algorithm>
#include <string>

#include "base/try.h"
#include "runtime/network.h"
#include "service/command/command_table.h"
#include "service/command/elsewhere.h"
#include "service/command/help.h"
#include "service/command/server_group.h"

namespace luna::command {
namespace {

constexpr std::string_view kSince = "luna 0.2.0";
constexpr std::string_view kNoGroup =
    "ERR this server serves its universe alone, it is in no group; see role in the settings of "
    "lunad";

void RunStatus(Call& call) {
  ServerGroup* const group = call.host.group();
  if (group == nullptr) {
    return call.Fail(kNoGroup);
  }
  call.reply.Verbatim(GroupText(group->Standing()));
}

// A server's name is its address.
Status Transfer(ServerGroup& group, std::string_view target) {
  const runtime::HostAndPort parsed = TRY(runtime::ParseAddress(target));
  const std::string address = runtime::FormatAddress(parsed);
  const GroupStanding standing = group.Standing();
  if (standing.server == address) {
    return Error(Reason::kBadOption, address + " is this server itself; name another of the group");
  }
  if (std::ranges::binary_search(standing.removed, address)) {
    return Error(Reason::kBadOption,
                 address + " was removed from the group; let it lead again with GROUP ADD first");
  }
  return group.Transfer(address);
}

void RunTransfer(Call& call) {
  ServerGroup* const group = call.host.group();
  if (group == nullptr) {
    return call.Fail(kNoGroup);
  }
  call.Answer(Transfer(*group, call.arguments[2]));
}

Status Change(ServerGroup& group, std::string_view server,
              Status (ServerGroup::*change)(const std::string&)) {
  return (group.*change)(runtime::FormatAddress(TRY(runtime::ParseAddress(server))));
}

void RunAdd(Call& call) {
  ServerGroup* const group = call.host.group();
  if (group == nullptr) {
    return call.Fail(kNoGroup);
  }
  call.Answer(Change(*group, call.arguments[2], &ServerGroup::Readmit));
}

void RunRemove(Call& call) {
  ServerGroup* const group = call.host.group();
  if (group == nullptr) {
    return call.Fail(kNoGroup);
  }
  call.Answer(Change(*group, call.arguments[2], &ServerGroup::Remove));
}

// Asked by servers before they pass a client on, so it is answered where it arrives. Of several
// marks the first is the server's: what comes later the client says.
void RunLeads(Call& call) {
  if (call.host.group() == nullptr) {
    return call.Fail(kNoGroup);
  }
  const bool marks = call.arguments.size() == 3;
  if (call.arguments.size() > 3 || (marks && !IsMark(call.arguments[2]))) {
    return call.Fail(kSyntaxError);
  }
  if (call.host.follows()) {
    return call.Fail(RefusalText(call.host));
  }
  if (marks && call.session.mark.empty()) {
    call.session.mark = call.arguments[2];
  }
  call.reply.Simple("OK");
}

constexpr Family kFamily{"luna"};

constexpr uint32_t kChange = kFlagAdmin | kFlagNoScript | kFlagNoMulti;

// They wait for the group's stream.
constexpr Command Waiting(Command row) {
  row.place = Place::kSlow;
  return row;
}

constexpr Command kSubcommands[] = {
    Described(Waiting(kFamily.Row("group|add", 3, kChange, kSince, RunAdd)), "host:port",
              "Lets a server lead again that was removed; others join by starting."),
    Described(kFamily.Row("group|leads", -2,
                          kFlagNoAuth | kFlagLoading | kFlagStale | kFlagFast | kFlagNoMulti |
                              kFlagNoTransaction | kFlagAnywhere,
                          kSince, RunLeads),
              "[mark]", "OK where this server leads its group; else an error that says who does."),
    HelpRow("group|help", "luna", kSince),
    Described(Waiting(kFamily.Row("group|remove", 3, kChange, kSince, RunRemove)), "host:port",
              "Takes a server out of the group: it never leads any more."),
    Described(kFamily.Row("group|status", 2, kFlagLoading | kFlagStale, kSince, RunStatus), "",
              "Tells how this server stands in its group, and who leads."),
    Described(kFamily.Row("group|transfer", 3, kChange, kSince, RunTransfer), "host:port",
              "Gives the lead to another server of the group."),
};

constexpr Command kRows[] = {
    kFamily.Container("group", kSince, "Servers that serve one universe together.", kSubcommands),
};

// Whatever it holds stays on one line.
std::string OneLine(std::string text) {
  std::ranges::replace_if(
      text, [](char letter) { return letter == '\r' || letter == '\n'; }, ' ');
  return text;
}

}  // namespace

std::string GroupText(const GroupStanding& standing) {
  std::string text = "# Group\r\n";
  const auto line = [&text](std::string_view name, const std::string& value) {
    text += std::string(name) + ":" + OneLine(value) + "\r\n";
  };
  line("role", standing.role);
  line("epoch", std::to_string(standing.epoch));
  line("server", standing.server);
  line("leader", standing.leader);
  line("lease_left_ms", std::to_string(standing.lease_left_millis));
  for (size_t i = 0; i < standing.followers.size(); ++i) {
    const GroupStanding::Follower& follower = standing.followers[i];
    line("follower" + std::to_string(i), "server=" + follower.server +
                                             ",applied=" + std::to_string(follower.applied) +
                                             ",heard_ms=" + std::to_string(follower.heard_millis));
  }
  line("terms_led", std::to_string(standing.terms));
  line("takeover_ms", std::to_string(standing.takeover_millis));
  line("failures", std::to_string(standing.failures));
  line("last_error", standing.last_error);
  std::string removed;
  for (const std::string& server : standing.removed) {
    removed += (removed.empty() ? "" : ",") + server;
  }
  line("removed", removed);
  if (standing.followed.has_value()) {
    const GroupStanding::Followed& followed = *standing.followed;
    line("applied", std::to_string(followed.applied));
    line("behind_ms", followed.behind_millis ? std::to_string(*followed.behind_millis) : "");
    line("trouble", followed.trouble);
  }
  return text;
}

std::span<const Command> GroupCommands() {
  return kRows;
}

}  // namespace luna::command
