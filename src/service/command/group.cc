// GROUP: the servers that serve one universe together, of which one leads.
#include <algorithm>
#include <string>

#include "base/try.h"
#include "runtime/network.h"
#include "service/command/command_table.h"
#include "service/command/help.h"
#include "service/command/server_group.h"

namespace luna::command {
namespace {

constexpr std::string_view kSince = "luna 0.3.0";
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
  if (group.Standing().server == address) {
    return Error(Reason::kBadOption, address + " is this server itself; name another of the group");
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

constexpr Family kFamily{"luna"};

constexpr Command kSubcommands[] = {
    HelpRow("group|help", "luna", kSince),
    Described(kFamily.Row("group|status", 2, kFlagLoading | kFlagStale, kSince, RunStatus), "",
              "Tells how this server stands in its group, and who leads."),
    Described(kFamily.Row("group|transfer", 3, kFlagAdmin | kFlagNoScript | kFlagNoMulti, kSince,
                          RunTransfer),
              "host:port", "Gives the lead to another server of the group."),
};

constexpr Command kRows[] = {
    kFamily.Container("group", kSince, "Servers that serve one universe together.", kSubcommands),
};

// Whatever it holds stays on one line.
std::string OneLine(std::string text) {
  std::ranges::replace_if(text, [](char letter) { return letter == '\r' || letter == '\n'; }, ' ');
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
  line("terms_led", std::to_string(standing.terms));
  line("takeover_ms", std::to_string(standing.takeover_millis));
  line("failures", std::to_string(standing.failures));
  line("last_error", standing.last_error);
  return text;
}

std::span<const Command> GroupCommands() {
  return kRows;
}

}  // namespace luna::command
