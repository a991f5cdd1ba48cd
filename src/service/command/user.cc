#include "service/command/user.h"

#include <algorithm>
#include <cctype>

#include "runtime/tls/secrets.h"
#include "service/command/categories.h"
#include "service/command/glob.h"

namespace luna::command {
namespace {

constexpr std::string_view kSyntax = "Syntax error";
constexpr std::string_view kUnknown = "Unknown command or category name in ACL";
constexpr std::string_view kNoPassword =
    "The password you are trying to remove from the user does not exist";
constexpr std::string_view kBadDigest =
    "The password hash must be exactly 64 characters and contain only lowercase hexadecimal "
    "characters";

// Redis' categories of which Luna has no command; rules may name them all the same.
constexpr std::string_view kEmptyCategories[] = {"set",    "sortedset", "list",        "hash",
                                                 "bitmap", "geo",       "hyperloglog", "stream",
                                                 "pubsub", "blocking",  "scripting"};

std::string LowerCaseOf(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char letter) {
    return static_cast<char>(std::tolower(letter));
  });
  return lower;
}

bool Has(const auto& words, std::string_view word) {
  return std::ranges::find(words, word) != std::end(words);
}

bool IsDigest(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool IsCategory(std::string_view name) {
  const auto known = AllCategories();
  return name == "all" || Has(known, name) || Has(kEmptyCategories, name);
}

bool Belongs(const Command& command, std::string_view category) {
  return category == "all" ||
         std::ranges::any_of(CategoriesOf(command),
                             [&](std::string_view mine) { return mine.substr(1) == category; });
}

// What a command does with its keys' values, as Redis' key specifications tell. Neither: only
// whether they are there.
struct Touch {
  bool reads = false;
  bool writes = false;
};

Touch TouchOf(const Command& command, std::span<const std::string_view> arguments, int position) {
  static constexpr std::string_view kLooks[] = {"exists", "touch",       "type",        "ttl",
                                                "pttl",   "expiretime",  "pexpiretime", "strlen",
                                                "watch",  "memory|usage"};
  static constexpr std::string_view kChanges[] = {"incr",        "incrby",  "decr",   "decrby",
                                                  "incrbyfloat", "getset",  "getdel", "getex",
                                                  "delex",       "delifeq", "move"};
  if (Has(kLooks, command.name) || command.name.starts_with("object|")) {
    return {};
  }
  if (command.name == "copy") {
    return {.reads = position == 1, .writes = position == 2};
  }
  if (command.name == "rename" || command.name == "renamenx") {
    return {.reads = position == 1, .writes = true};
  }
  const bool writes = (command.flags & kFlagWrite) != 0;
  // SET with GET or a comparison shows the old value.
  const bool shows =
      command.name == "set" && std::ranges::any_of(arguments.subspan(3), [](std::string_view word) {
        return IsWord(word, "get") || IsWord(word, "ifeq");
      });
  return {.reads = !writes || shows || Has(kChanges, command.name), .writes = writes};
}

// Commands over ranges of keys, whose keys the row cannot name.
bool IsOverARange(const Command& command) {
  return command.name == "range" || command.name == "delrange" || command.name == "size|range";
}

// What reaches every database at once.
bool IsOfTheUniverse(const Command& command) {
  static constexpr std::string_view kNames[] = {"backup", "checkpoint", "flushall", "restore"};
  return Has(kNames, command.name);
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

}  // namespace

User User::Unrestricted(std::string name) {
  User user(std::move(name));
  user.on_ = true;
  user.no_password_ = true;
  user.keys_ = {{.glob = "*"}};
  user.channels_ = {"*"};
  user.all_commands_ = true;
  user.rules_ = {"+@all"};
  return user;
}

std::string_view User::Apply(const CommandTable& table, std::string_view rule) {
  const std::string word = LowerCaseOf(rule);
  if (word == "on" || word == "off") {
    on_ = word == "on";
  } else if (word == "nopass" || word == "resetpass") {
    no_password_ = word == "nopass";
    digests_.clear();
  } else if (word == "allkeys" || word == "resetkeys") {
    keys_ = word == "allkeys" ? std::vector<KeyPattern>{{.glob = "*"}} : std::vector<KeyPattern>();
  } else if (word == "allchannels" || word == "resetchannels") {
    channels_ = word == "allchannels" ? std::vector<std::string>{"*"} : std::vector<std::string>();
  } else if (word == "allcommands" || word == "nocommands") {
    return ApplyCommands(table, word == "allcommands" ? "+@all" : "-@all");
  } else if (word == "alldbs") {
    databases_.clear();
  } else if (word.starts_with("db:") && rule.size() > 3) {
    databases_.insert(std::string(rule.substr(3)));
  } else if (word == "reset") {
    *this = User(name_);
  } else if (word == "sanitize-payload" || word == "skip-sanitize-payload" ||
             word == "clearselectors") {
    return {};  // payloads and selectors: there are none
  } else if (rule.empty()) {
    return kSyntax;
  } else if (std::string_view("><#!").contains(rule[0])) {
    return ApplyPassword(rule);
  } else if (rule[0] == '~' || rule[0] == '%') {
    return ApplyKeys(rule);
  } else if (rule[0] == '&') {
    return ApplyChannel(rule.substr(1));
  } else if (rule[0] == '+' || rule[0] == '-') {
    return ApplyCommands(table, word);
  } else {
    return kSyntax;
  }
  return {};
}

std::string_view User::ApplyPassword(std::string_view rule) {
  const bool is_digest = rule[0] == '#' || rule[0] == '!';
  if (is_digest && !IsDigest(rule.substr(1))) {
    return kBadDigest;
  }
  const std::string digest =
      is_digest ? std::string(rule.substr(1)) : tls::Sha256Hex(rule.substr(1));
  if (rule[0] == '>' || rule[0] == '#') {
    if (!Has(digests_, digest)) {
      digests_.push_back(digest);
    }
    no_password_ = false;
    return {};
  }
  return std::erase(digests_, digest) > 0 ? std::string_view() : kNoPassword;
}

std::string_view User::ApplyKeys(std::string_view rule) {
  KeyPattern pattern;
  if (rule[0] == '%') {
    const size_t end = rule.find('~');
    const std::string access = LowerCaseOf(rule.substr(1, end == rule.npos ? end : end - 1));
    if (end == rule.npos || (access != "r" && access != "w" && access != "rw" && access != "wr")) {
      return kSyntax;
    }
    pattern.reads = access.contains('r');
    pattern.writes = access.contains('w');
    rule = rule.substr(end);
  }
  pattern.glob = rule.substr(1);
  if (pattern.glob.contains(' ') || pattern.glob.contains('\0')) {
    return kSyntax;
  }
  const bool is_all = pattern.glob == "*" && pattern.reads && pattern.writes;
  if (all_keys() && !is_all) {
    return "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not "
           "have any effect. Try 'resetkeys' to start with an empty list of patterns";
  }
  if (is_all) {
    keys_.clear();
  }
  const auto same = std::ranges::find(keys_, pattern.glob, &KeyPattern::glob);
  if (same == keys_.end()) {
    keys_.push_back(std::move(pattern));
  } else {
    same->reads = same->reads || pattern.reads;
    same->writes = same->writes || pattern.writes;
  }
  return {};
}

std::string_view User::ApplyChannel(std::string_view glob) {
  if (Has(channels_, "*") && glob != "*") {
    return "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does "
           "not have any effect. Try 'resetchannels' to start with an empty list of channels";
  }
  if (glob.contains(' ') || glob.contains('\0')) {
    return kSyntax;
  }
  if (glob == "*") {
    channels_.clear();
  }
  if (!Has(channels_, glob)) {
    channels_.emplace_back(glob);
  }
  return {};
}

void User::Permit(const Command& command, bool allowed) {
  if (allowed) {
    commands_.insert(&command);
  } else {
    commands_.erase(&command);
  }
}

std::string_view User::ApplyCommands(const CommandTable& table, std::string_view rule) {
  const bool allowed = rule[0] == '+';
  const std::string_view name = rule.substr(1);
  if (name.starts_with('@')) {
    const std::string_view category = name.substr(1);
    if (!IsCategory(category)) {
      return kUnknown;
    }
    for (const Command* command : table.all()) {
      for (const Command& subcommand : command->subcommands) {
        Belongs(subcommand, category) ? Permit(subcommand, allowed) : void();
      }
      Belongs(*command, category) ? Permit(*command, allowed) : void();
    }
    if (category == "all") {
      rules_ = {std::string(rule)};
      all_commands_ = allowed;
      return {};
    }
  } else {
    const size_t bar = name.find('|');
    const std::string_view parts[] = {name.substr(0, bar),
                                      bar == name.npos ? "" : name.substr(bar + 1)};
    const Command* command = table.Find(std::span(parts).first(bar == name.npos ? 1 : 2));
    if (command == nullptr || command->name != name) {
      return kUnknown;
    }
    Permit(*command, allowed);
    for (const Command& subcommand : command->subcommands) {
      Permit(subcommand, allowed);
    }
    // What was said of the command before, and of its parts, is void.
    std::erase_if(rules_, [&](const std::string& old) {
      const std::string_view before = std::string_view(old).substr(1);
      return before.starts_with(name) && before.substr(name.size()).starts_with('|');
    });
  }
  all_commands_ = all_commands_ && allowed;
  std::erase_if(rules_, [&](const std::string& old) { return old.substr(1) == name; });
  rules_.emplace_back(rule);
  return {};
}

bool User::MayTouch(std::string_view key, bool reads, bool writes) const {
  return std::ranges::any_of(keys_, [&](const KeyPattern& pattern) {
    return (pattern.reads || !reads) && (pattern.writes || !writes) &&
           GlobMatches(pattern.glob, key);
  });
}

bool User::MayUse(std::string_view database) const {
  return databases_.empty() || databases_.contains(database);
}

Refusal User::Judge(const Command& command, std::span<const std::string_view> arguments,
                    std::string_view database) const {
  if (!all_commands_ && !commands_.contains(&command)) {
    return {Refusal::Kind::kCommand, std::string(command.name)};
  }
  if (!all_databases()) {
    // What names databases is refused whole, what works in one by the session's.
    const bool names_one = command.name == "use" || command.name == "database|info";
    if (names_one && arguments.size() > 1) {
      const std::string_view named = arguments[command.name == "use" ? 1 : arguments.size() - 1];
      if (!MayUse(named)) {
        return {Refusal::Kind::kDatabase, std::string(named)};
      }
    } else if (command.name.starts_with("database|") || IsOfTheUniverse(command)) {
      return {Refusal::Kind::kCommand, std::string(command.name)};
    }
    const bool stays_outside =
        command.place == Place::kConnection &&
        (command.group == "connection" || command.group == "server" || command.name == "use");
    if (!stays_outside && !MayUse(database)) {
      return {Refusal::Kind::kDatabase, std::string(database)};
    }
  }
  if (all_keys()) {
    return {};
  }
  const bool writes = (command.flags & kFlagWrite) != 0;
  if (IsOverARange(command) && !std::ranges::any_of(keys_, [&](const KeyPattern& pattern) {
        return pattern.glob == "*" && (writes ? pattern.writes : pattern.reads);
      })) {
    return {Refusal::Kind::kKey, "*"};
  }
  if (command.first_key == 0) {
    return {};
  }
  const int count = static_cast<int>(arguments.size());
  const int last = command.last_key < 0 ? count + command.last_key : command.last_key;
  for (int i = command.first_key; i <= last && i < count; i += command.key_step) {
    const Touch touch = TouchOf(command, arguments, i);
    const std::string_view key = arguments[static_cast<size_t>(i)];
    if (!MayTouch(key, touch.reads, touch.writes)) {
      return {Refusal::Kind::kKey, std::string(key)};
    }
  }
  return {};
}

std::string User::DescribeCommands() const {
  return Joined(rules_);
}

std::string User::DescribeKeys() const {
  std::vector<std::string> words;
  for (const KeyPattern& pattern : keys_) {
    const std::string_view start = !pattern.writes ? "%R~" : !pattern.reads ? "%W~" : "~";
    words.push_back(std::string(start) + pattern.glob);
  }
  return Joined(words);
}

std::string User::DescribeChannels() const {
  std::vector<std::string> words;
  for (const std::string& channel : channels_) {
    words.push_back("&" + channel);
  }
  return Joined(words);
}

std::string User::DescribeDatabases() const {
  std::vector<std::string> words;
  for (const std::string& database : databases_) {
    words.push_back("db:" + database);
  }
  return Joined(words);
}

std::string User::Describe() const {
  std::vector<std::string> words = {on_ ? "on" : "off"};
  if (no_password_) {
    words.emplace_back("nopass");
  }
  for (const std::string& digest : digests_) {
    words.push_back("#" + digest);
  }
  if (!keys_.empty()) {
    words.push_back(DescribeKeys());
  }
  if (!Has(channels_, "*")) {
    words.emplace_back("resetchannels");
  }
  if (!channels_.empty()) {
    words.push_back(DescribeChannels());
  }
  if (!databases_.empty()) {
    words.push_back(DescribeDatabases());
  }
  words.push_back(DescribeCommands());
  return Joined(words);
}

}  // namespace luna::command
