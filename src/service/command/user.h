// User: a name, passwords and rights, as Redis 7.0's ACL rules describe them, and one rule of
// Luna's: the databases a user may work in. Rules are applied one after the other; the description
// is made of rules that lead to the same user. There are no selectors. Thread rule: guarded by the
// caller; shared as const it is immutable.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "service/command/command_table.h"

namespace luna::command {

struct KeyPattern {
  std::string glob;
  bool reads = true;
  bool writes = true;
};

// What a user is not allowed, of one request.
struct Refusal {
  enum class Kind : uint8_t { kNone, kCommand, kKey, kDatabase } kind = Kind::kNone;
  std::string object;  // the name of the command, key or database
};

class User {
 public:
  // Off, without a password, a command or a key, in every database.
  explicit User(std::string name) : name_(std::move(name)) {}
  // On, without a password, with all rights.
  static User Unrestricted(std::string name);

  // Applies one rule. "" or, in Redis' words, what is wrong with it; the user is unchanged then.
  std::string_view Apply(const CommandTable& table, std::string_view rule);
  // The rules, with spaces between them.
  std::string Describe() const;

  // Whether every request is allowed.
  bool unrestricted() const { return all_commands_ && all_keys() && all_databases(); }
  // Whether the user may run the request in this database; of keys, those the command's row names.
  Refusal Judge(const Command& command, std::span<const std::string_view> arguments,
                std::string_view database) const;
  bool MayUse(std::string_view database) const;
  // By name; "" if every one.
  std::string first_database() const { return databases_.empty() ? "" : *databases_.begin(); }

  const std::string& name() const { return name_; }
  bool on() const { return on_; }
  bool no_password() const { return no_password_; }
  const std::vector<std::string>& password_digests() const { return digests_; }  // SHA-256, hex
  std::string DescribeCommands() const;                                          // "-@all +get"
  std::string DescribeKeys() const;                                              // "~a:* %R~b:*"
  std::string DescribeChannels() const;                                          // "&*"
  std::string DescribeDatabases() const;  // "db:a db:b"; "" for all

 private:
  bool all_keys() const {
    return keys_.size() == 1 && keys_[0].glob == "*" && keys_[0].reads && keys_[0].writes;
  }
  bool all_databases() const { return databases_.empty(); }
  std::string_view ApplyPassword(std::string_view rule);
  std::string_view ApplyKeys(std::string_view rule);
  std::string_view ApplyChannel(std::string_view glob);
  std::string_view ApplyCommands(const CommandTable& table, std::string_view rule);
  void Permit(const Command& command, bool allowed);
  bool MayTouch(std::string_view key, bool reads, bool writes) const;

  std::string name_;
  bool on_ = false;
  bool no_password_ = false;
  std::vector<std::string> digests_;
  std::vector<KeyPattern> keys_;
  std::vector<std::string> channels_;
  std::set<std::string, std::less<>> databases_;  // empty: all
  bool all_commands_ = false;                     // every one, whatever `commands_` holds
  std::unordered_set<const Command*> commands_;   // never iterated
  std::vector<std::string> rules_ = {"-@all"};    // that made `commands_`
};

}  // namespace luna::command
