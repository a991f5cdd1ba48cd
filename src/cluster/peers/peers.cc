#include "cluster/peers/peers.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/mutex.h"
#include "base/try.h"

namespace luna::peers {

namespace {

constexpr size_t kFollowersMax = 64;  // strangers that are trusted but many
constexpr uint64_t kHintNanos = 1'000'000'000;
// A follower looks at each hint, which costs the store more than a small commit does (decision
// 0043).
constexpr uint64_t kHintGapNanos = 50'000'000;
constexpr uint64_t kLookNanos = 100'000'000;  // whether another leads
constexpr const char* kLeading = "leading";
constexpr const char* kFollowing = "following";

}  // namespace

struct Peers::State {
  explicit State(runtime::Runtime& runtime) : woken(runtime.NewEvent()) {}

  struct Known {
    Follower follower{};
    uint64_t told = 0;       // of `appends`
    bool in_flight = false;  // a hint
    bool told_last = false;  // that the term which it follows is over
    uint64_t hinted_nanos = 0;
  };

  const std::unique_ptr<runtime::Event> woken;
  std::atomic<uint64_t> appends{0};
  std::atomic<bool> anybody{false};  // somebody is to be told
  base::Mutex mutex;
  std::map<std::string, Known> known GUARDED_BY(mutex);  // by where they listen to others
  bool asking GUARDED_BY(mutex) = false;                 // the leader
  bool stopping GUARDED_BY(mutex) = false;
};

Peers::Peers(runtime::Runtime& runtime, transport::Transport& transport, Member& member,
             PeersOptions options)
    : runtime_(runtime),
      transport_(transport),
      member_(member),
      options_(std::move(options)),
      state_(std::make_shared<State>(runtime)) {}

Peers::~Peers() {
  Stop();
}

Status Peers::Start(std::string_view address) {
  port_ = TRY(transport_.Listen(address, *this));
  thread_ = runtime_.Spawn("luna-peers", runtime::ThreadClass::kForeground, [this] { Run(); });
  return {};
}

void Peers::Stop() {
  {
    base::MutexLock lock(state_->mutex);
    state_->stopping = true;
  }
  state_->woken->Set();
  if (thread_ != nullptr) {
    thread_->Join();
    thread_ = nullptr;
  }
  port_ = nullptr;
}

void Peers::Appended() {
  state_->appends.fetch_add(1);
  if (state_->anybody.load()) {
    state_->woken->Set();
  }
}

std::vector<Follower> Peers::followers() const {
  const uint64_t now = Now();
  std::vector<Follower> followers;
  base::MutexLock lock(state_->mutex);
  for (const auto& [address, known] : state_->known) {
    if (now - known.follower.heard_nanos < options_.keep_nanos) {
      followers.push_back(known.follower);
    }
  }
  return followers;
}

// --- Asking ---

void Peers::ReadIndex(uint64_t budget_nanos,
                      std::function<void(Result<wire::ReadIndexReply>)> done) {
  const wire::StandingReply standing = member_.Standing();
  if (standing.leader.peers.empty()) {
    done(Error(Reason::kUnreachable,
               standing.leader.clients.empty()
                   ? "no leader is known"
                   : standing.leader.clients + " leads, and has no peer-listen"));
    return;
  }
  transport_.Send(standing.leader.peers,
                  wire::ReadIndex{.group = options_.group, .epoch = standing.epoch}, budget_nanos,
                  [done = std::move(done)](const Result<wire::Reply>& reply) {
                    done(transport::As<wire::ReadIndexReply>(reply));
                  });
}

void Peers::Prepare(const std::string& follower, uint64_t budget_nanos,
                    std::function<void(Result<wire::PrepareReply>)> done) {
  for (const Follower& known : followers()) {
    if (known.server.clients == follower) {
      transport_.Send(known.server.peers,
                      wire::Prepare{.group = options_.group, .epoch = member_.Standing().epoch},
                      budget_nanos, [done = std::move(done)](const Result<wire::Reply>& reply) {
                        done(transport::As<wire::PrepareReply>(reply));
                      });
      return;
    }
  }
  done(Error(Reason::kUnreachable, follower + " was not heard of lately"));
}

Result<wire::StandingReply> Peers::Ask(const std::string& peers_address, uint64_t budget_nanos) {
  return transport::As<wire::StandingReply>(transport_.Call(
      peers_address, wire::AskStanding{.group = options_.group, .from = {}}, budget_nanos));
}

// --- Answering ---

Status Peers::CheckGroup(const std::string& group) const {
  if (group != options_.group) {
    return Error(Reason::kBadName, options_.self.clients + " is of group " + options_.group +
                                       ", not of " + group +
                                       "; is this the address of a server of another universe?");
  }
  return {};
}

Result<wire::Reply> Peers::Handle(const wire::Request& request, uint64_t budget_nanos) {
  TRY(std::visit([&](const auto& each) { return CheckGroup(each.group); }, request));
  return std::visit([&](const auto& each) { return Answer(each, budget_nanos); }, request);
}

Result<wire::Reply> Peers::Answer(const wire::ReadIndex& /*request*/, uint64_t budget_nanos) {
  const Result<wire::ReadIndexReply> index = member_.ReadIndex(budget_nanos);
  if (index.ok()) {
    return wire::Reply(*index);
  }
  if (index.error().reason() == Reason::kFenced) {
    return wire::Reply(wire::NotLeader{member_.Standing().leader});
  }
  return index.error();
}

Result<wire::Reply> Peers::Answer(const wire::Appended& request, uint64_t /*budget_nanos*/) {
  member_.Hint(request);
  return wire::Reply(wire::AppendedReply{});
}

Result<wire::Reply> Peers::Answer(const wire::AskStanding& request, uint64_t /*budget_nanos*/) {
  wire::StandingReply standing = member_.Standing();
  standing.server = options_.self;
  standing.build = options_.build;
  if (!request.from.peers.empty() && standing.role == kLeading) {
    base::MutexLock lock(state_->mutex);
    auto& known = state_->known;
    if (known.size() < kFollowersMax || known.contains(request.from.peers)) {
      State::Known& follower = known[request.from.peers];
      follower.follower = {
          .server = request.from, .heard_nanos = Now(), .applied = request.applied};
      state_->anybody = true;
    }
  }
  return wire::Reply(std::move(standing));
}

Result<wire::Reply> Peers::Answer(const wire::Prepare& request, uint64_t budget_nanos) {
  return wire::Reply(TRY(member_.Prepare(request.epoch, budget_nanos)));
}

// --- The thread ---

void Peers::Run() {
  while (true) {
    state_->woken->Reset();
    {
      base::MutexLock lock(state_->mutex);
      if (state_->stopping) {
        return;
      }
    }
    const wire::StandingReply standing = member_.Standing();
    const uint64_t pause = SendHints(standing);  // also of the record that gave the lead away
    if (standing.role == kFollowing) {
      AskLeader(standing);
    }
    const uint64_t now = Now();
    const uint64_t rest = now < next_ask_nanos_ ? next_ask_nanos_ - now : options_.ask_nanos;
    (void)state_->woken->WaitFor(std::min(rest, pause));
  }
}

void Peers::AskLeader(const wire::StandingReply& standing) {
  const uint64_t now = Now();
  const bool another = standing.leader.peers != asked_;
  if (now < next_ask_nanos_ && !another) {
    return;
  }
  next_ask_nanos_ = now + options_.ask_nanos;
  asked_ = standing.leader.peers;
  {
    base::MutexLock lock(state_->mutex);
    state_->known.clear();  // of an earlier term
    state_->anybody = false;
    if (standing.leader.peers.empty() || standing.leader.peers == options_.self.peers ||
        (std::exchange(state_->asking, true) && !another)) {
      return;
    }
  }
  transport_.Send(standing.leader.peers,
                  wire::AskStanding{
                      .group = options_.group, .from = options_.self, .applied = standing.applied},
                  options_.ask_nanos, [state = state_](const Result<wire::Reply>& /*reply*/) {
                    base::MutexLock lock(state->mutex);
                    state->asking = false;
                  });
}

uint64_t Peers::SendHints(const wire::StandingReply& standing) {
  const uint64_t now = Now();
  const bool last = standing.role == kFollowing;  // not while that record is under way
  wire::Appended hint{
      .group = options_.group, .epoch = standing.epoch, .tail = standing.applied, .last = last};
  if (std::optional<Handover> end = last ? member_.HandedOver() : std::nullopt) {
    hint.epoch = end->epoch;
    hint.tail = end->tail;
    hint.end = end->end;
    hint.target = std::move(end->target);
  }
  uint64_t pause = kLookNanos;
  std::vector<std::string> addresses;
  {
    base::MutexLock lock(state_->mutex);
    std::erase_if(state_->known, [&](const auto& entry) {
      return now - entry.second.follower.heard_nanos >= options_.keep_nanos;
    });
    state_->anybody = !state_->known.empty();
    const uint64_t appends = state_->appends.load();
    for (auto& [address, known] : state_->known) {
      // The last one waits for none: who leads no more soon forgets whom it has to tell. Nor is it
      // counted: what it tells of may be in `appends` before it is in `standing`, and after.
      const bool was_told = std::exchange(known.told_last, last);
      if (last ? was_told : known.in_flight || known.told == appends) {
        continue;
      }
      const uint64_t since = now - known.hinted_nanos;
      if (since < kHintGapNanos && !last) {
        pause = std::min(pause, kHintGapNanos - since);
      } else {
        known.in_flight = true;
        known.hinted_nanos = now;
        known.told = appends;
        // Who is given the lead hears of it first.
        const bool given = last && known.follower.server.clients == hint.target;
        addresses.insert(given ? addresses.begin() : addresses.end(), address);
      }
    }
  }
  for (const std::string& address : addresses) {
    transport_.Send(address, hint, kHintNanos,
                    [state = state_, address](const Result<wire::Reply>& /*reply*/) {
                      bool more = false;
                      {
                        base::MutexLock lock(state->mutex);
                        const auto found = state->known.find(address);
                        if (found != state->known.end()) {
                          found->second.in_flight = false;
                          more = found->second.told != state->appends.load();
                        }
                      }
                      if (more) {
                        state->woken->Set();
                      }
                    });
  }
  return pause;
}

}  // namespace luna::peers
