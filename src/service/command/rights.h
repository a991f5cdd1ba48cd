// Rights: whether the session's user may send a request; asked for every request before it is
// queued or runs. Thread rule: safe; the session is its owner's.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "service/command/command.h"
#include "service/command/user.h"

namespace luna::command {

// The error reply, or "" if the request is allowed. What is refused is written to ACL LOG. A
// session whose user was removed ends. One that monitors may not touch data. EXEC that is refused
// ends MULTI.
std::string RefusedByRights(const Command& command, Session& session, Host& host,
                            std::span<const std::string_view> arguments);
// EXEC judges what was queued again, because rights may have changed since: of each command the
// error reply that stands for it, or "". Empty if all of them may run.
std::vector<std::string> RefusedAtExec(Session& session, Host& host);
// For ACL LOG. `user` as the client named it.
void NoteDenial(Host& host, const Session& session, std::string_view reason,
                std::string_view object, std::string_view user);

}  // namespace luna::command
