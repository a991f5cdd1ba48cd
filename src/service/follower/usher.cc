#include "service/follower/usher.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "base/try.h"
#include "runtime/tls/secrets.h"

namespace luna::follower {

namespace {

constexpr uint64_t kMilli = 1'000'000;
constexpr uint64_t kForever = std::numeric_limits<uint64_t>::max();
constexpr uint64_t kAskNanos = 1 * kMilli;     // between questions who leads
constexpr uint64_t kSeekNanos = 1 * kMilli;    // between looks while somebody seeks a leader
constexpr uint64_t kLookNanos = 1'000;         // for each client, where that makes more
constexpr uint64_t kTickNanos = 100 * kMilli;  // between looks at deadlines, and who leads
constexpr uint64_t kRetryNanos = 2 * kMilli;   // after a dial that failed
constexpr size_t kDialsMax = 256;              // at once: fewer than a listener's backlog
constexpr uint64_t kListenerTag = uint64_t{1} << 63;
constexpr uint64_t kLingerNanos = 300 * kMilli;  // for leaders that give clients back
constexpr uint32_t kGenerations = uint32_t{1} << 30;

}  // namespace

Usher::Usher(runtime::Runtime& runtime, runtime::Network& network, const FollowerSettings& settings,
             Tallies& tallies, Resolver& resolver)
    : runtime_(runtime),
      network_(network),
      settings_(settings),
      tallies_(tallies),
      resolver_(resolver),
      poller_((settings.tls_network != nullptr ? *settings.tls_network : network).NewPoller()),
      left_there_(runtime.NewEvent()),
      scratch_(std::max<size_t>(settings.buffer_bytes, 1)) {
  surroundings_.settings = &settings_;
  surroundings_.tallies = &tallies_;
  surroundings_.poller = poller_.get();
  surroundings_.scratch = scratch_;
}

Usher::~Usher() {
  CloseAll();
}

Status Usher::Listen() {
  for (const std::string& address : settings_.addresses) {
    TRY(ListenAt(network_, address));
  }
  for (const std::string& address : settings_.tls_addresses) {
    LUNA_ASSERT(settings_.tls_network != nullptr);
    TRY(ListenAt(*settings_.tls_network, address));
  }
  return {};
}

Status Usher::ListenAt(runtime::Network& network, const std::string& address) {
  auto listener = TRY(network.Listen(address));
  TRY(poller_->Add(*listener, kListenerTag + listeners_.size()));
  listeners_.push_back(std::move(listener));
  return {};
}

std::vector<std::string> Usher::addresses() const {
  std::vector<std::string> addresses;
  for (const auto& listener : listeners_) {
    addresses.push_back(listener->address());
  }
  return addresses;
}

void Usher::Stop() {
  stopping_.store(true);
  poller_->Wake();
}

void Usher::EndNow() {
  ending_.store(true);
  poller_->Wake();
}

std::vector<command::Departing> Usher::TakeLeft() {
  left_there_->Wait();
  return std::exchange(left_, {});
}

void Usher::Give(command::Departing client) {
  CountReturning(client, 1);
  {
    const base::MutexLock lock(mutex_);
    given_.push_back(std::move(client));
  }
  poller_->Wake();
}

void Usher::Run() {
  now_nanos_ = runtime_.clock().MonotonicNanos();
  AskWhoLeads();
  while (true) {
    const size_t count = poller_->Wait(ready_, WaitNanos());
    now_nanos_ = runtime_.clock().MonotonicNanos();
    AskWhoLeads();
    TakeReady(count);  // also when it stops: nothing is reported twice
    if (stopping_.load()) {
      break;
    }
    AdmitGiven();
    TakeQueued();
    TickAll();
    StartDials();
  }
  Leave();
  left_there_->Set();
  Linger();
  CloseAll();
}

void Usher::Leave() {
  asked_nanos_ = 0;
  AskWhoLeads();  // who comes now may ask it
  for (const auto& listener : listeners_) {
    static_cast<void>(AcceptAll(*listener));  // what waits there would end with the listener
  }
  {
    const base::MutexLock lock(mutex_);
    std::ranges::move(std::exchange(given_, {}), std::back_inserter(left_));
  }
  for (const command::Departing& client : left_) {
    CountReturning(client, -1);
  }
  for (uint32_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].guest != nullptr && slots_[i].guest->may_depart()) {
      left_.push_back(slots_[i].guest->Depart());
      End(i);
    }
  }
  for (const auto& listener : listeners_) {
    poller_->Remove(*listener);
  }
  listeners_.clear();
}

// Whoever leads now may have come to it before the last leader has given everybody back.
void Usher::Linger() {
  const uint64_t deadline = now_nanos_ + kLingerNanos;
  while (settings_.hand_on && guests_ > 0 && now_nanos_ < deadline && !ending_.load()) {
    const size_t count = poller_->Wait(ready_, again_.empty() ? SeekNanos() : 0);
    now_nanos_ = runtime_.clock().MonotonicNanos();
    AskWhoLeads();
    TakeReady(count);
    TakeQueued();
    for (uint32_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].guest != nullptr) {
        Advance(i);
      }
      if (slots_[i].guest != nullptr && slots_[i].guest->may_depart()) {
        command::Departing client = slots_[i].guest->Depart();
        End(i);
        settings_.hand_on(std::move(client));
      }
    }
  }
}

void Usher::CloseAll() {
  for (uint32_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].guest != nullptr) {
      End(i);
    }
  }
  for (const auto& listener : listeners_) {
    poller_->Remove(*listener);
  }
  listeners_.clear();
}

uint64_t Usher::SeekNanos() const {
  return std::max(kSeekNanos, guests_ * kLookNanos);
}

uint64_t Usher::WaitNanos() const {
  if (!again_.empty()) {
    return 0;
  }
  if (guests_ == 0 && all_accepted_) {
    return kForever;
  }
  return next_tick_nanos_ > now_nanos_ ? next_tick_nanos_ - now_nanos_ : 0;
}

void Usher::AskWhoLeads() {
  if (asked_nanos_ != 0 && now_nanos_ - asked_nanos_ < kAskNanos) {
    return;
  }
  asked_nanos_ = now_nanos_;
  Leader leads = settings_.leader ? settings_.leader() : Leader();
  surroundings_.leader_tls = leads.tls;
  surroundings_.takes_over = leads.soon_here;
  std::string leader = std::move(leads.address);
  const auto is_leader = [&](const auto& listener) { return listener->address() == leader; };
  surroundings_.leads_itself =
      !leader.empty() && (leader == settings_.self || std::ranges::any_of(listeners_, is_leader));
  if (surroundings_.leads_itself) {
    leader.clear();  // it leads no more, or not yet: its clients would come back here
  }
  if (leader != surroundings_.leader) {
    surroundings_.leader = std::move(leader);
    surroundings_.trouble.clear();
    reached_ = true;  // as far as is known
    next_dial_nanos_ = 0;
  }
}

uint64_t Usher::TagOf(uint32_t index) const {
  return uint64_t{slots_[index].generation} << 33 | uint64_t{index} << 1;
}

Usher::Slot* Usher::Find(uint64_t tag) {
  const auto index = static_cast<uint32_t>(tag >> 1);
  if (index >= slots_.size() || (TagOf(index) | 1) != (tag | 1)) {
    return nullptr;
  }
  return slots_[index].guest != nullptr ? &slots_[index] : nullptr;
}

bool Usher::Seeks(uint64_t tag) {
  const Slot* slot = Find(tag);
  return slot != nullptr && slot->guest->phase() == Guest::Phase::kSeeking;
}

bool Usher::AcceptAll(runtime::Listener& listener) {
  while (true) {
    auto accepted = listener.Accept();
    if (!accepted.ok()) {
      return false;
    }
    if (*accepted == nullptr) {
      return true;
    }
    Admit(std::move(accepted).value());
  }
}

bool Usher::IsFull(runtime::Socket& client) {
  if (guests_ < settings_.max_clients) {
    return false;
  }
  constexpr std::string_view kFull = "-ERR max number of clients reached\r\n";
  ++tallies_.refused_clients;
  if (throttle_.Admit(now_nanos_)) {
    settings_.log.Warning("connection-refused", {{"peer", client.peer()}, {"why", "maxclients"}});
  }
  // Fits into every socket's buffer; a client that is gone need not know.
  static_cast<void>(client.Write(std::span(&kFull, 1)).ok());
  return true;
}

uint32_t Usher::FreeSlot() {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const uint32_t index = free_slots_.back();
  free_slots_.pop_back();
  return index;
}

void Usher::Begin(uint32_t index) {
  ++tallies_.open;
  if (guests_++ == 0) {
    next_tick_nanos_ = now_nanos_ + kTickNanos;
  }
  if (slots_[index].guest->phase() == Guest::Phase::kSeeking) {
    Seek(index);
  }
  Advance(index);
}

void Usher::Admit(std::unique_ptr<runtime::Socket> client) {
  command::Departing offered{.client = std::move(client)};
  if (settings_.take && settings_.take(offered)) {
    ++tallies_.accepted;
    return;
  }
  client = std::move(offered.client);
  if (IsFull(*client)) {
    return;
  }
  if (settings_.log.Wants(base::LogLevel::kDebug)) {
    settings_.log.Debug("connection-opened", {{"peer", client->peer()}});
  }
  ++tallies_.accepted;
  const uint32_t index = FreeSlot();
  slots_[index].guest =
      std::make_unique<Guest>(surroundings_, std::move(client), TagOf(index), now_nanos_);
  Begin(index);
}

void Usher::AdmitGiven() {
  std::vector<command::Departing> given;
  {
    const base::MutexLock lock(mutex_);
    given.swap(given_);
  }
  for (command::Departing& client : given) {
    if (!IsFull(*client.client)) {
      Place(std::move(client));
    } else {
      CountReturning(client, -1);
    }
  }
}

void Usher::Place(command::Departing client) {
  const uint32_t index = FreeSlot();
  slots_[index].guest =
      std::make_unique<Guest>(surroundings_, std::move(client), TagOf(index), now_nanos_);
  Begin(index);
}

// Who came while nobody read here, or was handed on to this port before.
void Usher::OfferAll() {
  if (!settings_.take || !settings_.takes || !settings_.takes()) {
    return;
  }
  for (uint32_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].guest == nullptr || !slots_[i].guest->may_read_here()) {
      continue;
    }
    command::Departing client = slots_[i].guest->Depart();
    End(i);
    if (!settings_.take(client)) {
      return Place(std::move(client));
    }
  }
}

void Usher::TakeReady(size_t count) {
  if (!std::exchange(all_accepted_, true)) {
    for (const auto& listener : listeners_) {
      all_accepted_ = AcceptAll(*listener) && all_accepted_;
    }
  }
  for (const runtime::Ready& ready : std::span(ready_).first(count)) {
    if (ready.tag >= kListenerTag) {
      all_accepted_ = AcceptAll(*listeners_[ready.tag - kListenerTag]) && all_accepted_;
      continue;
    }
    Slot* slot = Find(ready.tag);
    if (slot == nullptr) {
      continue;
    }
    if ((ready.tag & 1) == 0) {
      slot->guest->NoticedClient(ready);
    } else {
      slot->guest->NoticedLeader(ready);
    }
    Advance(static_cast<uint32_t>(ready.tag >> 1));
  }
}

void Usher::TakeQueued() {
  std::vector<uint64_t> queued;
  queued.swap(again_);
  for (const uint64_t tag : queued) {
    if (Slot* slot = Find(tag); slot != nullptr) {
      slot->queued = false;
      Advance(static_cast<uint32_t>(tag >> 1));
    }
  }
}

void Usher::TickAll() {
  if (now_nanos_ < next_tick_nanos_) {
    return;
  }
  while (!seeking_.empty() && !Seeks(seeking_.front())) {
    seeking_.pop_front();  // they are gone, or were told
  }
  for (uint32_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].guest != nullptr) {
      Advance(i);
    }
  }
  OfferAll();
  next_tick_nanos_ = now_nanos_ + (seeking_.empty() && dialing_ == 0 ? kTickNanos : SeekNanos());
}

void Usher::Advance(uint32_t index) {
  using Phase = Guest::Phase;
  Guest& guest = *slots_[index].guest;
  const Phase before = guest.phase();
  const bool more = guest.Advance(now_nanos_);
  const Phase after = guest.phase();
  if (before == Phase::kDialing && after != Phase::kDialing) {
    --dialing_;
    if (after == Phase::kPassing) {
      reached_ = true;
    } else if (guest.leader() == surroundings_.leader) {
      DialFailed();
    }
  } else if (before == Phase::kPassing &&
             (after == Phase::kSeeking || (after == Phase::kLeaving && guest.turned_away()))) {
    DialFailed();  // it seemed to have succeeded
  }
  if (after == Phase::kSeeking && before != Phase::kSeeking) {
    Seek(index);
  }
  if (after == Phase::kGone) {
    End(index);
  } else if (more && !std::exchange(slots_[index].queued, true)) {
    again_.push_back(TagOf(index));
  }
}

void Usher::Seek(uint32_t index) {
  seeking_.push_back(TagOf(index));
  next_tick_nanos_ = std::min(next_tick_nanos_, now_nanos_ + SeekNanos());
}

void Usher::DialFailed() {
  if (std::exchange(reached_, false) && throttle_.Admit(now_nanos_)) {
    settings_.log.Warning("leader-unreached",
                          {{"leader", surroundings_.leader}, {"error", surroundings_.trouble}});
  }
  next_dial_nanos_ = now_nanos_ + kRetryNanos;
}

void Usher::StartDials() {
  if (seeking_.empty() || surroundings_.leader.empty() || now_nanos_ < next_dial_nanos_) {
    return;
  }
  if (surroundings_.leader_tls != (settings_.dial_tls != nullptr)) {
    surroundings_.trouble =
        surroundings_.leader_tls
            ? "it speaks TLS and this server does not; set tls-listen on all servers of the group"
            : "it speaks no TLS and this server does; set tls-listen on all servers of the group";
    DialFailed();
    return;
  }
  const auto address = resolver_.Find(surroundings_.leader);
  if (!address.ok()) {
    surroundings_.trouble = address.error().message();
    DialFailed();
    return;
  }
  if (!address->has_value()) {
    return;  // the next tick looks again
  }
  while (!seeking_.empty() && dialing_ < (reached_ ? kDialsMax : 1)) {
    const uint64_t tag = seeking_.front();
    seeking_.pop_front();
    if (Seeks(tag) && !DialFor(static_cast<uint32_t>(tag >> 1), **address)) {
      return;
    }
  }
}

Result<std::unique_ptr<runtime::Socket>> Usher::DialLeader(const std::string& address) {
  if (!settings_.dial_tls) {
    return network_.Dial(address);
  }
  const runtime::HostAndPort named = TRY(runtime::ParseAddress(surroundings_.leader));
  return settings_.dial_tls(address, named.host);
}

bool Usher::DialFor(uint32_t index, const std::string& address) {
  auto dialed = DialLeader(address);
  if (!dialed.ok()) {
    surroundings_.trouble = dialed.error().message();
    seeking_.push_back(TagOf(index));
    DialFailed();
    return false;
  }
  Guest& guest = *slots_[index].guest;
  guest.Dial(std::move(dialed).value(),
             settings_.new_mark ? settings_.new_mark() : tls::RandomHex(command::kMarkDigits),
             now_nanos_);
  if (guest.phase() != Guest::Phase::kDialing) {
    seeking_.push_back(TagOf(index));
    DialFailed();
    return false;
  }
  ++dialing_;
  Advance(index);  // a connection within the process is there already
  return now_nanos_ >= next_dial_nanos_;
}

void Usher::CountReturning(const command::Departing& client, int64_t change) {
  tallies_.returning += client.mark.empty() ? 0 : static_cast<uint64_t>(change);
}

void Usher::End(uint32_t index) {
  Slot& slot = slots_[index];
  tallies_.returning -= slot.guest->returns() ? 1 : 0;
  slot.guest = nullptr;
  slot.queued = false;
  slot.generation = (slot.generation + 1) % kGenerations;
  free_slots_.push_back(index);
  --guests_;
  --tallies_.open;
}

}  // namespace luna::follower
