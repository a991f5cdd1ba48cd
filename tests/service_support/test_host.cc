#include "service_support/test_host.h"

#include <utility>

#include "base/assert.h"
#include "base/try.h"
#include "runtime/posix/posix_runtime.h"

namespace luna::service_support {
namespace {

bool IsNumbered(std::string_view name) {
  return name.size() <= 2 && !name.empty() && name[0] >= '0' && name[0] <= '9' &&
         (name.size() == 1 || (name[0] == '1' && name[1] >= '0' && name[1] <= '5'));
}

}  // namespace

TestHost::TestHost(std::span<const command::Command> rows)
    : runtime_(posix::NewPosixRuntime()),
      universe_(Universe::Open({.location = "memory:", .durability = Durability::kProcess},
                               {.listener = nullptr, .runtime = runtime_.get()})
                    .value()),
      own_table_(rows.empty() ? nullptr : std::make_unique<command::CommandTable>(rows)),
      command_counts_(std::make_unique<command::CommandCounts>(commands())),
      holdings_(std::make_unique<command::Holdings>(*runtime_)) {
  universe_->OpenOrCreateDatabase(command::kDefaultDatabase).value();
}

TestHost::~TestHost() = default;

command::Session TestHost::NewSession() {
  command::Session session;
  session.id = next_session_++;
  session.peer = "127.0.0.1:50000";
  session.local = "127.0.0.1:6479";
  session.connected_nanos = runtime_->clock().MonotonicNanos();
  command::ChooseCollection(*this, session, command::kDefaultDatabase, command::kDefaultCollection)
      .value();
  return session;
}

std::string TestHost::Do(command::Session& session, std::span<const std::string_view> arguments) {
  std::string out;
  resp::ReplyWriter reply(out, session.version);
  const command::Decision decision = command::Decide(commands(), session, *this, arguments, reply);
  if (decision.answered) {
    return out;
  }
  if (command::PlaceOf(*decision.command, session) == command::Place::kWrite) {
    return RunAsWriter(*decision.command, session, arguments);
  }
  command::Run(*decision.command, session, *this, arguments, nullptr, reply);
  return out;
}

std::string TestHost::RunAsWriter(const command::Command& command, command::Session& session,
                                  std::span<const std::string_view> arguments) {
  std::string out;
  resp::ReplyWriter reply(out, session.version);
  auto transaction = session.database->Begin().value();
  if (!command::Run(command, session, *this, arguments, transaction.get(), reply)) {
    return out;
  }
  if (const auto committed = transaction->Commit(); !committed.ok()) {
    reply.Truncate(0);
    reply.Fail(std::string(command::RespWord(committed.error().reason())) + " " +
               committed.error().message());
  }
  return out;
}

std::string TestHost::Line(command::Session& session, std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const size_t end = std::min(line.find(' '), line.size());
    if (end > 0) {
      words.push_back(line.substr(0, end));
    }
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return Do(session, words);
}

Result<std::shared_ptr<Database>> TestHost::FindDatabase(std::string_view name) {
  if (follows_leader) {
    return universe_->OpenDatabase(name);
  }
  {
    base::MutexLock lock(mutex_);
    if (const auto found = databases_.find(name); found != databases_.end()) {
      return found->second;
    }
  }
  auto opened = TRY(universe_->OpenDatabase(name));
  base::MutexLock lock(mutex_);
  return databases_.emplace(name, std::move(opened)).first->second;
}

Result<std::shared_ptr<Collection>> TestHost::FindCollection(Database& database,
                                                             std::string_view name) {
  if (follows_leader) {
    return database.OpenCollection(name);
  }
  const std::pair key(database.name(), std::string(name));
  {
    base::MutexLock lock(mutex_);
    if (const auto found = collections_.find(key); found != collections_.end()) {
      return found->second;
    }
  }
  auto opened = IsNumbered(name) ? TRY(database.OpenOrCreateCollection(name))
                                 : TRY(database.OpenCollection(name));
  base::MutexLock lock(mutex_);
  return collections_.emplace(key, std::move(opened)).first->second;
}

void TestHost::ForgetDatabase(std::string_view name) {
  base::MutexLock lock(mutex_);
  databases_.erase(std::string(name));
  std::erase_if(collections_, [&](const auto& entry) { return entry.first.first == name; });
}

void TestHost::ForgetCollection(Database& database, std::string_view name) {
  base::MutexLock lock(mutex_);
  collections_.erase({database.name(), std::string(name)});
}

size_t TestHost::CloseClients(const std::function<bool(const command::ClientRow&)>& chosen) {
  return std::erase_if(clients, chosen);
}

std::vector<std::pair<std::string, std::string>> TestHost::Settings() {
  return {settings.begin(), settings.end()};
}

Status TestHost::SetSetting(std::string_view name, std::string_view value) {
  const auto found = settings.find(name);
  if (found == settings.end()) {
    return Error(Reason::kBadOption, "no setting is called " + std::string(name));
  }
  found->second = std::string(value);
  return {};
}

bool TestHost::CheckPassword(std::string_view given_user, std::string_view given_password) {
  const bool fits = given_user == user && (password.empty() || given_password == password);
  command::Users& users = holdings_->users();
  if (fits && users.Find(user) == nullptr) {
    constexpr std::string_view kEverything[] = {"on", "nopass", "allkeys", "+@all"};
    users.Set(commands(), user, kEverything).value();
  }
  return fits || (given_user != user && users.CheckPassword(given_user, given_password));
}

}  // namespace luna::service_support
