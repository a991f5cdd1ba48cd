#include "service/command/monitors.h"

#include <algorithm>
#include <utility>

namespace luna::command {
namespace {

constexpr std::string_view kRedacted = "(redacted)";

void AppendQuoted(std::string_view argument, std::string& line) {
  constexpr std::string_view kLetters = "\\\"\n\r\t\a\b";
  constexpr std::string_view kWords = "\\\"nrtab";
  constexpr std::string_view kDigits = "0123456789abcdef";
  line += " \"";
  for (const char letter : argument) {
    const auto byte = static_cast<unsigned char>(letter);
    if (const size_t i = kLetters.find(letter); i != std::string_view::npos) {
      line += '\\';
      line += kWords[i];
    } else if (byte < 0x20 || byte > 0x7e) {
      line += "\\x";
      line += kDigits[byte >> 4];
      line += kDigits[byte & 15];
    } else {
      line += letter;
    }
  }
  line += '"';
}

// How many of the arguments from `name` on are secret, and where they begin.
struct Secret {
  size_t begin = 0;
  size_t end = 0;
};

Secret SecretOf(std::span<const std::string_view> arguments, size_t name) {
  const size_t count = arguments.size();
  if (name >= count) {
    return {};
  }
  // What TXN RUN names is refused, but was sent.
  const bool is_inside = name > 0;
  if (IsWord(arguments[name], "auth") ||
      (is_inside && (IsWord(arguments[name], "acl") || IsWord(arguments[name], "config")))) {
    return {name + 1, count};
  }
  if (IsWord(arguments[name], "group") && name + 1 < count &&
      IsWord(arguments[name + 1], "leads")) {
    return {name + 2, count};  // the mark: see elsewhere.h
  }
  if (IsWord(arguments[name], "hello")) {
    for (size_t i = name + 1; i < count; ++i) {
      if (IsWord(arguments[i], "auth")) {
        return {i + 1, std::min(i + 3, count)};
      }
    }
  }
  return {};
}

}  // namespace

std::string MonitorLine(const Command& command, const Session& session, uint64_t unix_millis,
                        std::span<const std::string_view> arguments) {
  if ((command.flags & kFlagAdmin) != 0) {
    return {};
  }
  std::string micros = std::to_string(unix_millis % 1000 * 1000);
  micros.insert(0, 6 - micros.size(), '0');
  std::string place(session.collection->name());
  if (session.database->name() != kDefaultDatabase) {
    place.insert(0, std::string(session.database->name()) + ".");
  }
  std::string line = "+" + std::to_string(unix_millis / 1000) + "." + micros + " [" + place + " " +
                     session.peer + "]";
  const Secret secret = SecretOf(arguments, command.name == "txn|run" ? 3 : 0);
  for (size_t i = 0; i < arguments.size(); ++i) {
    const bool is_secret = i >= secret.begin && i < secret.end;
    AppendQuoted(is_secret ? kRedacted : arguments[i], line);
  }
  return line + "\r\n";
}

void Monitors::Add(uint64_t id, Monitor monitor) {
  const base::MutexLock lock(mutex_);
  Inbox& inbox = inboxes_[id];
  inbox.monitor = std::move(monitor);
  inbox.rights_version = 0;
  count_.store(inboxes_.size(), std::memory_order_relaxed);
}

void Monitors::Remove(uint64_t id) {
  const base::MutexLock lock(mutex_);
  inboxes_.erase(id);
  count_.store(inboxes_.size(), std::memory_order_relaxed);
}

bool Monitors::Take(uint64_t id, std::string& lines) {
  const base::MutexLock lock(mutex_);
  const auto found = inboxes_.find(id);
  if (found == inboxes_.end()) {
    return true;
  }
  Inbox& inbox = found->second;
  if (inbox.lost) {
    return false;
  }
  lines += inbox.lines;
  inbox.lines = {};  // with its room: monitors come and go in bursts
  return true;
}

// With the rights of now. Version 0 is none of Users'.
bool Monitors::MayMonitor(Inbox& inbox) {
  const uint64_t version = users_->version();  // before looking, so never too new
  if (inbox.rights_version != version) {
    constexpr std::string_view kRequest[] = {"monitor"};
    inbox.rights = users_->Find(inbox.monitor.user);
    inbox.rights_version = version;
    inbox.lost =
        inbox.lost || inbox.rights == nullptr ||
        inbox.rights->Judge(*inbox.monitor.command, kRequest, {}).kind != Refusal::Kind::kNone;
  }
  return !inbox.lost;
}

void Monitors::Tell(std::string_view database, std::string_view lines) {
  if (lines.empty()) {
    return;
  }
  std::vector<std::function<void()>> wakes;
  {
    const base::MutexLock lock(mutex_);
    for (auto& [id, inbox] : inboxes_) {
      if (inbox.lost || (MayMonitor(inbox) && !inbox.rights->MayUse(database))) {
        continue;
      }
      const bool waited = !inbox.lines.empty();
      inbox.lost = inbox.lost || inbox.lines.size() + lines.size() > inbox.monitor.most_bytes;
      if (inbox.lost) {
        inbox.lines = {};
      } else {
        inbox.lines += lines;
      }
      if (!waited || inbox.lost) {
        wakes.push_back(inbox.monitor.wake);
      }
    }
  }
  for (const auto& wake : wakes) {
    wake();
  }
}

}  // namespace luna::command
