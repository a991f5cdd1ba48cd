#include "service/follower/guest.h"

#include <utility>

#include "base/assert.h"
#include "service/command/elsewhere.h"
#include "service/follower/giving_back.h"
#include "service/resp/reply_writer.h"

namespace luna::follower {

namespace {

constexpr uint64_t kDialNanos = 1'000'000'000;    // of one attempt: the next may go elsewhere
constexpr uint64_t kLingerNanos = 2'000'000'000;  // for the client to take the end
constexpr size_t kWordsBytes = size_t{64} << 10;  // replies not taken yet: no more are made
constexpr int kReadsOfATurn = 4;
constexpr uint64_t kGraceNanos = 250'000'000;   // of a leader that leads no more, for giving back
constexpr uint64_t kGiveNanos = 1'000'000'000;  // from the mark to all that is behind it
// Of the array behind a mark: more than one that gives back sends.
constexpr size_t kArrayBytes = 2 * kGivenBytes;

std::string UnledText(const Surroundings& surroundings) {
  if (surroundings.leader.empty()) {
    return "TRYAGAIN no server leads the group just now; try again later";
  }
  return "TRYAGAIN " + surroundings.leader + " leads the group but is not reached: " +
         (surroundings.trouble.empty() ? "no answer within the time" : surroundings.trouble) +
         "; try again later";
}

}  // namespace

Guest::Guest(Surroundings& surroundings, std::unique_ptr<runtime::Socket> client, uint64_t tag,
             uint64_t now_nanos)
    : surroundings_(surroundings),
      tag_(tag),
      client_(std::move(client)),
      handshake_deadline_nanos_(now_nanos + surroundings.settings->handshake_nanos) {
  deadline_nanos_ = now_nanos + surroundings.settings->idle_nanos;
  if (!surroundings.settings->forward) {
    phase_ = Phase::kRefused;
    refuser_.emplace(surroundings.settings->status, surroundings.tallies->accepted.load());
  }
  if (!surroundings.poller->Add(*client_, tag_).ok()) {
    phase_ = Phase::kGone;  // nobody would hear of it
  }
}

Guest::Guest(Surroundings& surroundings, command::Departing departing, uint64_t tag,
             uint64_t now_nanos)
    : surroundings_(surroundings),
      tag_(tag),
      client_(std::move(departing.client)),
      handshake_deadline_nanos_(now_nanos + surroundings.settings->handshake_nanos),
      introduction_(std::move(departing.introduction)),
      unheard_(departing.unheard),
      version_(departing.version),
      for_leader_(departing.for_leader),
      returns_(!departing.mark.empty()) {
  const FollowerSettings& settings = *surroundings.settings;
  // Who was introduced has spoken once: it may be silent as long as it likes.
  const bool spoke = !introduction_.empty() && settings.forward;
  deadline_nanos_ = spoke ? kNever : now_nanos + settings.idle_nanos;
  if (returns_) {
    phase_ = Phase::kReturning;
    deadline_nanos_ = now_nanos + kGiveNanos;
    words_ = std::move(departing.mark);
    to_leader_.Keep(departing.bytes);
  } else if (!settings.forward) {
    phase_ = Phase::kRefused;
    refuser_.emplace(settings.status, surroundings.tallies->accepted.load(), version_);
    refuser_->Feed(departing.bytes);
  } else if (!departing.bytes.empty()) {
    to_leader_.Keep(departing.bytes);
    HearFirst(now_nanos);
  }
  if (!surroundings.poller->Add(*client_, tag_).ok()) {
    phase_ = Phase::kGone;
  }
}

Guest::~Guest() {
  CloseLeader();
  if (client_ != nullptr) {
    surroundings_.poller->Remove(*client_);
  }
}

bool Guest::may_depart() const {
  switch (phase_) {
    case Phase::kSilent:
    case Phase::kSeeking:
    case Phase::kDialing:
      return true;
    case Phase::kPassing:
      return !greeting_.empty();
    case Phase::kRefused:
      return words_.empty() && !refuser_->closing() && !ended_;
    case Phase::kTakingBack:
    case Phase::kReturning:
    case Phase::kLeaving:
    case Phase::kGone:
      break;
  }
  return false;
}

bool Guest::may_read_here() const {
  return may_depart() && !for_leader_ && phase_ != Phase::kDialing && phase_ != Phase::kPassing;
}

command::Departing Guest::Depart() {
  LUNA_ASSERT(may_depart());
  CloseLeader();
  surroundings_.poller->Remove(*client_);
  phase_ = Phase::kGone;
  command::Departing departing{.client = std::move(client_),
                               .introduction = std::move(introduction_),
                               .unheard = unheard_,
                               .bytes = to_leader_.TakeKept(),
                               .version = version_,
                               .for_leader = for_leader_};
  if (refuser_.has_value()) {
    refuser_->Leave(departing);
  }
  return departing;
}

void Guest::NoticedClient(const runtime::Ready& ready) {
  to_leader_.NoticedSource(ready);
  to_client_.NoticedSink(ready);
  readable_ = readable_ || ready.readable;
  end_seen_ = end_seen_ || ready.ended;
}

void Guest::NoticedLeader(const runtime::Ready& ready) {
  to_leader_.NoticedSink(ready);
  to_client_.NoticedSource(ready);
}

void Guest::Dial(std::unique_ptr<runtime::Socket> leader, std::string mark, uint64_t now_nanos) {
  LUNA_ASSERT(phase_ == Phase::kSeeking);
  leader_name_ = surroundings_.leader;
  to_client_ = Lane();  // what was noticed of an earlier leader is over
  counted_to_client_ = 0;
  replies_ = {};
  greeted_ = heard_ = 0;
  greeting_ = Greeting(mark) + introduction_;
  to_client_.Watch(std::move(mark));
  dial_deadline_nanos_ = now_nanos + kDialNanos;
  phase_ = Phase::kDialing;
  if (!surroundings_.poller->Add(*leader, tag_ + 1).ok()) {
    SeekAgain("the system watches no more connections");
    return;
  }
  leader_ = std::move(leader);
}

bool Guest::Advance(uint64_t now_nanos) {
  if (phase_ != Phase::kGone && now_nanos >= handshake_deadline_nanos_ && !client_->established()) {
    return End();
  }
  switch (phase_) {
    case Phase::kSilent:
      return AdvanceSilent(now_nanos);
    case Phase::kSeeking:
      return AdvanceSeeking(now_nanos);
    case Phase::kDialing:
      return AdvanceDialing(now_nanos);
    case Phase::kPassing:
      return AdvancePassing(now_nanos);
    case Phase::kTakingBack:
      return AdvanceTakingBack(now_nanos);
    case Phase::kRefused:
      return AdvanceRefused(now_nanos);
    case Phase::kReturning:
      return AdvanceReturning(now_nanos);
    case Phase::kLeaving:
      return AdvanceLeaving(now_nanos);
    case Phase::kGone:
      break;
  }
  return false;
}

bool Guest::AdvanceSilent(uint64_t now_nanos) {
  if (JudgeGreeting(to_leader_.kept()) == IsGreeting::kPerhaps) {
    const auto read = to_leader_.ReadFirst(*client_, surroundings_.scratch);
    if (!read.ok() || (read->bytes == 0 && to_leader_.source_ended())) {
      return End();
    }
  }
  if (!to_leader_.kept().empty()) {
    HearFirst(now_nanos);
  }
  return phase_ == Phase::kSilent ? now_nanos >= deadline_nanos_ && End()
                                  : phase_ == Phase::kLeaving;
}

// Another server asks whether this one leads, or a client asks for whatever it likes. While this
// one takes over, the question waits: whoever serves then answers it.
void Guest::HearFirst(uint64_t now_nanos) {
  const IsGreeting greeting = JudgeGreeting(to_leader_.kept());
  if (greeting == IsGreeting::kYes && surroundings_.takes_over) {
    return;
  }
  if (greeting == IsGreeting::kYes) {
    resp::ReplyWriter(words_, resp::Version::k2).Fail(command::RefusalText(surroundings_.leader));
    phase_ = Phase::kLeaving;
    deadline_nanos_ = now_nanos + kLingerNanos;
  } else if (greeting == IsGreeting::kNo) {
    phase_ = Phase::kSeeking;
    deadline_nanos_ = now_nanos + surroundings_.settings->wait_nanos;
  }
}

bool Guest::AdvanceSeeking(uint64_t now_nanos) {
  if (now_nanos < deadline_nanos_) {
    return false;
  }
  return LeaveUnled(now_nanos);
}

bool Guest::LeaveUnled(uint64_t now_nanos) {
  ++surroundings_.tallies->unled;
  resp::ReplyWriter(words_, resp::Version::k2).Fail(UnledText(surroundings_));
  return Leave(now_nanos);
}

bool Guest::Reach(uint64_t now_nanos) {
  // A dial to a port of this machine that nobody listens at may, by chance, meet itself.
  if (leader_->local() == leader_->peer()) {
    SeekAgain("nobody listens at " + leader_->peer());
    return AdvanceSeeking(now_nanos);
  }
  phase_ = Phase::kPassing;
  dial_deadline_nanos_ = now_nanos + kDialNanos;  // of the greeting
  return true;
}

bool Guest::AdvanceDialing(uint64_t now_nanos) {
  if (leader_->established()) {
    return Reach(now_nanos);
  }
  const auto read = leader_->Read({});  // a byte of the leader's would be lost
  if (leader_->established()) {
    return Reach(now_nanos);  // by what was read
  }
  if (!read.ok()) {
    SeekAgain(read.error().message());
  } else if (read->ended) {
    SeekAgain(leader_->peer() + " closed the connection");
  } else if (IsTakenOver() || now_nanos >= dial_deadline_nanos_) {
    SeekAgain({});
  } else if (now_nanos < deadline_nanos_) {
    return false;
  } else {
    CloseLeader();
  }
  return AdvanceSeeking(now_nanos);
}

bool Guest::IsTakenOver() const {
  return surroundings_.leads_itself ||
         (!surroundings_.leader.empty() && surroundings_.leader != leader_name_);
}

bool Guest::AdvancePassing(uint64_t now_nanos) {
  const bool taken_over = IsTakenOver();
  if (!greeting_.empty()) {
    return taken_over ? LoseLeader(now_nanos) : Greet(now_nanos);
  }
  // It may be about to answer, and to give its clients back; later it may never.
  if (!taken_over) {
    given_up_nanos_ = kNever;
  } else if (given_up_nanos_ == kNever) {
    given_up_nanos_ = now_nanos + kGraceNanos;
  }
  const bool more = PassOn(now_nanos);
  CountPassed();
  if (phase_ != Phase::kPassing) {
    return more;
  }
  if (now_nanos >= given_up_nanos_) {
    return LoseLeader(now_nanos);
  }
  return more || (now_nanos >= deadline_nanos_ && End());
}

bool Guest::PassOn(uint64_t now_nanos) {
  using Outcome = Lane::Outcome;
  const std::span<char> scratch = surroundings_.scratch;
  Outcome up = Outcome::kWaits;
  if (!leader_deaf_) {
    up = to_leader_.Pump(*client_, *leader_, scratch);
    if (up == Outcome::kSourceLost) {
      return End();
    }
    leader_deaf_ = up == Outcome::kSinkLost;
  }
  const Outcome down = to_client_.Pump(*leader_, *client_, scratch);
  if (down == Outcome::kMarked) {
    return BeginTakingBack(now_nanos);
  }
  if (down == Outcome::kSinkLost || (down == Outcome::kEnded && up == Outcome::kEnded)) {
    return End();
  }
  if (down == Outcome::kSourceLost || (down == Outcome::kEnded && leader_deaf_)) {
    return LoseLeader(now_nanos);
  }
  if ((down == Outcome::kEnded || leader_deaf_) && deadline_nanos_ == kNever) {
    deadline_nanos_ = now_nanos + kLingerNanos;
  }
  return up == Outcome::kMore || down == Outcome::kMore;
}

// Nothing of the client's before all of it was taken: its requests would be another user's, or go
// to another collection; or they would wait at a server that leads no more, and be lost with it.
bool Guest::Greet(uint64_t now_nanos) {
  if (greeted_ < greeting_.size()) {
    const std::string_view rest = std::string_view(greeting_).substr(greeted_);
    const auto written = leader_->Write(std::span(&rest, 1));
    if (!written.ok() || written->ended) {
      return LoseLeader(now_nanos);
    }
    greeted_ += written->bytes;
  }
  if (!HearGreeting(now_nanos)) {
    return phase_ == Phase::kPassing && LoseLeader(now_nanos);
  }
  if (to_client_.marked()) {
    SeekAgain(leader_->peer() + " leads no more");  // it was asked nothing
    return AdvanceSeeking(now_nanos);
  }
  if (heard_ <= unheard_ || greeted_ < greeting_.size()) {
    if (now_nanos < dial_deadline_nanos_) {
      return false;
    }
    SeekAgain(leader_->peer() + " does not answer");
    return AdvanceSeeking(now_nanos);
  }
  std::string().swap(greeting_);
  std::string().swap(introduction_);
  to_client_.Keep(replies_.TakeRest());
  deadline_nanos_ = kNever;
  ++surroundings_.tallies->forwarded;
  return true;
}

bool Guest::HearGreeting(uint64_t now_nanos) {
  for (bool more = true; more && heard_ <= unheard_;) {
    const auto read = to_client_.ReadFirst(*leader_, surroundings_.scratch);
    if (!read.ok()) {
      return false;
    }
    more = read->bytes > 0;
    replies_.Feed(to_client_.TakeKept());
    while (heard_ <= unheard_) {
      const auto reply = replies_.Next();
      if (!reply.ok()) {
        Disown("ERR " + leader_->peer() + " speaks another protocol", now_nanos);
        return false;
      }
      if (!reply->has_value()) {
        break;
      }
      if (!TakeReply(**reply, now_nanos)) {
        return false;
      }
      ++heard_;
    }
    if (heard_ <= unheard_ && to_client_.source_ended()) {
      return false;
    }
  }
  return true;
}

bool Guest::TakeReply(const resp::Reply& reply, uint64_t now_nanos) {
  if (!reply.failed()) {
    return true;
  }
  if (heard_ > 0) {
    Disown(reply.text, now_nanos);
    return false;
  }
  SeekAgain(reply.text);
  AdvanceSeeking(now_nanos);
  return false;
}

void Guest::Disown(std::string_view why, uint64_t now_nanos) {
  ++surroundings_.tallies->lost;
  resp::ReplyWriter(words_, version_).Fail(why);
  Leave(now_nanos);
}

// What the leader was sent up to the end that is said here, it has answered or gives back. What it
// did not take goes behind that, and then what the client still says.
bool Guest::BeginTakingBack(uint64_t now_nanos) {
  if (leader_deaf_) {
    return LoseLeader(now_nanos);  // what was read for it is gone
  }
  to_leader_.Finish(*leader_);
  replies_ = {};
  replies_.Feed(to_client_.TakeBehindMark());
  heard_ = 0;
  phase_ = Phase::kTakingBack;
  deadline_nanos_ = now_nanos + kGiveNanos;
  given_up_nanos_ = kNever;
  return true;
}

bool Guest::AdvanceTakingBack(uint64_t now_nanos) {
  const bool taken = to_client_.Flush(*client_);  // replies from before the mark
  CountPassed();
  if (!taken) {
    return End();
  }
  if (leader_ != nullptr) {
    return HearReturn(now_nanos);
  }
  if (to_client_.pending() > 0) {
    return false;  // as while it was passed on, they wait as long as it likes
  }
  ++surroundings_.tallies->returned;
  // Who was passed on has spoken once: it may be silent as long as it likes.
  const bool asks = to_leader_.pending() > 0;
  phase_ = asks ? Phase::kSeeking : Phase::kSilent;
  deadline_nanos_ = asks ? now_nanos + surroundings_.settings->wait_nanos : kNever;
  return true;
}

bool Guest::HearReturn(uint64_t now_nanos) {
  for (int reads = 0; reads < kReadsOfATurn; ++reads) {
    auto given = replies_.Next();
    if (!given.ok()) {
      return LoseLeader(now_nanos);
    }
    if (given->has_value()) {
      return TakeBack(std::move(**given), now_nanos);
    }
    const auto read = leader_->Read(surroundings_.scratch);
    if (!read.ok() || (read->ended && read->bytes == 0) || heard_ > kArrayBytes) {
      return LoseLeader(now_nanos);
    }
    if (read->bytes == 0) {
      return now_nanos >= deadline_nanos_ && LoseLeader(now_nanos);
    }
    heard_ += read->bytes;
    replies_.Feed({surroundings_.scratch.data(), read->bytes});
  }
  return now_nanos < deadline_nanos_ || LoseLeader(now_nanos);
}

bool Guest::TakeBack(resp::Reply given, uint64_t now_nanos) {
  auto taken = TakenBack(std::move(given));
  if (!taken.has_value() || !replies_.TakeRest().empty()) {
    return LoseLeader(now_nanos);
  }
  introduction_ = std::move(taken->introduction);
  unheard_ = taken->unheard;
  version_ = taken->version;
  to_leader_.Redirect(std::move(taken->bytes));
  replies_ = {};
  CloseLeader();
  return true;
}

// Everything that was begun is answered, so the mark stands between two replies. What comes now was
// sent before it was read.
bool Guest::AdvanceReturning(uint64_t now_nanos) {
  if (!Flush(now_nanos)) {
    return End();
  }
  bool more = true;
  for (int reads = 0; more && reads < kReadsOfATurn; ++reads) {
    const auto read = to_leader_.ReadFirst(*client_, surroundings_.scratch);
    if (!read.ok()) {
      return End();
    }
    if (to_leader_.pending() > kGivenBytes) {
      return Leave(now_nanos);  // and the other side closes the client, which is told by that
    }
    more = read->bytes > 0;
  }
  if (to_leader_.source_ended()) {
    ended_ = true;
    words_ += GivenBack({.client = nullptr,
                         .introduction = std::move(introduction_),
                         .unheard = unheard_,
                         .bytes = to_leader_.TakeKept(),
                         .version = version_});
    return Leave(now_nanos);
  }
  return now_nanos >= deadline_nanos_ ? Leave(now_nanos) : more;
}

void Guest::CountPassed() {
  surroundings_.tallies->to_leader_bytes +=
      to_leader_.passed_bytes() - std::exchange(counted_to_leader_, to_leader_.passed_bytes());
  surroundings_.tallies->to_client_bytes +=
      to_client_.passed_bytes() - std::exchange(counted_to_client_, to_client_.passed_bytes());
}

bool Guest::AdvanceRefused(uint64_t now_nanos) {
  if (!Flush(now_nanos)) {
    return End();
  }
  for (int reads = 0; reads < kReadsOfATurn; ++reads) {
    const bool all_answered = AnswerRequests(now_nanos);
    if (!Flush(now_nanos)) {
      return End();
    }
    if (refuser_->closing() || (ended_ && all_answered)) {
      return Leave(now_nanos);
    }
    const bool waits = !words_.empty() || (all_answered && !readable_);
    if (waits) {
      refuser_->Release();
      return now_nanos >= deadline_nanos_ && End();
    }
    if (all_answered && !TakeRequests()) {
      return End();
    }
  }
  return true;
}

bool Guest::AnswerRequests(uint64_t now_nanos) {
  bool more = true;
  while (more && words_.size() < kWordsBytes) {
    more = refuser_->AnswerOne(surroundings_.leader, words_);
    if (more) {
      deadline_nanos_ = now_nanos + surroundings_.settings->idle_nanos;
    }
  }
  surroundings_.tallies->refused_commands += refuser_->TakeRefused();
  return !more;
}

bool Guest::TakeRequests() {
  const std::span<char> room = refuser_->Room();
  const auto read = client_->Read(room);
  if (!read.ok()) {
    return false;
  }
  refuser_->Filled(read->bytes);
  ended_ = ended_ || read->ended;
  readable_ = read->bytes > 0 && (read->bytes == room.size() || end_seen_);
  return true;
}

bool Guest::Flush(uint64_t now_nanos) {
  while (words_sent_ < words_.size()) {
    const std::string_view rest = std::string_view(words_).substr(words_sent_);
    const auto written = client_->Write(std::span(&rest, 1));
    if (!written.ok() || written->ended) {
      return false;
    }
    if (written->bytes == 0) {
      return true;
    }
    words_sent_ += written->bytes;
    if (phase_ == Phase::kRefused) {
      deadline_nanos_ = now_nanos + surroundings_.settings->idle_nanos;
    }
  }
  words_.clear();
  words_sent_ = 0;
  return true;
}

bool Guest::Leave(uint64_t now_nanos) {
  CloseLeader();
  phase_ = Phase::kLeaving;
  deadline_nanos_ = now_nanos + kLingerNanos;
  readable_ = true;
  return AdvanceLeaving(now_nanos);
}

bool Guest::AdvanceLeaving(uint64_t now_nanos) {
  if (!Flush(now_nanos)) {
    return End();
  }
  if (words_.empty() && !std::exchange(end_said_, true)) {
    client_->FinishWrites();
  }
  for (int reads = 0; readable_ && !ended_ && reads < kReadsOfATurn; ++reads) {
    const auto read = client_->Read(surroundings_.scratch);
    if (!read.ok()) {
      return End();
    }
    ended_ = read->ended;
    readable_ = read->bytes > 0;
  }
  if ((ended_ && words_.empty()) || now_nanos >= deadline_nanos_) {
    return End();
  }
  return readable_ && !ended_;
}

void Guest::CloseLeader() {
  if (leader_ != nullptr) {
    surroundings_.poller->Remove(*leader_);
    leader_ = nullptr;
  }
}

void Guest::SeekAgain(std::string trouble) {
  CloseLeader();
  phase_ = Phase::kSeeking;
  surroundings_.trouble = std::move(trouble);
}

bool Guest::LoseLeader(uint64_t now_nanos) {
  const bool heard = to_client_.passed_bytes() > 0 || to_client_.pending() > 0;
  if (!leader_->established() && !heard) {
    const auto why = leader_->Read({});
    surroundings_.trouble = why.ok() ? std::string() : why.error().message();
    turned_away_ = true;
    return LeaveUnled(now_nanos);
  }
  if (!greeting_.empty()) {
    SeekAgain(leader_->peer() + " closed the connection");
    return AdvanceSeeking(now_nanos);
  }
  ++surroundings_.tallies->lost;
  return Leave(now_nanos);
}

bool Guest::End() {
  CloseLeader();
  phase_ = Phase::kGone;
  return false;
}

}  // namespace luna::follower
