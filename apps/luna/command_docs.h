// CommandDocs: what COMMAND DOCS of the service says, for help, completion and hints.
// Thread rule: immutable once read.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "apps/client/client.h"

namespace luna::cli {

struct CommandDoc {
  std::string name;  // "GET", "CLIENT LIST"
  std::string syntax;
  std::string summary;
  std::string group;
  std::vector<std::string> subcommands;  // "LIST"
};

class CommandDocs {
 public:
  static Result<CommandDocs> Read(client::Client& client);

  // The command, or the subcommand, that the words name; null: none.
  const CommandDoc* Find(const std::vector<std::string>& words) const;
  // What may stand at the place of the last word, which may be empty or begun, in upper case.
  std::vector<std::string> Completions(const std::vector<std::string>& words) const;
  // All commands by group, or of one its syntax and what it does.
  std::string Help(const std::vector<std::string>& words) const;

 private:
  void Add(const std::string& name, const resp::Reply& entry);

  std::map<std::string, CommandDoc, std::less<>> by_name_;
};

std::string UpperCase(std::string_view text);

}  // namespace luna::cli
