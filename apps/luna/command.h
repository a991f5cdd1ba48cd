// One command: asking before a dangerous one, the call, and the reply on the screen.
// Thread rule: owned by one thread.
#pragma once

#include <string>
#include <vector>

#include "apps/client/client.h"
#include "apps/luna/request.h"

namespace luna::cli {

// Whether both ends are a terminal: somebody can be asked.
bool IsTerminal();
bool WantsColours();
// kFitting becomes what fits the output.
Look LookOf(const Request& request);
// Whether the command may write; then a missing universe is made.
bool Writes(const std::vector<std::string>& words);
// Asks whether a command that deletes much is meant, if somebody can be asked.
bool IsMeant(const Request& request, const std::vector<std::string>& words);

struct Answered {
  resp::Reply reply;
  int exit = 0;
};
// Calls and prints. Errors: the connection is lost.
Result<Answered> CallAndShow(client::Client& client, const Request& request,
                             const std::vector<std::string>& words);

}  // namespace luna::cli
