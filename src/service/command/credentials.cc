#include "service/command/credentials.h"

#include <algorithm>
#include <string>

namespace luna::command {

bool LogIn(Call& call, std::string_view user, std::string_view password) {
  const size_t at = user.rfind('@');
  const bool has_database = at != std::string_view::npos;
  const std::string_view name = has_database ? user.substr(0, at) : user;
  if (!call.host.CheckPassword(name, password)) {
    call.Fail("WRONGPASS invalid username-password pair or user is disabled.");
    return false;
  }
  if (has_database) {
    const Status chosen =
        ChooseCollection(call.host, call.session, user.substr(at + 1), kDefaultCollection);
    if (!chosen.ok()) {
      call.Fail(chosen.error());
      return false;
    }
  }
  call.session.user = std::string(name);
  call.session.authenticated = true;
  return true;
}

bool IsPlainName(std::string_view name) {
  return std::ranges::all_of(name, [](char letter) { return letter >= '!' && letter <= '~'; });
}

}  // namespace luna::command
