#include "service/server/settings.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "base/assert.h"
#include "base/text.h"
#include "base/try.h"
#include "runtime/network.h"
#include "service/command/command_table.h"

namespace luna::server {

namespace {

using Kind = Setting::Kind;

constexpr int64_t kKiB = 1024;
constexpr int64_t kMiB = 1024 * kKiB;
constexpr int64_t kGiB = 1024 * kMiB;
constexpr int64_t kTiB = 1024 * kGiB;

Setting Text(std::string_view name, std::string Settings::* field, std::string_view description) {
  return {.name = name, .kind = Kind::kText, .field = field, .description = description};
}

Setting List(std::string_view name, std::vector<std::string> Settings::* field,
             std::string_view description) {
  return {.name = name, .kind = Kind::kList, .field = field, .description = description};
}

struct Range {
  int64_t least;
  int64_t most;
};

Setting Number(std::string_view name, int64_t Settings::* field, Range range,
               std::string_view description) {
  return {.name = name,
          .kind = Kind::kNumber,
          .field = field,
          .description = description,
          .least = range.least,
          .most = range.most};
}

Setting Bytes(std::string_view name, int64_t Settings::* field, Range range,
              std::string_view description) {
  Setting setting = Number(name, field, range, description);
  setting.kind = Kind::kBytes;
  return setting;
}

Setting Switch(std::string_view name, bool Settings::* field, std::string_view description) {
  return {.name = name, .kind = Kind::kSwitch, .field = field, .description = description};
}

Setting Choice(std::string_view name, std::string Settings::* field,
               std::vector<std::string_view> choices, std::string_view description) {
  Setting setting = Text(name, field, description);
  setting.kind = Kind::kChoice;
  setting.choices = std::move(choices);
  return setting;
}

Setting Live(Setting setting) {
  setting.live = true;
  return setting;
}

Setting Secret(Setting setting) {
  setting.secret = true;
  return setting;
}

void AddStorage(std::vector<Setting>& table) {
  table.push_back(
      Text("universe", &Settings::universe, "directory of the universe, made if missing"));
  Setting memory = Bytes("memory", &Settings::memory, {64 * kMiB, 64 * kTiB},
                         "memory for everything the engine holds; auto: a quarter of the machine's "
                         "or its control group's, at least 256MiB");
  memory.zero = "auto";
  table.push_back(std::move(memory));
  table.push_back(Choice("durability", &Settings::durability, {"device", "process", "relaxed"},
                         "what a write survives: device (power loss), process (a killed process), "
                         "relaxed (nothing for 0.1 s)"));
}

void AddGroup(std::vector<Setting>& table) {
  table.push_back(Choice("role", &Settings::role, {"universe", "tablet-server", "worker"},
                         "universe: serves it alone; tablet-server: one of several on the same "
                         "rados: universe, of which one leads; worker: merges tables for the one "
                         "that leads"));
  table.push_back(Text("advertise", &Settings::advertise,
                       "address by which clients and other servers of the group reach this one, "
                       "HOST:PORT; empty is the first of tls-listen, or of listen without that"));
  table.push_back(Number("lease", &Settings::lease, {50, 60'000},
                         "milliseconds for which a leader may answer reads without asking; so "
                         "long, and a little more, others wait before they take over"));
  table.push_back(Switch("confirm", &Settings::confirm,
                         "ask the storage before each strong read who leads: nothing rests on "
                         "clocks then"));
  table.push_back(Choice("writes", &Settings::writes, {"forward", "refuse"},
                         "what a server that does not lead does with its clients' commands: "
                         "forward them to the leader, or refuse them and name it"));
  table.push_back(Switch("offload", &Settings::offload,
                         "while this tablet-server leads, have workers merge its tables"));
  table.push_back(Number("worker-threads", &Settings::worker_threads, {1, 256},
                         "merges that a worker carries out at a time"));
}

void AddPeers(std::vector<Setting>& table) {
  table.push_back(Text("peer-listen", &Settings::peer_listen,
                       "address at which servers of the group talk to one another, HOST:PORT; "
                       "empty is none: followers look for what is new"));
  table.push_back(Text("peer-advertise", &Settings::peer_advertise,
                       "address by which other servers of the group reach peer-listen, HOST:PORT; "
                       "empty is peer-listen itself"));
  table.push_back(Text("peer-tls-ca", &Settings::peer_tls_ca,
                       "certificates that those of the group's servers are signed by, PEM"));
  table.push_back(Text("peer-tls-cert", &Settings::peer_tls_cert,
                       "certificate chain that this server shows to the others, PEM"));
  table.push_back(Text("peer-tls-key", &Settings::peer_tls_key, "private key of it, PEM"));
}

void AddAccess(std::vector<Setting>& table) {
  table.push_back(List("listen", &Settings::listen,
                       "addresses to listen on, HOST:PORT; port 0 is any free one"));
  table.push_back(Switch("protected", &Settings::is_protected,
                         "refuse addresses that other machines reach while no password is set"));
  table.push_back(Secret(
      Text("password", &Settings::password, "what clients must give; better in password-file")));
  table.push_back(
      Text("password-file", &Settings::password_file, "file whose first line is the password"));
  table.push_back(Text("acl-file", &Settings::acl_file, "file of users and their rights"));
  table.push_back(
      List("tls-listen", &Settings::tls_listen, "addresses to listen on with TLS, HOST:PORT"));
  table.push_back(Text("tls-cert", &Settings::tls_cert, "certificate chain for TLS, PEM"));
  table.push_back(Text("tls-key", &Settings::tls_key, "private key for TLS, PEM"));
  table.push_back(Text("tls-ca", &Settings::tls_ca,
                       "certificates that those of clients, and of the group's servers, are signed "
                       "by, PEM"));
  table.push_back(Choice("tls-client-auth", &Settings::tls_client_auth,
                         {"no", "optional", "required"}, "whether clients show a certificate"));
  table.push_back(Text("http-listen", &Settings::http_listen,
                       "address of the page for metrics and health, HOST:PORT; empty is none"));
  table.push_back(Text("addresses-file", &Settings::addresses_file,
                       "file to write the real addresses to, one a line, once clients may come"));
}

void AddBounds(std::vector<Setting>& table) {
  table.push_back(
      Live(Number("maxclients", &Settings::maxclients, {1, 1'000'000}, "connections at a time")));
  table.push_back(Live(Number("timeout", &Settings::timeout, {0, 1'000'000'000},
                              "seconds after which an idle connection is closed; 0 is never")));
  table.push_back(Number("handlers", &Settings::handlers, {1, 256},
                         "threads that talk to clients and answer reads"));
  table.push_back(Number("readers", &Settings::readers, {1, 256},
                         "threads for reads from the disk and commands that take long"));
  table.push_back(Choice(
      "reads", &Settings::reads, {"handlers", "workers"},
      "which threads answer reads of what is in memory: handlers at once, or readers in turn"));
  table.push_back(Number("queue-limit", &Settings::queue_limit, {1, 100'000'000},
                         "operations that may wait in each queue before clients hear BUSY"));
  table.push_back(Bytes("output-soft", &Settings::output_soft, {kKiB, kTiB},
                        "unread replies from which on a client is not read from"));
  table.push_back(Bytes("output-hard", &Settings::output_hard, {kKiB, kTiB},
                        "unread replies from which on a client is closed"));
  table.push_back(Number("stuck-seconds", &Settings::stuck_seconds, {1, 1'000'000'000},
                         "seconds without reading its replies after which a client is closed"));
}

void AddTelling(std::vector<Setting>& table) {
  table.push_back(Live(Number("slowlog-micros", &Settings::slowlog_micros, {-1, 1'000'000'000'000},
                              "microseconds from which on SLOWLOG keeps a command; -1 is never")));
  table.push_back(Live(Number("slowlog-kept", &Settings::slowlog_kept, {0, 1'000'000},
                              "commands that SLOWLOG keeps")));
  table.push_back(
      Live(Choice("log-level", &Settings::log_level, {"debug", "info", "warning", "error"},
                  "the least that is told in the log")));
  table.push_back(
      Text("log-file", &Settings::log_file, "file of the log; empty is standard error"));
}

std::vector<Setting> MakeTable() {
  std::vector<Setting> table;
  AddStorage(table);
  AddGroup(table);
  AddPeers(table);
  AddAccess(table);
  AddBounds(table);
  AddTelling(table);
  return table;
}

Error Refusal(const Setting& setting, std::string_view text) {
  const std::string given = setting.secret ? "this" : "'" + std::string(text) + "'";
  return Error(Reason::kBadOption,
               std::string(setting.name) + ": " + given + " is not " + Wanted(setting));
}

std::vector<std::string> Split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(','), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

Status TakeSwitch(const Setting& setting, std::string_view text, Settings& settings) {
  using command::IsWord;
  const bool on = IsWord(text, "true") || IsWord(text, "yes");
  if (!on && !IsWord(text, "false") && !IsWord(text, "no")) {
    return Refusal(setting, text);
  }
  settings.*std::get<bool Settings::*>(setting.field) = on;
  return {};
}

Status TakeBytes(const Setting& setting, std::string_view text, Settings& settings) {
  if (!setting.zero.empty() && text == setting.zero) {
    settings.*std::get<int64_t Settings::*>(setting.field) = 0;
    return {};
  }
  const auto bytes = base::ParseBytes(text);
  if (!bytes.has_value() || *bytes > static_cast<uint64_t>(setting.most)) {
    return Refusal(setting, text);
  }
  return TakeNumber(setting, static_cast<int64_t>(*bytes), settings);
}

// How many letters must be added, dropped or replaced to make one word of the other.
size_t Edits(std::string_view one, std::string_view other) {
  std::vector<size_t> row(other.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < one.size(); ++i) {
    size_t corner = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < other.size(); ++j) {
      const size_t replaced = corner + (one[i] == other[j] ? 0 : 1);
      corner = row[j + 1];
      row[j + 1] = std::min({replaced, corner + 1, row[j] + 1});
    }
  }
  return row.back();
}

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

constexpr std::string_view kSetPassword = "set password-file (or LUNA_PASSWORD), or";
constexpr std::string_view kNobodyIsAsked =
    "nobody is asked for one there, so choose an address of this machine, or";

Status CheckReach(std::string_view name, const std::string& address, bool guarded,
                  std::string_view advice = kSetPassword) {
  const auto parsed = runtime::ParseAddress(address);
  if (!parsed.ok()) {
    return Error(Reason::kBadOption, std::string(name) + ": " + parsed.error().message());
  }
  if (guarded || IsLoopback(parsed->host)) {
    return {};
  }
  return Error(Reason::kBadOption,
               std::string(name) + ": refusing to listen on " + address +
                   ", which other machines may reach, without a password; " + std::string(advice) +
                   " protected = false (--protected false) if every one of them is trusted");
}

bool HasFarAddress(std::span<const std::string> addresses) {
  return std::ranges::any_of(addresses, [](const std::string& address) {
    const auto parsed = runtime::ParseAddress(address);
    return parsed.ok() && !IsLoopback(parsed->host);
  });
}

// That others reach it under the very address, which the setting of that name gives.
Status CheckAdvertised(const std::string& name, const std::string& address,
                       const std::string& advertise) {
  const auto parsed = runtime::ParseAddress(address);
  if (!parsed.ok()) {
    return Error(Reason::kBadOption, name + ": " + parsed.error().message());
  }
  if (parsed->port == 0) {
    return Error(Reason::kBadOption, name +
                                         ": others must know the port of a tablet-server; give " +
                                         address + " a port other than 0");
  }
  if (parsed->host.empty() || parsed->host == "0.0.0.0" || parsed->host == "::") {
    return Error(Reason::kBadOption, name + ": " + address + " leads nobody here; set " +
                                         advertise +
                                         " to the address by which others reach this server");
  }
  return {};
}

Status CheckShared(const Settings& settings) {
  if (settings.universe.starts_with("rados:")) {
    return {};
  }
  return Error(Reason::kBadOption, "role = " + settings.role +
                                       " needs a universe that several servers "
                                       "share: universe = rados:POOL?conf=FILE, not '" +
                                       settings.universe + "'");
}

Status CheckPeers(const Settings& settings) {
  const bool all = !settings.peer_tls_ca.empty() && !settings.peer_tls_cert.empty() &&
                   !settings.peer_tls_key.empty();
  const bool any = !settings.peer_tls_ca.empty() || !settings.peer_tls_cert.empty() ||
                   !settings.peer_tls_key.empty();
  if (settings.peer_listen.empty()) {
    return !any && settings.peer_advertise.empty()
               ? Status()
               : Error(Reason::kBadOption,
                       "peer-advertise and peer-tls-ca, -cert and -key need peer-listen");
  }
  if (any != all) {
    return Error(Reason::kBadOption,
                 "peer-tls-ca, peer-tls-cert and peer-tls-key need one another: servers show each "
                 "other certificates in both directions");
  }
  const auto parsed = runtime::ParseAddress(settings.peer_listen);
  if (!parsed.ok()) {
    return Error(Reason::kBadOption, "peer-listen: " + parsed.error().message());
  }
  if (!all && !IsLoopback(parsed->host)) {
    return Error(Reason::kBadOption,
                 "peer-listen: refusing to listen on " + settings.peer_listen +
                     ", which other machines may reach, without TLS; set peer-tls-ca, "
                     "peer-tls-cert and peer-tls-key, or choose an address of this machine");
  }
  return CheckAdvertised(settings.peer_advertise.empty() ? "peer-listen" : "peer-advertise",
                         PeerAddress(settings), "peer-advertise");
}

// What a server that follows needs to pass clients on under TLS. The leader sees one certificate
// for all of them, this server's: it is shown only where each of them had to show its own.
Status CheckPassingOn(const Settings& settings) {
  if (settings.tls_listen.empty() || settings.writes != "forward") {
    return {};
  }
  if (settings.tls_ca.empty()) {
    return Error(
        Reason::kBadOption,
        "tls-listen of a tablet-server needs tls-ca: who passes clients on must know whom to "
        "trust to be the leader; or set writes = refuse");
  }
  if (settings.tls_client_auth == "required" && !settings.listen.empty()) {
    return Error(
        Reason::kBadOption,
        "tls-client-auth = required: a tablet-server that passes clients on shows the leader "
        "its own certificate for them, also for those of listen, who have none; set listen "
        "= [] (--listen \"\"), or writes = refuse");
  }
  return {};
}

Status CheckGroup(const Settings& settings) {
  if (settings.role != "tablet-server") {
    if (!settings.advertise.empty()) {
      return Error(Reason::kBadOption, "advertise needs role = tablet-server");
    }
    if (settings.offload) {
      return Error(Reason::kBadOption, "offload needs role = tablet-server");
    }
    if (!settings.peer_listen.empty()) {
      return Error(Reason::kBadOption, "peer-listen needs role = tablet-server");
    }
    TRY(CheckPeers(settings));
    return settings.role == "worker" ? CheckShared(settings) : Status();
  }
  TRY(CheckShared(settings));
  TRY(CheckPassingOn(settings));
  if (const auto page = runtime::ParseAddress(settings.http_listen); page.ok() && page->port == 0) {
    return Error(Reason::kBadOption,
                 "http-listen: the page of a tablet-server keeps its address "
                 "when the lead changes; give it a port other than 0");
  }
  if (settings.durability == "relaxed") {
    return Error(Reason::kBadOption,
                 "role = tablet-server acknowledges nothing that a take-over "
                 "could lose; set durability = device");
  }
  TRY(CheckPeers(settings));
  const std::string named = !settings.advertise.empty()    ? "advertise"
                            : !settings.tls_listen.empty() ? "tls-listen"
                                                           : "listen";
  return CheckAdvertised(named, AdvertisedAddress(settings), "advertise");
}

// The same address is the same text, however it was written.
std::string OneForm(const std::string& address) {
  const auto parsed = runtime::ParseAddress(address);
  return parsed.ok() ? runtime::FormatAddress(*parsed) : address;
}

Status CheckTls(const Settings& settings) {
  if (!settings.tls_listen.empty() && (settings.tls_cert.empty() || settings.tls_key.empty())) {
    return Error(Reason::kBadOption, "tls-listen needs tls-cert and tls-key");
  }
  if (settings.tls_client_auth != "no" && settings.tls_ca.empty()) {
    return Error(Reason::kBadOption, "tls-client-auth needs tls-ca");
  }
  return {};
}

}  // namespace

std::span<const Setting> AllSettings() {
  static const std::vector<Setting> table = MakeTable();
  return table;
}

const Setting* FindSetting(std::string_view name) {
  const auto table = AllSettings();
  const auto found = std::ranges::find_if(
      table, [&](const Setting& setting) { return command::IsWord(name, setting.name); });
  return found == table.end() ? nullptr : &*found;
}

std::string_view NearestSetting(std::string_view word) {
  constexpr size_t kEditsMax = 4;
  std::string_view nearest;
  size_t least = std::min(kEditsMax + 1, word.size());
  for (const Setting& setting : AllSettings()) {
    if (const size_t edits = Edits(word, setting.name); edits < least) {
      least = edits;
      nearest = setting.name;
    }
  }
  return nearest;
}

std::string ExactBytes(int64_t bytes) {
  struct Unit {
    int64_t bytes;
    std::string_view name;
  };
  for (const Unit unit :
       {Unit{kTiB, "TiB"}, Unit{kGiB, "GiB"}, Unit{kMiB, "MiB"}, Unit{kKiB, "KiB"}}) {
    if (bytes >= unit.bytes && bytes % unit.bytes == 0) {
      return std::to_string(bytes / unit.bytes) + std::string(unit.name);
    }
  }
  return std::to_string(bytes);
}

std::string Wanted(const Setting& setting) {
  switch (setting.kind) {
    case Kind::kNumber:
      return "a whole number from " + std::to_string(setting.least) + " to " +
             std::to_string(setting.most);
    case Kind::kBytes:
      return "a size from " + ExactBytes(setting.least) + " to " + ExactBytes(setting.most) +
             ", such as \"512MiB\"" +
             (setting.zero.empty() ? "" : ", or \"" + std::string(setting.zero) + "\"");
    case Kind::kSwitch:
      return "true or false";
    case Kind::kList:
      return "a list of texts";
    case Kind::kChoice: {
      std::string words = "one of";
      for (const std::string_view choice : setting.choices) {
        words += (choice == setting.choices.front() ? " \"" : ", \"") + std::string(choice) + "\"";
      }
      return words;
    }
    case Kind::kText:
      break;
  }
  return "a text";
}

std::string TextOf(const Setting& setting, const Settings& settings) {
  if (const auto* list = std::get_if<std::vector<std::string> Settings::*>(&setting.field)) {
    std::string joined;
    for (const std::string& one : settings.**list) {
      joined += (joined.empty() ? "" : ",") + one;
    }
    return joined;
  }
  if (const auto* number = std::get_if<int64_t Settings::*>(&setting.field)) {
    if (settings.**number == 0 && !setting.zero.empty()) {
      return std::string(setting.zero);
    }
    return setting.kind == Kind::kBytes ? ExactBytes(settings.**number)
                                        : std::to_string(settings.**number);
  }
  if (const auto* on = std::get_if<bool Settings::*>(&setting.field)) {
    return settings.**on ? "true" : "false";
  }
  const std::string& text = settings.*std::get<std::string Settings::*>(setting.field);
  return setting.secret && !text.empty() ? "(hidden)" : text;
}

Status TakeNumber(const Setting& setting, int64_t number, Settings& settings) {
  const bool fits = number >= setting.least && number <= setting.most;
  if (!fits || (setting.kind != Kind::kNumber && setting.kind != Kind::kBytes)) {
    return Refusal(setting,
                   setting.kind == Kind::kBytes ? ExactBytes(number) : std::to_string(number));
  }
  settings.*std::get<int64_t Settings::*>(setting.field) = number;
  return {};
}

Status TakeText(const Setting& setting, std::string_view text, Settings& settings) {
  int64_t number = 0;
  switch (setting.kind) {
    case Kind::kNumber:
      if (!command::ParseInteger(text, number)) {
        return Refusal(setting, text);
      }
      return TakeNumber(setting, number, settings);
    case Kind::kBytes:
      return TakeBytes(setting, text, settings);
    case Kind::kSwitch:
      return TakeSwitch(setting, text, settings);
    case Kind::kList:
      settings.*std::get<std::vector<std::string> Settings::*>(setting.field) = Split(text);
      return {};
    case Kind::kChoice:
      if (std::ranges::find(setting.choices, text) == setting.choices.end()) {
        return Refusal(setting, text);
      }
      break;
    case Kind::kText:
      break;
  }
  settings.*std::get<std::string Settings::*>(setting.field) = std::string(text);
  return {};
}

bool IsSame(const Setting& setting, const Settings& one, const Settings& other) {
  return std::visit([&](auto field) { return one.*field == other.*field; }, setting.field);
}

Status CheckTogether(const Settings& settings) {
  if (settings.listen.empty() && settings.tls_listen.empty()) {
    return Error(Reason::kBadOption, "listen: nobody could connect; name an address");
  }
  if (!settings.password.empty() && !settings.password_file.empty()) {
    return Error(Reason::kBadOption, "password and password-file are both set; keep one");
  }
  if (settings.output_soft > settings.output_hard) {
    return Error(Reason::kBadOption, "output-soft exceeds output-hard");
  }
  TRY(CheckTls(settings));
  TRY(CheckGroup(settings));
  const bool open = !settings.is_protected;
  const bool guarded = open || !settings.password.empty() || !settings.password_file.empty() ||
                       !settings.acl_file.empty();
  for (const std::string& address : settings.listen) {
    TRY(CheckReach("listen", address, guarded));
  }
  for (const std::string& address : settings.tls_listen) {
    TRY(CheckReach("tls-listen", address, guarded || settings.tls_client_auth == "required"));
  }
  if (!settings.http_listen.empty()) {
    TRY(CheckReach("http-listen", settings.http_listen, open, kNobodyIsAsked));
  }
  return {};
}

std::string AdvertisedAddress(const Settings& settings) {
  if (!settings.advertise.empty()) {
    return OneForm(settings.advertise);
  }
  const auto& addresses = settings.tls_listen.empty() ? settings.listen : settings.tls_listen;
  return addresses.empty() ? std::string() : OneForm(addresses.front());
}

std::string PeerAddress(const Settings& settings) {
  return OneForm(settings.peer_advertise.empty() ? settings.peer_listen : settings.peer_advertise);
}

bool OthersMustAsk(const Settings& settings) {
  return settings.is_protected &&
         (HasFarAddress(settings.listen) ||
          (HasFarAddress(settings.tls_listen) && settings.tls_client_auth != "required"));
}

}  // namespace luna::server
