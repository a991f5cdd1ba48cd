#include "service/command/users.h"

#include <utility>

#include "base/try.h"
#include "runtime/tls/secrets.h"

namespace luna::command {
namespace {

// The words of a line, apart by spaces or tabs.
std::vector<std::string_view> WordsOf(std::string_view line) {
  constexpr std::string_view kSpaces = " \t\r";
  std::vector<std::string_view> words;
  size_t begin = line.find_first_not_of(kSpaces);
  while (begin != std::string_view::npos) {
    const size_t end = line.find_first_of(kSpaces, begin);
    words.push_back(line.substr(begin, end - begin));
    begin = line.find_first_not_of(kSpaces, end);
  }
  return words;
}

bool IsUserName(std::string_view name) {
  return !name.contains(' ') && !name.contains('\0');
}

}  // namespace

Users::Users() {
  const base::MutexLock lock(mutex_);
  users_[std::string(kDefaultUser)] =
      std::make_shared<const User>(User::Unrestricted(std::string(kDefaultUser)));
}

void Users::Changed() {
  const User& open = *users_.find(kDefaultUser)->second;
  open_.store(open.on() && open.no_password(), std::memory_order_release);
  version_.fetch_add(1, std::memory_order_acq_rel);
}

std::shared_ptr<const User> Users::Find(std::string_view name) const {
  const base::MutexLock lock(mutex_);
  const auto found = users_.find(name);
  return found == users_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<const User>> Users::All() const {
  std::vector<std::shared_ptr<const User>> all;
  const base::MutexLock lock(mutex_);
  for (const auto& [name, user] : users_) {
    all.push_back(user);
  }
  return all;
}

Status Users::Set(const CommandTable& table, std::string_view name,
                  std::span<const std::string_view> rules) {
  if (name.contains('@')) {
    return Error(Reason::kBadOption,
                 "Usernames can't contain '@', which stands between a user and a database");
  }
  if (!IsUserName(name)) {
    return Error(Reason::kBadOption, "Usernames can't contain spaces or null characters");
  }
  const base::MutexLock lock(mutex_);
  const auto found = users_.find(name);
  User user = found == users_.end() ? User(std::string(name)) : *found->second;
  for (const std::string_view rule : rules) {
    if (const std::string_view wrong = user.Apply(table, rule); !wrong.empty()) {
      return Error(Reason::kBadOption, "Error in ACL SETUSER modifier '" + std::string(rule) +
                                           "': " + std::string(wrong));
    }
  }
  users_[std::string(name)] = std::make_shared<const User>(std::move(user));
  Changed();
  return {};
}

bool Users::Remove(std::string_view name) {
  const base::MutexLock lock(mutex_);
  const auto found = users_.find(name);
  if (found == users_.end() || name == kDefaultUser) {
    return false;
  }
  users_.erase(found);
  Changed();
  return true;
}

void Users::SetDefaultPassword(std::string_view password) {
  const CommandTable none(std::span<const Command>{});
  const std::string rule = ">" + std::string(password);
  const base::MutexLock lock(mutex_);
  User user = *users_.find(kDefaultUser)->second;
  // These rules are never wrong, and none looks at the table.
  static_cast<void>(user.Apply(none, password.empty() ? "nopass" : "resetpass"));
  if (!password.empty()) {
    static_cast<void>(user.Apply(none, rule));
  }
  users_[std::string(kDefaultUser)] = std::make_shared<const User>(std::move(user));
  Changed();
}

bool Users::CheckPassword(std::string_view name, std::string_view password) const {
  const auto user = Find(name);
  const std::string given = tls::Sha256Hex(password);
  const std::string nothing(given.size(), 'x');  // compared for whoever is not there
  bool fits = user == nullptr && tls::IsSameSecret(given, nothing);
  if (user != nullptr) {
    for (const std::string& digest : user->password_digests()) {
      const bool same = tls::IsSameSecret(given, digest);
      fits = fits || same;
    }
    fits = (fits || user->no_password()) && user->on();
  }
  return fits;
}

Status Users::Take(const CommandTable& table, std::string_view text, const std::string& file) {
  Map users;
  size_t number = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::vector<std::string_view> words = WordsOf(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    const std::string where = file + ":" + std::to_string(++number) + ": ";
    if (words.empty() || words[0].starts_with('#')) {
      continue;
    }
    if (words[0] != "user" || words.size() < 2 || !IsUserName(words[1]) || words[1].contains('@')) {
      return Error(Reason::kBadOption,
                   where + "a line must start with the word user and a name; correct or remove it");
    }
    User user{std::string(words[1])};
    for (const std::string_view rule : std::span(words).subspan(2)) {
      if (const std::string_view wrong = user.Apply(table, rule); !wrong.empty()) {
        return Error(Reason::kBadOption,
                     where + "the rule '" + std::string(rule) + "': " + std::string(wrong));
      }
    }
    if (!users.emplace(words[1], std::make_shared<const User>(std::move(user))).second) {
      return Error(Reason::kBadOption, where + "the user '" + std::string(words[1]) +
                                           "' is there already; leave one line");
    }
  }
  const base::MutexLock lock(mutex_);
  if (!users.contains(kDefaultUser)) {
    // As Redis: who is not mentioned is as at the start, a password that was set included.
    users.emplace(kDefaultUser, users_.find(kDefaultUser)->second);
  }
  users_ = std::move(users);
  Changed();
  return {};
}

std::string Users::Text() const {
  std::string text;
  for (const auto& user : All()) {
    text += "user " + user->name() + " " + user->Describe() + "\n";
  }
  return text;
}

Status Users::Load(const CommandTable& table, runtime::FileSystem& files) {
  const std::string text = TRY(runtime::ReadFile(files, file_));
  return Take(table, text, file_);
}

Status Users::Save(runtime::FileSystem& files) const {
  return runtime::WriteFileAtomically(files, file_, Text());
}

}  // namespace luna::command
