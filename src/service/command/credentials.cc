#include "service/command/credentials.h"

#include <algorithm>
#include <string>

#include "service/command/holdings.h"
#include "service/command/rights.h"

namespace luna::command {

bool LogIn(Call& call, std::string_view user, std::string_view password) {
  const size_t at = user.rfind('@');
  const bool has_database = at != std::string_view::npos;
  const std::string_view name = has_database ? user.substr(0, at) : user;
  Session& session = call.session;
  Users& users = call.host.holdings().users();
  if (!call.host.CheckPassword(name, password)) {
    const uint64_t now = call.host.runtime().clock().MonotonicNanos();
    session.answer_nanos = now + users.failed_logins().Failed(session.peer, now);
    NoteDenial(call.host, session, "auth", call.arguments[0], name);
    call.Fail("WRONGPASS invalid username-password pair or user is disabled.");
    return false;
  }
  users.failed_logins().Succeeded(session.peer);
  const auto rights = users.Find(name);
  std::string database(has_database ? user.substr(at + 1) : std::string_view());
  if (has_database && rights != nullptr && !rights->MayUse(database)) {
    call.Fail("NOPERM this user has no permissions to use the database '" + database + "'");
    return false;
  }
  if (!has_database && rights != nullptr && session.database != nullptr &&
      !rights->MayUse(session.database->name())) {
    database = rights->first_database();
  }
  if (!database.empty()) {
    const Status chosen = ChooseCollection(call.host, session, database, kDefaultCollection);
    if (!chosen.ok()) {
      call.Fail(chosen.error());
      return false;
    }
  }
  session.BecomeUser(name);
  if (call.host.hands_on()) {
    session.password = std::string(password);
  }
  return true;
}

bool IsPlainName(std::string_view name) {
  return std::ranges::all_of(name, [](char letter) { return letter >= '!' && letter <= '~'; });
}

}  // namespace luna::command
