// Users: who may use the service, and the file they are kept in: Redis' ACL file, one line a user,
// "user NAME RULE ...". There is always a user "default", for clients that never say who they are.
//
// A request is judged by the user's rights as they are then. A session remembers the version at
// which its user was unrestricted: while that stands, nothing is looked up.
// Thread rule: safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "runtime/file_system.h"
#include "service/command/failed_logins.h"
#include "service/command/user.h"

namespace luna::command {

inline constexpr std::string_view kDefaultUser = "default";

class Users {
 public:
  Users();  // "default", unrestricted

  // Grows with every change; never 0.
  uint64_t version() const { return version_.load(std::memory_order_acquire); }
  // Clients need not say who they are: "default" is on and has no password.
  bool is_open() const { return open_.load(std::memory_order_acquire); }

  std::shared_ptr<const User> Find(std::string_view name) const;  // null: there is none
  std::vector<std::shared_ptr<const User>> All() const;           // by name
  // All rules or none: kBadOption with Redis' words.
  Status Set(const CommandTable& table, std::string_view name,
             std::span<const std::string_view> rules);
  bool Remove(std::string_view name);  // false: there is none
  // The one password of "default"; "" takes it away.
  void SetDefaultPassword(std::string_view password);
  // Whether this is a password of a user who is on. Takes as long when there is no such user.
  bool CheckPassword(std::string_view name, std::string_view password) const;

  // The users of a file's text instead of all there are, or kBadOption, naming file and line.
  Status Take(const CommandTable& table, std::string_view text, const std::string& file);
  std::string Text() const;
  // Where they are kept; "" nowhere. Set before anybody asks.
  void set_file(std::string file) { file_ = std::move(file); }
  const std::string& file() const { return file_; }
  // A file that is missing is kFileMissing.
  Status Load(const CommandTable& table, runtime::FileSystem& files);
  Status Save(runtime::FileSystem& files) const;

  FailedLogins& failed_logins() { return failed_logins_; }
  Denials& denials() { return denials_; }

 private:
  using Map = std::map<std::string, std::shared_ptr<const User>, std::less<>>;
  void Changed() REQUIRES(mutex_);

  std::atomic<uint64_t> version_ = 1;
  std::atomic<bool> open_ = true;
  std::string file_;
  mutable base::Mutex mutex_;
  Map users_ GUARDED_BY(mutex_);
  FailedLogins failed_logins_;
  Denials denials_;
};

}  // namespace luna::command
