#include "cluster/replica/replica_server.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/try.h"
#include "engine/group/records.h"

namespace luna::replica {

namespace {

AppendKind KindOf(group::AppendObserver::Kind kind) {
  using Kind = group::AppendObserver::Kind;
  switch (kind) {
    case Kind::kRenew:
      return AppendKind::kRenew;
    case Kind::kLeaderStart:
      return AppendKind::kLeaderStart;
    case Kind::kTransfer:
      return AppendKind::kTransfer;
    case Kind::kCommit:
      break;
  }
  return AppendKind::kCommit;
}

Event EventOf(const journal::AppendResult& result) {
  using Outcome = journal::AppendResult::Outcome;
  switch (result.outcome) {
    case Outcome::kOk:
      return AppendAcked{result.tail};
    case Outcome::kFenced:
    case Outcome::kMoved:
      return AppendFenced{};
    case Outcome::kFailed:
      return AppendFailed{};
    case Outcome::kUnknown:
      break;
  }
  return AppendUnknown{};
}

bool IsForWatcher(const Action& action) {
  return std::holds_alternative<Look>(action) || std::holds_alternative<ConfirmEpoch>(action);
}

}  // namespace

Result<std::unique_ptr<ReplicaServer>> ReplicaServer::Open(runtime::Runtime& runtime,
                                                           journal::Journal& journal,
                                                           const ReplicaOptions& options,
                                                           Host& host) {
  TRY(options.settings.Validate());
  if (options.server.empty()) {
    return Error(Reason::kBadOption, "a replica needs a name that others know it by");
  }
  return std::make_unique<ReplicaServer>(runtime, journal, options, host);
}

ReplicaServer::ReplicaServer(runtime::Runtime& runtime, journal::Journal& journal,
                             const ReplicaOptions& options, Host& host)
    : runtime_(runtime),
      journal_(journal),
      options_(options),
      host_(host),
      act_(runtime.NewEvent()),
      watch_(runtime.NewEvent()),
      state_(options.settings, runtime.random().Next()) {}

ReplicaServer::~ReplicaServer() {
  LUNA_ASSERT(actor_ == nullptr);  // stopped, or never started
}

void ReplicaServer::Start() {
  actor_ = runtime_.Spawn("replica", runtime::ThreadClass::kForeground, [this] { Act(); });
  watcher_ = runtime_.Spawn("replica-look", runtime::ThreadClass::kForeground, [this] { Watch(); });
}

void ReplicaServer::Stop() {
  if (actor_ == nullptr) {
    return;
  }
  {
    base::MutexLock lock(mutex_);
    Queue(state_.Handle(Now(), TransferAsked{}));
    Publish();
    stopping_ = true;
  }
  act_->Set();
  watch_->Set();
  actor_->Join();
  watcher_->Join();
  actor_.reset();
  watcher_.reset();
}

ReplicaServer::Standing ReplicaServer::standing() const {
  base::MutexLock lock(mutex_);
  const bool leads = state_.role() == Role::kLeading;
  const std::string& leader = leads ? options_.server : state_.leader();
  const std::string& peers = leads                      ? options_.peers
                             : leader == named_.clients ? named_.peers
                                                        : std::string();
  return {.role = state_.role(),
          .epoch = state_.epoch(),
          .leader = leader,
          .leader_peers = peers,
          .leader_tls = leads ? options_.tls : named_.tls,
          .lease_end = state_.lease_end(),
          .given = state_.given(),
          .seen_epoch = state_.seen_epoch()};
}

// --- Events in, actions out ---

void ReplicaServer::Queue(Actions actions) {
  for (Action& action : actions) {
    (IsForWatcher(action) ? to_look_ : to_do_).push_back(std::move(action));
  }
}

void ReplicaServer::Wake(Waiters waiters) {
  act_->Set();
  watch_->Set();
  for (const auto& waiter : waiters) {
    waiter->Set();
  }
}

void ReplicaServer::Give(const Event& event) {
  Waiters waiters;
  bool act = false;
  {
    base::MutexLock lock(mutex_);
    if (requested_.exchange(false)) {
      Queue(state_.Handle(Now(), Requested{}));
    }
    Actions actions = state_.Handle(Now(), event);
    Publish();
    act = !actions.empty();
    Queue(std::move(actions));
    waiters.swap(waiters_);
  }
  // Most appends of a leader change nothing that anybody waits for.
  if (act || !waiters.empty()) {
    Wake(std::move(waiters));
  }
}

void ReplicaServer::OnAppendSent(journal::Epoch epoch, Kind kind) {
  base::MutexLock lock(mutex_);
  ++sent_[static_cast<size_t>(KindOf(kind))];
  if (epoch != state_.epoch()) {
    return;  // of a group that is about to be closed
  }
  if (kind == Kind::kLeaderStart) {
    // The group logs its start when it has applied everything before: no need to tell it.
    (void)state_.Handle(Now(), CaughtUp{});
  }
  Queue(state_.Handle(Now(), AppendSent{KindOf(kind)}));
  Publish();
}

void ReplicaServer::OnAppended(journal::Epoch epoch, const journal::AppendResult& result) {
  {
    base::MutexLock lock(mutex_);
    if (epoch != state_.epoch()) {
      return;
    }
  }
  Give(EventOf(result));
  if (result.outcome == journal::AppendResult::Outcome::kOk && options_.appended) {
    options_.appended();
  }
}

void ReplicaServer::OnStarted(journal::Epoch epoch) {
  {
    base::MutexLock lock(mutex_);
    if (epoch != state_.epoch()) {
      return;
    }
  }
  Give(CaughtUp{});
}

// --- Strong reads ---

Error ReplicaServer::NotLeading() const {
  const std::string& leader = state_.leader();
  const bool known = !leader.empty() && leader != options_.server;
  return Error(Reason::kFenced, options_.server + " does not lead the group; " +
                                    (known ? "ask " + leader : "another one will soon: try again"));
}

bool ReplicaServer::Await(const std::shared_ptr<runtime::Event>& changed, Nanos deadline) {
  const Nanos now = Now();
  return now < deadline && changed->WaitFor(deadline - now);
}

void ReplicaServer::Publish() {
  const bool same = epoch_.load() == state_.epoch();
  const Nanos until = state_.readable_until();
  if (!same) {
    readable_until_.store(0);
    epoch_.store(state_.epoch());
  }
  readable_until_.store(until);
}

std::optional<ReadTicket> ReplicaServer::BeginReadAtOnce() {
  const ReadTicket ticket{.epoch = epoch_.load()};
  if (Now() >= readable_until_.load()) {
    return std::nullopt;
  }
  if (!requested_.load(std::memory_order_relaxed)) {
    requested_.store(true, std::memory_order_relaxed);
  }
  return ticket;
}

bool ReplicaServer::MayAnswerAtOnce(const ReadTicket& ticket) {
  return Now() < readable_until_.load() && epoch_.load() == ticket.epoch;
}

Result<ReadTicket> ReplicaServer::BeginRead() {
  if (const std::optional<ReadTicket> at_once = BeginReadAtOnce(); at_once.has_value()) {
    return *at_once;
  }
  ReadTicket ticket{.epoch = epoch_.load()};
  const Nanos deadline = Now() + options_.settings.lease_nanos;
  while (true) {
    std::shared_ptr<runtime::Event> changed;
    bool act = false;
    {
      base::MutexLock lock(mutex_);
      Actions actions;
      const Verdict verdict = state_.BeginRead(Now(), ticket, actions);
      act = !actions.empty();
      Queue(std::move(actions));
      if (verdict == Verdict::kNo) {
        return NotLeading();
      }
      if (verdict == Verdict::kWait) {
        changed = runtime_.NewEvent();
        waiters_.push_back(changed);
      }
    }
    if (act) {
      Wake({});
    }
    if (changed == nullptr) {
      return ticket;
    }
    if (!Await(changed, deadline)) {
      return Error(Reason::kBackPressure,
                   options_.server + " is taking the lead or waits for its stream; try again");
    }
  }
}

Status ReplicaServer::EndRead(const ReadTicket& ticket) {
  if (MayAnswerAtOnce(ticket)) {
    return {};
  }
  const Nanos deadline = Now() + options_.settings.lease_nanos;
  while (true) {
    std::shared_ptr<runtime::Event> changed;
    {
      base::MutexLock lock(mutex_);
      const Verdict verdict = state_.EndRead(Now(), ticket);
      if (verdict == Verdict::kYes) {
        return {};
      }
      if (verdict == Verdict::kNo) {
        return NotLeading();
      }
      changed = runtime_.NewEvent();
      waiters_.push_back(changed);
    }
    if (!Await(changed, deadline)) {
      return Error(Reason::kBackPressure,
                   options_.server + " could not confirm that it leads; try again");
    }
  }
}

void ReplicaServer::Expect() {
  expected_.store(true);
  act_->Set();
}

Status ReplicaServer::Transfer(const std::string& target, bool prepared) {
  Waiters waiters;
  {
    base::MutexLock lock(mutex_);
    if (state_.role() != Role::kLeading) {
      return NotLeading();
    }
    Queue(state_.Handle(Now(), TransferAsked{.target = target, .prepared = prepared}));
    Publish();
    waiters.swap(waiters_);
  }
  Wake(std::move(waiters));
  return {};
}

// --- The actor ---

std::optional<Action> ReplicaServer::Next(std::deque<Action>& queue) {
  if (queue.empty()) {
    return std::nullopt;
  }
  Action action = std::move(queue.front());
  queue.pop_front();
  return action;
}

void ReplicaServer::Act() {
  while (true) {
    act_->Reset();
    std::optional<Action> action;
    bool stopping = false;
    {
      base::MutexLock lock(mutex_);
      action = Next(to_do_);
      stopping = stopping_;
    }
    if (action.has_value()) {
      std::visit(
          [this](const auto& each) {
            if constexpr (requires { Do(each); }) {
              Do(each);
            }
          },
          *action);
    } else if (stopping) {
      break;
    } else {
      OpenAhead();
      (void)act_->WaitFor(LookNanos());
      Give(Tick{});
    }
  }
  ahead_ = nullptr;
  const Standing last = standing();
  if (last.role != Role::kFollowing && last.role != Role::kFencing) {
    host_.StopLeading(last.epoch);
  }
}

Result<std::unique_ptr<journal::Stream>> ReplicaServer::OpenStream() {
  // The fence settles what is under way.
  return journal_.Open(options_.stream, {.segment_bytes = options_.segment_bytes, .settle = false});
}

uint64_t ReplicaServer::LookNanos() const {
  base::MutexLock lock(mutex_);
  return state_.look_nanos();
}

void ReplicaServer::OpenAhead() {
  const bool follows = standing().role == Role::kFollowing;
  if (expected_.exchange(false) && follows && ahead_ == nullptr) {
    if (auto opened = OpenStream(); opened.ok()) {
      ahead_ = std::move(opened).value();
      ahead_until_ = Now() + options_.settings.lease_nanos;
    }
  }
  if (ahead_ != nullptr && (!follows || Now() >= ahead_until_)) {
    ahead_ = nullptr;
  }
}

std::string ReplicaServer::Name() const {
  return TextOf({.clients = options_.server, .peers = options_.peers, .tls = options_.tls});
}

Result<Sequence> ReplicaServer::Fence(journal::Stream& stream, const FenceStream& action) {
  fenced_.clear();
  if (!action.start) {
    return stream.Fence(action.expected_epoch, action.expected_tail, action.new_epoch);
  }
  std::vector<std::string> records = host_.LimitsOf(action.new_epoch);
  group::Encode({.epoch = action.new_epoch, .closed = 0, .database = 0}, group::LeaderStart{Name()},
                records.emplace_back());
  fenced_ = std::move(records);
  const std::vector<std::string_view> views(fenced_.begin(), fenced_.end());
  return stream.FenceAndAppend(action.expected_epoch, *action.expected_tail, action.new_epoch,
                               views, action.end);
}

void ReplicaServer::Do(const FenceStream& action) {
  Result<std::unique_ptr<journal::Stream>> stream =
      ahead_ != nullptr ? Result(std::exchange(ahead_, nullptr)) : OpenStream();
  if (!stream.ok()) {
    Give(FenceUnknown{});
    return;
  }
  const Nanos sent = Now();
  const Result<Sequence> fenced = Fence(**stream, action);
  if (!fenced.ok()) {
    stream = std::unique_ptr<journal::Stream>();  // closed before anything else is tried
    Give(fenced.error().reason() == Reason::kFenced ? Event(FenceRefused{})
                                                    : Event(FenceUnknown{}));
    return;
  }
  won_ = std::move(stream).value();
  Give(FenceOk{.tail = *fenced, .started = action.start ? std::optional(sent) : std::nullopt});
}

void ReplicaServer::Do(const CatchUp& action) {
  if (won_ == nullptr) {
    Give(LeadFailed{});  // stopped in between
    return;
  }
  const Status led = host_.BecomeLeader({.stream = std::move(won_),
                                         .epoch = action.epoch,
                                         .server = Name(),
                                         .member = options_.server,
                                         .renew_nanos = options_.settings.RenewNanos(),
                                         .fenced = std::exchange(fenced_, {})},
                                        *this);
  if (!led.ok()) {
    Give(LeadFailed{});
  }
}

void ReplicaServer::Append(AppendKind kind, Epoch epoch, const std::function<Status()>& append) {
  const Role role = kind == AppendKind::kTransfer ? Role::kHandingOver : Role::kLeading;
  const size_t index = static_cast<size_t>(kind);
  uint64_t sent_before = 0;
  {
    base::MutexLock lock(mutex_);
    sent_before = sent_[index];
    if (state_.epoch() != epoch || state_.role() != role) {
      return;
    }
  }
  if (append().ok()) {
    return;
  }
  {
    base::MutexLock lock(mutex_);
    if (sent_[index] != sent_before || state_.epoch() != epoch) {
      return;
    }
  }
  Give(LeadFailed{});  // a group that takes nothing any more leads no more
}

void ReplicaServer::Do(const AppendRenew& action) {
  Append(AppendKind::kRenew, action.epoch, [&] { return host_.Renew(action.resting); });
}

void ReplicaServer::Do(const AppendTransfer& action) {
  Append(AppendKind::kTransfer, action.epoch, [&] { return host_.HandOver(action.target); });
}

void ReplicaServer::Do(const Yield& action) {
  {
    base::MutexLock lock(mutex_);
    if (state_.epoch() != action.epoch || state_.role() != Role::kLeading) {
      return;
    }
  }
  const Result<journal::StreamState> end = host_.Yield(action.target);
  Give(end.ok() ? Event(Yielded{.tail = end->tail, .end = end->end, .target = action.target})
                : Event(LeadFailed{}));
  if (end.ok() && options_.appended) {
    options_.appended();  // who listens tells the target
  }
}

void ReplicaServer::Do(const StopServing& action) {
  host_.StopLeading(action.epoch);
}

// --- The watcher ---

void ReplicaServer::Watch() {
  while (true) {
    watch_->Reset();
    std::optional<Action> action;
    {
      base::MutexLock lock(mutex_);
      if (stopping_) {
        return;
      }
      action = Next(to_look_);
    }
    if (!action.has_value()) {
      watch_->Wait();
    } else if (const auto* confirm = std::get_if<ConfirmEpoch>(&*action)) {
      DoConfirm(*confirm);
    } else {
      DoLook();
    }
  }
}

void ReplicaServer::DoLook() {
  const Result<SawTail> saw = LookAtStream();
  if (!saw.ok() && saw.error().reason() == Reason::kStreamMissing) {
    (void)OpenStream();  // makes it; whoever is first
  }
  Give(saw.ok() ? Event(*saw) : Event(LookFailed{}));
}

void ReplicaServer::DoConfirm(const ConfirmEpoch& action) {
  const Result<journal::StreamState> state = ReadState();
  Give(state.ok() ? Event(EpochRead{.question = action.question, .epoch = state->epoch})
                  : Event(EpochReadFailed{action.question}));
}

// Who was given the lead by a hint may confirm before it ever looked.
Result<journal::StreamState> ReplicaServer::ReadState() {
  if (follower_ == nullptr) {
    follower_ = TRY(journal_.Follow(options_.stream));
  }
  return follower_->Look();
}

Result<SawTail> ReplicaServer::LookAtStream() {
  const journal::StreamState state = TRY(ReadState());
  if (const Status read = ReadUpTo(state); !read.ok()) {
    reader_.reset();  // begins anew at the end
    return read.error();
  }
  return SawTail{.epoch = state.epoch,
                 .tail = state.tail,
                 .lease = lease_,
                 .leader = leader_,
                 .removed = removed_};
}

// What the last record says. The records before it are read for the leader's name, from where the
// first look found the end.
Status ReplicaServer::ReadUpTo(const journal::StreamState& state) {
  if (state.tail == state.released) {
    lease_ = Lease::kRunning;
    return {};
  }
  if (reader_ == nullptr) {
    read_ = std::max(read_, std::max(state.released, state.tail - 1));
    reader_ = TRY(follower_->Read(read_));
  }
  bool anew = false;
  while (read_ < state.tail) {
    const std::optional<journal::Record> record = TRY(reader_->Next());
    if (record.has_value()) {
      Note(*record);
    } else if (anew) {
      return Error(Reason::kLostData, options_.stream + ": record " + std::to_string(read_ + 1) +
                                          " cannot be read, but the tail is " +
                                          std::to_string(state.tail));
    } else {
      reader_ = TRY(follower_->Read(read_));  // the stream was closed and opened again
      anew = true;
    }
  }
  return {};
}

void ReplicaServer::NoteLeader(const std::string& text) {
  ServerName name = ParseServerName(text);
  leader_ = name.clients;
  base::MutexLock lock(mutex_);
  named_ = std::move(name);
}

void ReplicaServer::Note(const journal::Record& record) {
  read_ = record.sequence;
  lease_ = Lease::kRunning;
  const Result<group::Decoded> decoded = group::Decode(record.payload);
  if (!decoded.ok()) {
    return;  // of a newer build; a leader wrote it all the same
  }
  if (const auto* start = std::get_if<group::LeaderStart>(&decoded->body)) {
    NoteLeader(start->server);
  } else if (const auto* renew = std::get_if<group::Renew>(&decoded->body)) {
    lease_ = renew->resting ? Lease::kResting : Lease::kRunning;
    if (!renew->server.empty()) {
      NoteLeader(renew->server);
    }
  } else if (const auto* transfer = std::get_if<group::Transfer>(&decoded->body)) {
    lease_ = transfer->target == options_.server ? Lease::kGivenToMe
             : transfer->target.empty()          ? Lease::kGivenUp
                                                 : Lease::kRunning;
    leader_ = transfer->target;
  } else if (const auto* config = std::get_if<group::Config>(&decoded->body)) {
    removed_ = std::ranges::binary_search(config->removed, options_.server);
  }
}

}  // namespace luna::replica
