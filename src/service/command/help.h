// HELP of container commands (CLIENT HELP), made from the rows of the table.
// Thread rule: pure functions.
#pragma once

#include <string_view>

#include "service/command/command.h"

namespace luna::command {

// Of a subcommand "client|help".
void RunHelp(Call& call);

// Its row.
constexpr Command HelpRow(std::string_view name, std::string_view group,
                          std::string_view since = "5.0.0") {
  return {.name = name,
          .arity = 2,
          .place = Place::kConnection,
          .flags = kFlagLoading | kFlagStale,
          .group = group,
          .since = since,
          .summary = "Shows what the subcommands do.",
          .syntax = "",
          .run = RunHelp};
}

}  // namespace luna::command
