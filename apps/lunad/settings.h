// Settings of lunad: plain values, where each came from, and how they look as TOML.
// Thread rule: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "luna/luna.h"

namespace luna::lunad {

inline constexpr std::string_view kVersion = "0.1.0";

struct Settings {
  std::string universe = "./luna-data";
  std::vector<std::string> listen = {"127.0.0.1:6479"};
  uint64_t memory_bytes = uint64_t{256} << 20;
  Durability durability = Durability::kDevice;
  uint64_t max_clients = 10000;
  uint64_t readers = 1;
  uint64_t handlers = 1;
  uint64_t timeout_seconds = 0;  // 0 = none
  std::string password;          // empty = none
  bool protected_mode = true;
  std::vector<std::string> tls_listen = {};
  std::string tls_cert;
  std::string tls_key;
  std::string tls_ca;
  std::string tls_client_auth = "no";
  std::string acl_file;
  std::string addresses_file;  // empty = none
};

// Where values came from, by the names that TOML shows: "command line", "LUNA_PASSWORD"; a name
// that is missing kept its default.
using Origins = std::map<std::string, std::string, std::less<>>;

std::string_view NameOf(Durability durability);

// One line a setting, with its origin as a comment; the password is not shown.
std::string ToToml(const Settings& settings, const Origins& origins);

// kBadOption: an address that does not parse; one that others can reach while no password is set
// and the protected mode is on.
Status Check(const Settings& settings);

}  // namespace luna::lunad
