#include "service/command/help.h"

#include <cctype>
#include <string>

#include "base/assert.h"
#include "service/command/command_table.h"

namespace luna::command {
namespace {

std::string UpperCase(std::string_view text) {
  std::string upper(text);
  for (char& letter : upper) {
    letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  }
  return upper;
}

}  // namespace

void RunHelp(Call& call) {
  const std::string_view name = call.command.name.substr(0, call.command.name.find('|'));
  const std::string_view words[] = {name};
  const Command* container = call.host.commands().Find(words);
  LUNA_ASSERT(container != nullptr);
  call.reply.Array(1 + 2 * container->subcommands.size());
  call.reply.Simple(UpperCase(name) + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  for (const Command& row : container->subcommands) {
    std::string line = UpperCase(row.name.substr(name.size() + 1));
    if (!row.syntax.empty()) {
      line += " " + std::string(row.syntax);
    }
    call.reply.Simple(line);
    call.reply.Simple("    " + std::string(row.summary));
  }
}

}  // namespace luna::command
