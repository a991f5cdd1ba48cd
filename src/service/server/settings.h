// Settings of a service, as plain values, and the one table that describes them: the configuration
// file, the environment, the flags of lunad, --print-config and CONFIG GET and SET all follow it,
// so that no setting can be forgotten anywhere. Thread rule: plain values and pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "luna/status.h"

namespace luna::server {

// Names are those of the table with underscores; bytes, seconds and microseconds as named there.
struct Settings {
  std::string universe = "./luna-data";
  int64_t memory = 0;  // auto
  std::string durability = "device";
  std::string role = "universe";
  std::string advertise;
  int64_t lease = 2000;
  bool confirm = false;
  std::string writes = "forward";
  bool offload = false;
  int64_t worker_threads = 1;
  std::string peer_listen;
  std::string peer_advertise;
  std::string peer_tls_ca;
  std::string peer_tls_cert;
  std::string peer_tls_key;
  std::vector<std::string> listen = {"127.0.0.1:6479"};
  bool is_protected = true;
  std::string password;
  std::string password_file;
  std::string acl_file;
  std::vector<std::string> tls_listen;
  std::string tls_cert;
  std::string tls_key;
  std::string tls_ca;
  std::string tls_client_auth = "no";
  std::string http_listen;
  std::string addresses_file;
  int64_t maxclients = 10000;
  int64_t timeout = 0;
  int64_t handlers = 1;
  int64_t readers = 4;
  std::string reads = "handlers";
  int64_t queue_limit = 65536;
  int64_t output_soft = int64_t{1} << 20;
  int64_t output_hard = int64_t{256} << 20;
  int64_t stuck_seconds = 60;
  int64_t slowlog_micros = 10000;
  int64_t slowlog_kept = 128;
  std::string log_level = "info";
  std::string log_file;
};

struct Setting {
  enum class Kind : uint8_t { kText, kList, kNumber, kBytes, kSwitch, kChoice };
  using Field = std::variant<std::string Settings::*, std::vector<std::string> Settings::*,
                             int64_t Settings::*, bool Settings::*>;

  std::string_view name;  // in the file, as a flag, and in CONFIG
  Kind kind;
  Field field;
  std::string_view description;  // one line, without the default
  int64_t least = 0;             // of kNumber and kBytes
  int64_t most = 0;
  std::vector<std::string_view> choices = {};  // of kChoice
  std::string_view zero = {};                  // of kBytes: what 0 is called, where it is a choice
  bool live = false;                           // CONFIG SET may change it
  bool secret = false;                         // its value is never shown
};

// In the order in which people read them.
std::span<const Setting> AllSettings();
// Either case; null: there is none.
const Setting* FindSetting(std::string_view name);
// The name that `word` is most like; empty when it is like none.
std::string_view NearestSetting(std::string_view word);

// The value as the words of a flag or a variable: "256MiB", "a:1,b:2", "true". Secrets are not
// shown.
std::string TextOf(const Setting& setting, const Settings& settings);
// Takes such a text; of a list it makes the whole list. kBadOption: what is wanted instead.
Status TakeText(const Setting& setting, std::string_view text, Settings& settings);
// The same for a number that is one already, and for a list.
Status TakeNumber(const Setting& setting, int64_t number, Settings& settings);
// Whether both have the same value of it.
bool IsSame(const Setting& setting, const Settings& one, const Settings& other);
// "a size from 64MiB to 1TiB, such as \"512MiB\"".
std::string Wanted(const Setting& setting);
// 268435456 → "256MiB"; exact.
std::string ExactBytes(int64_t bytes);

// What no single setting can say: addresses that do not parse or that strangers reach without a
// password, and settings that need each other. kBadOption.
Status CheckTogether(const Settings& settings);

// The address by which others reach a server of a group: `advertise`, or the first of `tls-listen`,
// or of `listen` where it speaks no TLS.
std::string AdvertisedAddress(const Settings& settings);

// The address by which other servers of the group talk to it: `peer-advertise`, or `peer-listen`;
// empty: they do not.
std::string PeerAddress(const Settings& settings);

// Whether strangers reach an address, so that users from a file must all need a password.
bool OthersMustAsk(const Settings& settings);

}  // namespace luna::server
