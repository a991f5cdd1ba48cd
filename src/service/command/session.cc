#include "service/command/session.h"

#include <utility>

#include "base/try.h"
#include "service/command/holdings.h"
#include "service/command/host.h"

namespace luna::command {

std::string ReadsOf(const Session& session) {
  return session.reads_here ? Name(session.freshness) : std::string(kReadsOfLeader);
}

void Session::BecomeUser(std::string_view name) {
  user = std::string(name);
  authenticated = true;
  password.reset();
  rights = nullptr;
  rights_version = 0;
  unrestricted_version = 0;
}

bool Session::Enqueue(const Command& command, std::span<const std::string_view> arguments) {
  uint64_t bytes = sizeof(Queued);
  for (const std::string_view argument : arguments) {
    bytes += sizeof(std::string) + argument.size();
  }
  if (bytes > kHeldBytesMax - held_bytes) {
    return false;
  }
  held_bytes += bytes;
  queue.push_back({&command, {arguments.begin(), arguments.end()}});
  return true;
}

bool Session::Watch(WatchedKeys keys) {
  uint64_t bytes = 0;
  for (const auto& [place, key] : keys) {
    bytes +=
        watched.contains(place) ? 0 : 2 * sizeof(WatchedKeys::value_type) + place.second.size();
  }
  if (bytes > kHeldBytesMax - held_bytes) {
    return false;
  }
  held_bytes += bytes;
  watched.merge(std::move(keys));
  return true;
}

void Session::EndWatch() {
  watched.clear();
  watched_database = nullptr;
  if (queue.empty()) {
    held_bytes = 0;
  }
}

void Session::EndMulti() {
  queueing = false;
  queue_failed = false;
  std::vector<Queued>().swap(queue);
  EndWatch();
}

void Session::ExpireInteractive(uint64_t now_nanos) {
  if (!interactive || interactive->timed_out || interactive->deadline_nanos == 0 ||
      now_nanos < interactive->deadline_nanos) {
    return;
  }
  interactive->transaction = nullptr;  // rolls back
  interactive->snapshot = nullptr;
  interactive->timed_out = true;
}

Status ChooseCollection(Host& host, Session& session, std::string_view database,
                        std::string_view collection) {
  const uint64_t version = host.holdings().names_version();  // before finding, so never too new
  auto found_database = TRY(host.FindDatabase(database));
  auto found_collection = TRY(host.FindCollection(*found_database, collection));
  session.database = std::move(found_database);
  session.collection = std::move(found_collection);
  session.names_version = version;
  return {};
}

void RefreshNames(Host& host, Session& session) {
  const bool known = session.names_version == host.holdings().names_version();
  // Who follows is not told of drops and renames: it looks each time.
  if ((known && !host.follows()) || !session.collection) {
    return;
  }
  const std::string database = session.database->name();
  const std::string collection = session.collection->name();
  const uint64_t version = host.holdings().names_version();
  if (!ChooseCollection(host, session, database, collection).ok()) {
    session.names_version = version;
  }
}

}  // namespace luna::command
