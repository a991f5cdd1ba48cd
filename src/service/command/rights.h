// Rights: whether the session's user may send a request; asked for every request before it is
// queued or runs. Thread rule: safe; the session is its owner's.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "service/command/command.h"
#include "service/command/user.h"

namespace luna::command {

// The error reply, or "" if the request is allowed. What is refused is written to ACL LOG. A
// session whose user was removed ends. With EXEC all that was queued is judged again.
std::string RefusedByRights(const Command& command, Session& session, Host& host,
                            std::span<const std::string_view> arguments);
// For ACL LOG. `user` as the client named it.
void NoteDenial(Host& host, const Session& session, std::string_view reason,
                std::string_view object, std::string_view user);

}  // namespace luna::command
