#include "apps/lunad/settings.h"

#include <algorithm>

#include "base/text.h"
#include "base/try.h"
#include "runtime/network.h"

namespace luna::lunad {
namespace {

// A basic string of TOML: quotes, backslashes and control characters escaped.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      quoted += "\\u00" + base::Hex(std::string_view(&c, 1));
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string Listed(const std::vector<std::string>& texts) {
  std::string list = "[";
  for (const std::string& text : texts) {
    list += (list.size() > 1 ? ", " : "") + Quoted(text);
  }
  return list + "]";
}

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace

std::string_view NameOf(Durability durability) {
  switch (durability) {
    case Durability::kRelaxed:
      return "relaxed";
    case Durability::kProcess:
      return "process";
    case Durability::kDevice:
      break;
  }
  return "device";
}

std::string ToToml(const Settings& settings, const Origins& origins) {
  constexpr size_t kCommentColumn = 40;
  std::string text;
  const auto add = [&](const std::string& name, const std::string& value) {
    std::string line = name + " = " + value;
    line.resize(std::max(line.size() + 2, kCommentColumn), ' ');
    const auto origin = origins.find(name);
    text += line + "# " + (origin == origins.end() ? "default" : origin->second) + "\n";
  };
  add("universe", Quoted(settings.universe));
  add("listen", Listed(settings.listen));
  add("memory", Quoted(base::FormatBytes(settings.memory_bytes)));
  add("durability", Quoted(NameOf(settings.durability)));
  add("maxclients", std::to_string(settings.max_clients));
  add("readers", std::to_string(settings.readers));
  add("handlers", std::to_string(settings.handlers));
  add("timeout", std::to_string(settings.timeout_seconds));
  add("password", Quoted(settings.password.empty() ? "" : "(set)"));
  add("protected", settings.protected_mode ? "true" : "false");
  add("http-listen", Quoted(settings.http_listen));
  add("addresses-file", Quoted(settings.addresses_file));
  return text;
}

Status Check(const Settings& settings) {
  for (const std::string& address : settings.listen) {
    const runtime::HostAndPort parsed = TRY(runtime::ParseAddress(address));
    if (settings.protected_mode && settings.password.empty() && !IsLoopback(parsed.host)) {
      return Error(Reason::kBadOption,
                   "refusing to listen on " + address +
                       ", which other machines may reach, without a password; set LUNA_PASSWORD "
                       "or --password, or give --no-protected if every one of them is trusted");
    }
  }
  if (!settings.http_listen.empty()) {
    const runtime::HostAndPort parsed = TRY(runtime::ParseAddress(settings.http_listen));
    if (settings.protected_mode && !IsLoopback(parsed.host)) {
      return Error(Reason::kBadOption,
                   "refusing to show metrics on " + settings.http_listen +
                       ", which other machines may reach, as nobody is asked "
                       "for a password there; choose an address of this machine "
                       "alone, or give --no-protected if all are trusted");
    }
  }
  return {};
}

}  // namespace luna::lunad
