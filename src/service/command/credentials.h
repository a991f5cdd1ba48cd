// Who a client is: users, passwords, the names it gives itself; and what the service calls itself.
// Thread rule: pure functions.
#pragma once

#include <string_view>

#include "base/writer.h"
#include "service/command/command.h"

namespace luna::command {

// The version of Redis whose behaviour clients may expect, and Luna's own.
inline constexpr std::string_view kRedisVersion = "7.2.4";
inline constexpr std::string_view kLunaVersion = base::kVersion;

inline constexpr std::string_view kBadClientName =
    "ERR Client names cannot contain spaces, newlines or special characters.";

// Authenticates the session as `user`, or as USER of "USER@DATABASE" and chooses the database.
// False: the call has failed.
bool LogIn(Call& call, std::string_view user, std::string_view password);
// Printable ASCII without spaces, as CLIENT LIST can show it.
bool IsPlainName(std::string_view name);

}  // namespace luna::command
