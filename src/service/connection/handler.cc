#include "service/connection/handler.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "base/assert.h"
#include "service/command/holdings.h"

namespace luna::connection {

namespace {

constexpr uint64_t kSweepNanos = 1'000'000'000;
constexpr uint64_t kStopNanos = 10'000'000;  // between looks at the deadline
constexpr std::string_view kReadsBusy = "BUSY Luna is behind with reads; try again later";
constexpr std::string_view kWritesBusy = "BUSY Luna is behind with writes; try again later";

}  // namespace

Handler::Handler(Surroundings& surroundings, size_t number)
    : surroundings_(surroundings), number_(number), poller_(surroundings.NewPoller()) {
  tally_.counts = &surroundings.host->command_counts().NewShard();
}

Handler::~Handler() {
  LUNA_ASSERT(connections_ == 0);
}

void Handler::Give(command::Departing client) {
  {
    const base::MutexLock lock(mutex_);
    given_.push_back(std::move(client));
  }
  has_mail_.store(true, std::memory_order_release);
  poller_->Wake();
}

void Handler::Close(uint64_t tag) {
  {
    const base::MutexLock lock(mutex_);
    to_close_.push_back(tag);
  }
  has_mail_.store(true, std::memory_order_release);
  poller_->Wake();
}

void Handler::Stop(uint64_t deadline_nanos, bool hands_on) {
  hands_on_.store(hands_on);
  stop_nanos_.store(std::max<uint64_t>(deadline_nanos, 1));
  poller_->Wake();
}

void Handler::Finished(operation::Operation& operation, bool more) {
  auto& handler = *static_cast<Handler*>(operation.home);
  if (!more) {
    handler.waking_.fetch_add(1);  // the handler ends only when this is 0
  }
  operation::Operation* newest = handler.finished_.load(std::memory_order_relaxed);
  do {
    operation.next = newest;
  } while (!handler.finished_.compare_exchange_weak(newest, &operation, std::memory_order_release,
                                                    std::memory_order_relaxed));
  if (!more) {
    handler.poller_->Wake();
    handler.waking_.fetch_sub(1);
  }
}

void Handler::Run() {
  now_nanos_ = surroundings_.now();
  next_sweep_nanos_ = now_nanos_ + kSweepNanos;
  while (!stopping_ || connections_ > 0) {
    const size_t count = Wait();
    now_nanos_ = surroundings_.now();
    const uint64_t pause_version = surroundings_.host->holdings().pause().version();
    if (has_mail_.exchange(false, std::memory_order_acquire)) {
      TakeMail();
    }
    TakeFinished();
    TakeReady(count);
    TakeQueued();
    TakeDelayed();
    TakePaused();
    if (!stopping_ && stop_nanos_.load(std::memory_order_relaxed) != 0) {
      BeginStop();
    }
    PushOperations(surroundings_.writer != nullptr);
    Help();
    Sweep();
    TakeMonitored();
    Count();  // before the replies: who has read his finds his command counted
    FlushAll();
    Count();
    TellRest(pause_version);
  }
  while (waking_.load() != 0) {
    surroundings_.runtime->Yield();
  }
}

void Handler::Count() {
  surroundings_.Count(std::exchange(tally_, Tally{.counts = tally_.counts}));
}

// Whatever this turn began, it began with that version in sight.
void Handler::TellRest(uint64_t pause_version) {
  const uint64_t rests_since = under_way_ == 0 ? pause_version : 0;
  if (rests_since_.load(std::memory_order_relaxed) != rests_since) {
    rests_since_.store(rests_since);
  }
}

size_t Handler::Wait() {
  uint64_t nanos = next_sweep_nanos_ > now_nanos_ ? next_sweep_nanos_ - now_nanos_ : 0;
  if (!queued_.empty()) {
    nanos = 0;
  } else if (stopping_) {
    nanos = std::min(nanos, kStopNanos);
  }
  for (const uint64_t tag : delayed_) {
    if (const Connection* connection = Find(tag); connection != nullptr) {
      const uint64_t until = connection->waiting() ? now_nanos_ : connection->answer_nanos();
      nanos = std::min(nanos, until > now_nanos_ ? until - now_nanos_ : 0);
    }
  }
  if (!paused_.empty()) {
    const command::Pause& pause = surroundings_.host->holdings().pause();
    const uint64_t until = pause.version() == pause_version_ ? pause.end_nanos() : 0;
    nanos = std::min(nanos, until > now_nanos_ ? until - now_nanos_ : 0);
  }
  return poller_->Wait(ready_, nanos);
}

Connection* Handler::Find(uint64_t tag) {
  const auto index = static_cast<uint32_t>(tag);
  const auto generation = static_cast<uint32_t>(tag >> 32);
  if (index >= slots_.size() || slots_[index].generation != generation) {
    return nullptr;
  }
  return slots_[index].connection.get();
}

void Handler::List(Connection& connection) {
  if (!std::exchange(connection.listed, true)) {
    listed_.push_back(&connection);
  }
}

void Handler::TakeMail() {
  std::vector<command::Departing> given;
  std::vector<uint64_t> to_close;
  {
    const base::MutexLock lock(mutex_);
    given.swap(given_);
    to_close.swap(to_close_);
  }
  for (command::Departing& client : given) {
    Admit(std::move(client));
  }
  for (const uint64_t tag : to_close) {
    if (Connection* connection = Find(tag); connection != nullptr) {
      connection->Lose();
      List(*connection);
    }
  }
}

void Handler::Admit(command::Departing client) {
  uint32_t index = 0;
  if (free_slots_.empty()) {
    index = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_slots_.back();
    free_slots_.pop_back();
  }
  Slot& slot = slots_[index];
  slot.connection =
      std::make_unique<Connection>(surroundings_, std::move(client.client), now_nanos_);
  ++connections_;
  Connection& connection = *slot.connection;
  connection.operation().done = &Handler::Finished;
  connection.operation().home = this;
  connection.card().handler = number_;
  connection.card().tag = uint64_t{slot.generation} << 32 | index;
  surroundings_.Register(connection.shared_card());
  TellDebug("connection-opened", connection);
  connection.set_wake([this] { Wake(); });
  connection.Begin();
  connection.Arrive(std::move(client));
  if (!poller_->Add(*connection.socket(), connection.card().tag).ok()) {
    connection.Lose();  // nobody would hear of it
  }
  Advance(connection);  // it may have brought requests
}

void Handler::TakeFinished() {
  operation::Operation* newest = finished_.exchange(nullptr, std::memory_order_acquire);
  operation::Operation* oldest = nullptr;
  while (newest != nullptr) {
    operation::Operation* next = std::exchange(newest->next, oldest);
    oldest = std::exchange(newest, next);
  }
  while (oldest != nullptr) {
    operation::Operation* next = oldest->next;  // Advance may push it again
    auto& connection = *static_cast<Connection*>(oldest->owner);
    --under_way_;
    connection.Returned(tally_);
    Advance(connection);
    oldest = next;
  }
}

// Single reads of many connections are looked up together before the first of them runs.
void Handler::Foretell(Connection& connection) {
  const auto [collection, key] = connection.Foretell(tally_);
  if (collection == nullptr) {
    return;
  }
  if (collection != foretold_of_ || foretold_.size() == Foresight::kAtOnce) {
    PeekForetold();
  }
  foretold_of_ = collection;
  foretold_.push_back(key);
  foretelling_.push_back(&connection);
}

void Handler::PeekForetold() {
  const size_t count = foretold_.size();
  if (count > 1) {
    std::array<Peeked, Foresight::kAtOnce> answers;
    foretold_of_->Peek(foretold_, std::span(answers).first(count));
    for (size_t i = 0; i < count; ++i) {
      foretelling_[i]->Found(foretold_of_->id(), foretold_[i], std::move(answers[i]));
    }
  }
  foretold_.clear();
  foretelling_.clear();
}

void Handler::TakeReady(size_t count) {
  for (size_t i = 0; i < count; ++i) {
    Connection* connection = Find(ready_[i].tag);
    if (connection == nullptr) {
      continue;
    }
    connection->Noticed(ready_[i]);
    if (ready_[i].readable && count > 1) {
      Foretell(*connection);
    }
  }
  PeekForetold();
  for (size_t i = 0; i < count; ++i) {
    Connection* connection = Find(ready_[i].tag);
    if (connection == nullptr) {
      continue;
    }
    if (ready_[i].readable) {
      Advance(*connection);
    }
    if (ready_[i].writable && connection->has_output()) {
      List(*connection);
    }
  }
}

void Handler::TakeQueued() {
  advancing_.swap(queued_);
  for (Connection* connection : advancing_) {
    connection->queued = false;
    Advance(*connection);
  }
  advancing_.clear();
}

void Handler::TakeDelayed() {
  if (delayed_.empty()) {
    return;
  }
  std::vector<uint64_t> delayed;
  delayed.swap(delayed_);
  for (const uint64_t tag : delayed) {
    Connection* connection = Find(tag);
    if (connection == nullptr) {
      continue;
    }
    if (now_nanos_ < connection->answer_nanos()) {
      delayed_.push_back(tag);
      continue;
    }
    connection->delayed = false;
    Advance(*connection);
  }
}

void Handler::TakePaused() {
  if (paused_.empty()) {
    return;
  }
  const command::Pause& pause = surroundings_.host->holdings().pause();
  const uint64_t version = pause.version();  // before they look, so never too new
  if (version == pause_version_ && now_nanos_ < pause.end_nanos()) {
    return;
  }
  pause_version_ = version;
  std::vector<uint64_t> paused;
  paused.swap(paused_);
  for (const uint64_t tag : paused) {
    if (Connection* connection = Find(tag); connection != nullptr) {
      connection->paused = false;
      Advance(*connection);
    }
  }
}

void Handler::TakeMonitored() {
  std::erase_if(monitors_, [this](uint64_t tag) {
    Connection* connection = Find(tag);
    if (connection == nullptr) {
      return true;
    }
    connection->TakeMonitored();
    List(*connection);
    connection->monitored = connection->monitoring();
    return !connection->monitored;
  });
}

void Handler::Advance(Connection& connection) {
  if (connection.waiting()) {
    return;
  }
  const Need need = connection.Advance(now_nanos_, tally_);
  if (need == Need::kRead || need == Need::kWrite) {
    connection.Waits();
    (need == Need::kRead ? reads_ : writes_).push_back(&connection.operation());
  } else if (need == Need::kLater) {
    if (!std::exchange(connection.delayed, true)) {
      delayed_.push_back(connection.card().tag);
    }
  } else if (need == Need::kPause) {
    if (!std::exchange(connection.paused, true)) {
      paused_.push_back(connection.card().tag);
    }
  } else if (need == Need::kAgain && !std::exchange(connection.queued, true)) {
    queued_.push_back(&connection);
  }
  if (connection.monitoring() && !std::exchange(connection.monitored, true)) {
    monitors_.push_back(connection.card().tag);
  }
  List(connection);
}

void Handler::PushOperations(bool to_help) {
  to_help_ = to_help;
  while (!reads_.empty() || !writes_.empty()) {
    PushTo(*surroundings_.writes, writes_, kWritesBusy);
    PushTo(*surroundings_.reads, reads_, kReadsBusy);
  }
}

// Runs what was added to the write queue here, if nobody else is at it, and goes on with the
// connections that waited for it; what they have to write then is the worker's.
void Handler::Help() {
  if (std::exchange(added_writes_, false) && surroundings_.writer->Help(this)) {
    TakeFinished();
    PushOperations(false);
  }
}

// What does not fit is answered at once; its connection goes on and may add to the lists.
void Handler::PushTo(operation::OperationQueue& queue,
                     std::vector<operation::Operation*>& operations, std::string_view refusal) {
  if (operations.empty()) {
    return;
  }
  const bool add = to_help_ && &queue == surroundings_.writes;
  const size_t accepted = add ? queue.Add(operations) : queue.Push(operations);
  under_way_ += accepted;
  added_writes_ = added_writes_ || (add && accepted > 0);
  if (accepted == operations.size()) {
    operations.clear();
    return;
  }
  const std::vector<operation::Operation*> refused(
      operations.begin() + static_cast<std::ptrdiff_t>(accepted), operations.end());
  operations.clear();
  for (operation::Operation* operation : refused) {
    auto& connection = *static_cast<Connection*>(operation->owner);
    connection.Refused(refusal, tally_);
    surroundings_.Complain("queue-full", connection.card().peer(), refusal);
    Advance(connection);
  }
}

void Handler::FlushAll() {
  const bool late = stopping_ && now_nanos_ >= stop_nanos_.load(std::memory_order_relaxed);
  for (Connection* connection : listed_) {
    connection->listed = false;
    const bool has_room = connection->Flush(now_nanos_, tally_);
    if (connection->leaves() && !connection->has_output() && !connection->lost()) {
      PassOn(*connection);
      continue;
    }
    if (late) {
      connection->Lose();
    }
    if (connection->lost()) {
      CloseSocket(*connection);
    }
    if (connection->finished()) {
      End(*connection);
    } else if (has_room && !std::exchange(connection->queued, true)) {
      queued_.push_back(connection);
    }
  }
  listed_.clear();
}

void Handler::TellDebug(std::string_view event, Connection& connection) const {
  const base::Log& log = surroundings_.settings.log;
  if (log.Wants(base::LogLevel::kDebug)) {
    log.Debug(event, {{"id", connection.card().id()}, {"peer", connection.card().peer()}});
  }
}

void Handler::PassOn(Connection& connection) {
  poller_->Remove(*connection.socket());
  command::Departing client = connection.Depart();
  End(connection);  // first: whoever takes it may find it open there as well
  const ConnectionSettings& settings = surroundings_.settings;
  (client.for_leader ? settings.pass_on : settings.hand_on)(std::move(client));
}

void Handler::CloseSocket(Connection& connection) {
  if (connection.socket() != nullptr) {
    poller_->Remove(*connection.socket());
    connection.CloseSocket();
  }
}

void Handler::End(Connection& connection) {
  TellDebug("connection-closed", connection);
  CloseSocket(connection);
  if (connection.queued) {
    std::erase(queued_, &connection);
  }
  surroundings_.Forget(connection.card());
  const auto index = static_cast<uint32_t>(connection.card().tag);
  slots_[index].connection = nullptr;
  ++slots_[index].generation;
  free_slots_.push_back(index);
  --connections_;
  surroundings_.open.fetch_sub(1);
}

void Handler::Sweep() {
  if (now_nanos_ < next_sweep_nanos_ && !stopping_) {
    return;
  }
  next_sweep_nanos_ = now_nanos_ + kSweepNanos;
  if (number_ == 0) {
    surroundings_.SampleRates(now_nanos_);
  }
  for (const Slot& slot : slots_) {
    if (slot.connection == nullptr) {
      continue;
    }
    slot.connection->Sweep(now_nanos_);
    if (slot.connection->lost() || stopping_) {
      List(*slot.connection);
    }
  }
}

void Handler::BeginStop() {
  stopping_ = true;
  TakeMail();  // nobody gives any more
  for (const Slot& slot : slots_) {
    if (slot.connection != nullptr) {
      hands_on_.load() ? slot.connection->HandOn() : slot.connection->Stop();
      Advance(*slot.connection);
    }
  }
}

}  // namespace luna::connection
