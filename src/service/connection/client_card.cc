#include "service/connection/client_card.h"

#include <algorithm>

#include "service/command/command.h"

namespace luna::connection {

namespace {

constexpr uint64_t kNanosPerSecond = 1'000'000'000;
constexpr auto kRelaxed = std::memory_order_relaxed;

uint64_t SecondsSince(uint64_t then_nanos, uint64_t now_nanos) {
  return (now_nanos - std::min(then_nanos, now_nanos)) / kNanosPerSecond;
}

// Assigns only what changed: most commands change nothing.
void Keep(std::string& kept, const std::string& value) {
  if (kept != value) {
    kept = value;
  }
}

}  // namespace

ClientCard::ClientCard(const command::Session& session)
    : id_(session.id),
      peer_(session.peer),
      local_(session.local),
      connected_nanos_(session.connected_nanos),
      active_nanos_(session.connected_nanos) {
  PublishNames(session);
}

void ClientCard::Publish(const command::Session& session, uint64_t input_bytes,
                         uint64_t output_bytes) {
  active_nanos_.store(session.active_nanos, kRelaxed);
  last_command_.store(session.last_command, kRelaxed);
  input_bytes_.store(input_bytes, kRelaxed);
  output_bytes_.store(output_bytes, kRelaxed);
  version_.store(static_cast<int>(session.version), kRelaxed);
  queued_.store(session.queueing ? static_cast<int>(session.queue.size()) : -1, kRelaxed);
}

void ClientCard::PublishNames(const command::Session& session) {
  monitoring_.store(session.monitoring, kRelaxed);
  const base::MutexLock lock(mutex_);
  Keep(names_.name, session.name);
  Keep(names_.user, session.user);
  Keep(names_.library_name, session.library_name);
  Keep(names_.library_version, session.library_version);
  Keep(names_.reads, command::ReadsOf(session));
  if (session.database != nullptr) {
    Keep(names_.database, session.database->name());
  }
  if (session.collection != nullptr) {
    Keep(names_.collection, session.collection->name());
  }
}

command::ClientRow ClientCard::Row(uint64_t now_nanos) const {
  command::ClientRow row;
  row.id = id_;
  row.peer = peer_;
  row.local = local_;
  row.age_seconds = SecondsSince(connected_nanos_, now_nanos);
  row.idle_seconds = SecondsSince(active_nanos_.load(kRelaxed), now_nanos);
  row.input_bytes = input_bytes_.load(kRelaxed);
  row.output_bytes = output_bytes_.load(kRelaxed);
  row.version = version_.load(kRelaxed);
  row.queued = queued_.load(kRelaxed);
  row.monitoring = monitoring_.load(kRelaxed);
  if (const command::Command* last = last_command_.load(kRelaxed); last != nullptr) {
    row.last_command = last->name;
  }
  const base::MutexLock lock(mutex_);
  row.name = names_.name;
  row.user = names_.user;
  row.database = names_.database;
  row.collection = names_.collection;
  row.library_name = names_.library_name;
  row.library_version = names_.library_version;
  row.reads = names_.reads;
  return row;
}

}  // namespace luna::connection
