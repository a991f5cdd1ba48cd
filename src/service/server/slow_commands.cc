#include "service/server/slow_commands.h"

#include <algorithm>
#include <string>
#include <utility>

#include "service/command/command.h"

namespace luna::server {
namespace {

std::string Shortened(std::string_view argument) {
  if (argument.size() <= SlowCommands::kArgumentBytes) {
    return std::string(argument);
  }
  return std::string(argument.substr(0, SlowCommands::kArgumentBytes)) + "... (" +
         std::to_string(argument.size() - SlowCommands::kArgumentBytes) + " more bytes)";
}

// Passwords are not kept.
bool IsSecret(std::string_view name) {
  return command::IsWord(name, "auth") || command::IsWord(name, "hello") ||
         command::IsWord(name, "acl");
}

}  // namespace

void SlowCommands::Add(const command::Session& session, std::span<const std::string_view> arguments,
                       uint64_t micros, uint64_t unix_seconds) {
  command::SlowRow row;
  row.unix_seconds = unix_seconds;
  row.micros = micros;
  row.peer = session.peer;
  row.name = session.name;
  size_t shown = arguments.size() > kArguments ? kArguments - 1 : arguments.size();
  shown = IsSecret(arguments[0]) ? 1 : shown;
  for (const std::string_view argument : arguments.first(shown)) {
    row.arguments.push_back(Shortened(argument));
  }
  if (shown < arguments.size()) {
    row.arguments.push_back("... (" + std::to_string(arguments.size() - shown) +
                            " more arguments)");
  }
  base::MutexLock lock(mutex_);
  row.id = next_id_++;
  rows_.push_front(std::move(row));
  rows_.resize(std::min(rows_.size(), kept_));
}

std::vector<command::SlowRow> SlowCommands::Rows() const {
  base::MutexLock lock(mutex_);
  return {rows_.begin(), rows_.end()};
}

void SlowCommands::Clear() {
  base::MutexLock lock(mutex_);
  rows_.clear();
}

size_t SlowCommands::kept() const {
  base::MutexLock lock(mutex_);
  return kept_;
}

void SlowCommands::set_kept(size_t kept) {
  base::MutexLock lock(mutex_);
  kept_ = kept;
  rows_.resize(std::min(rows_.size(), kept_));
}

}  // namespace luna::server
