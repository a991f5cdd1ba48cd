#include "service/connection/connection.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "service/command/holdings.h"
#include "service/resp/reply_parser.h"

namespace luna::connection {

namespace {

constexpr size_t kWritesMax = 1024;  // of one operation
constexpr size_t kReadsMax = 32;     // of one operation: their replies are held together
constexpr size_t kLightBytes = size_t{128} << 10;  // received at once, of a light operation
constexpr int kReceivesMax = 4;  // of one turn, so that no client starves the others
constexpr uint64_t kNanosPerSecond = 1'000'000'000;
constexpr uint64_t kReleaseNanos = 2 * kNanosPerSecond;  // idle so long: room is given back

using command::Place;

}  // namespace

Connection::Connection(Surroundings& surroundings, std::unique_ptr<runtime::Socket> socket,
                       uint64_t now_nanos)
    : surroundings_(surroundings), socket_(std::move(socket)), progress_nanos_(now_nanos) {
  session_.id = surroundings_.NextId();
  session_.peer = socket_->peer();
  session_.local = socket_->local();
  session_.connected_nanos = now_nanos;
  session_.active_nanos = now_nanos;
  session_.authenticated = !surroundings_.host->password_required();
  session_.reply_bytes_max = surroundings_.settings.output_hard_bytes;
  parser_.set_limits(limits());
  operation_.session = &session_;
  operation_.owner = this;
  card_ = std::make_shared<ClientCard>(session_);
}

Connection::~Connection() {
  LUNA_ASSERT(!waiting_);
  if (monitoring_) {
    surroundings_.host->holdings().monitors().Remove(session_.id);
  }
  surroundings_.held_bytes.fetch_sub(held_bytes_, std::memory_order_relaxed);
}

void Connection::Begin() {
  const Status chosen = command::ChooseCollection(
      *surroundings_.host, session_, command::kDefaultDatabase, command::kDefaultCollection);
  if (!chosen.ok()) {
    resp::ReplyWriter reply(output_.tail(), session_.version);
    reply.Fail(std::string(command::RespWord(chosen.error().reason())) + " " +
               chosen.error().message());
    session_.closing = true;
  }
  card_->PublishNames(session_);
}

void Connection::Arrive(command::Departing client) {
  session_.mark = client.mark;
  if (client.introduction.empty() && client.bytes.empty()) {
    return;
  }
  const auto taken = session_.closing
                         ? Result<bool>(true)
                         : command::TakeIntroduction(*surroundings_.table, session_,
                                                     *surroundings_.host, client.introduction);
  if (!taken.ok()) {
    resp::ReplyWriter reply(output_.tail(), client.version);
    reply.Fail(taken.error().message());
    session_.closing = true;
  } else if (!*taken) {
    departing_ = std::move(client);
    departing_->for_leader = true;
    return;
  }
  parser_.set_limits(limits());
  card_->PublishNames(session_);
  if (!session_.closing) {
    parser_.Feed(client.bytes);
  }
  drained_ = client.bytes.empty();
}

resp::Limits Connection::limits() const {
  return session_.authenticated ? resp::Limits() : resp::Limits::Unauthenticated();
}

bool Connection::is_full() const {
  return output_.pending() >= surroundings_.settings.output_soft_bytes;
}

bool Connection::rests() const {
  return postponed_ || leaves() || session_.closing || !operation_.empty() || is_full();
}

bool Connection::Held(uint64_t now_nanos) {
  if (session_.answer_nanos == 0) [[likely]] {
    return false;
  }
  if (now_nanos >= session_.answer_nanos) {
    session_.answer_nanos = 0;
  }
  return session_.answer_nanos != 0;
}

bool Connection::finished() const {
  if (waiting_) {
    return false;
  }
  if (leaves()) {
    return lost_;  // it is its handler's to let go
  }
  // What is paused now is not begun any more when the service stops.
  const bool said =
      session_.closing || ((ended_ || stopping_) && drained_) || (stopping_ && postponed_);
  return lost_ || (said && output_.pending() == 0);
}

void Connection::Noticed(const runtime::Ready& ready) {
  readable_ = readable_ || ready.readable;
  ending_ = ending_ || ready.ended;
}

Connection::Foretold Connection::Foretell(Tally& tally) {
  const bool begins = !waiting_ && !lost_ && !rests() && session_.answer_nanos == 0 &&
                      command_ == nullptr && parser_.buffered() == 0;
  if (!begins || !ReadsHere() || session_.collection == nullptr) {
    return {};
  }
  receives_left_ = 1;
  const auto key = Receive(tally) ? foresight_.Single(parser_) : std::nullopt;
  return key ? Foretold{.collection = session_.collection.get(), .key = *key} : Foretold();
}

Need Connection::Advance(uint64_t now_nanos, Tally& tally) {
  const Need need = AdvanceOn(now_nanos, tally);
  foresight_.Forget();
  return need;
}

Need Connection::AdvanceOn(uint64_t now_nanos, Tally& tally) {
  LUNA_ASSERT(!waiting_);
  receives_left_ = kReceivesMax;
  ended_nanos_ = 0;
  if (Held(now_nanos)) {
    return Need::kLater;
  }
  if (LeavesNow()) {
    Pack(command_ != nullptr || postponed_);
    return Need::kWait;
  }
  while (!lost_ && !session_.closing && !is_full() && session_.answer_nanos == 0 && Next(tally)) {
    session_.active_nanos = now_nanos;
    if (!Take(tally)) {
      break;
    }
  }
  card_->Publish(session_, parser_.buffered(), output_.pending());
  Account();
  if (lost_) {
    operation_.Clear();
    return Need::kWait;
  }
  if (session_.answer_nanos != 0) {
    return Need::kLater;
  }
  if (!operation_.empty()) {
    return queue_ == Queue::kWrites ? Need::kWrite : Need::kRead;
  }
  if (postponed_) {
    return Need::kPause;
  }
  if (leaves()) {
    return Need::kWait;
  }
  const bool more = readable_ && receives_left_ == 0 && !stopping_;
  return more && !session_.closing && !is_full() ? Need::kAgain : Need::kWait;
}

bool Connection::Next(Tally& tally) {
  if (leaves()) {
    return false;
  }
  if (command_ != nullptr) {
    return operation_.empty();  // it waited for an operation that has returned now
  }
  const bool full = queue_ == Queue::kWrites ? operation_.requests().size() >= kWritesMax
                                             : operation_.requests().size() >= kReadsMax;
  if (!operation_.empty() && (alone_ || full)) {
    return false;
  }
  if (std::exchange(postponed_, false)) {
    if (Judge(tally)) {
      return true;
    }
    if (rests()) {
      return false;
    }
  }
  while (true) {
    const auto taken = parser_.Next(arguments_);
    if (!taken.ok()) {
      ProtocolError(taken.error());
      return false;
    }
    if (taken.value()) {
      ++tally.commands;
      // A refusal after the operation's requests waits for their replies; more of them need not.
      if (Judge(tally)) {
        return true;
      }
      if (rests()) {
        return false;
      }
      continue;
    }
    drained_ = operation_.empty();
    // The operation's arguments lie where the next bytes would go.
    if (!operation_.empty() || !Receive(tally)) {
      return false;
    }
  }
}

bool Connection::Receive(Tally& tally) {
  ended_nanos_ = 0;
  if (!readable_ || stopping_ || ended_ || receives_left_ == 0) {
    return false;
  }
  --receives_left_;
  foresight_.Forget();
  const std::span<char> room = parser_.Room();
  const auto read = socket_->Read(room);
  if (!read.ok()) {
    lost_ = true;
    return false;
  }
  ended_ = read->ended;
  // Less than there was room for: the socket is empty, and reports what comes later.
  readable_ = read->bytes == room.size() || (ending_ && read->bytes > 0);
  if (read->bytes == 0) {
    return false;
  }
  tally.bytes_in += read->bytes;
  drained_ = false;
  parser_.Filled(read->bytes);
  return true;
}

bool Connection::Judge(Tally& tally) {
  resp::ReplyWriter reply(answers(), session_.version);
  const size_t begin = reply.size();
  const command::Decision decision =
      command::Decide(*surroundings_.table, session_, *surroundings_.host, arguments_, reply);
  postponed_ = decision.postponed;
  if (postponed_) {
    return false;
  }
  if (decision.leaves) {
    Pack(true);
    departing_->for_leader = true;
    return false;
  }
  if (!decision.answered) {
    command_ = decision.command;
    return true;
  }
  if (const std::string_view answer = reply.Since(begin); answer.starts_with('-')) {
    ++tally.errors;
    if (tally.counts != nullptr) {
      tally.counts->Rejected(decision.command, answer);
    }
  }
  return false;
}

void Connection::Pack(bool with_request) {
  LUNA_ASSERT(operation_.empty());  // whoever reads here leaves only after READWRITE was answered
  departing_.emplace();
  command::Introduce(session_, *departing_);
  if (with_request) {
    departing_->bytes += resp::Request(arguments_);
  }
  departing_->bytes += parser_.Rest();
}

bool Connection::LeavesNow() {
  return handed_on_ && !leaves() && !lost_ && !ended_ && operation_.empty() &&
         parser_.buffered() <= command::kCarriedBytes &&
         command::MayBeIntroduced(session_, *surroundings_.host);
}

command::Departing Connection::Depart() {
  departing_->client = std::move(socket_);
  return std::move(*departing_);
}

bool Connection::Joins(Queue queue, bool alone) const {
  return operation_.empty() || (queue == queue_ && !alone);
}

bool Connection::Take(Tally& tally) {
  const Place place = PlaceOfCommand();
  const bool here = place == Place::kConnection || (place == Place::kRead && ReadsHere());
  if (here && operation_.empty() && RunHere(tally)) {
    return true;
  }
  if (place == Place::kConnection) {
    return false;
  }
  const Queue queue =
      place == Place::kWrite || place == Place::kCommit ? Queue::kWrites : Queue::kReads;
  // Hiding the next reply only is the session's to remember: no refusal may come between. Behind a
  // read that left memory the next one may be answered here, and be the last that fits.
  const bool alone = place == Place::kCommit || place == Place::kSlow ||
                     session_.replies == command::Session::Replies::kSkipNext ||
                     (queue == Queue::kReads && surroundings_.settings.reads_on_handlers);
  if (!Joins(queue, alone)) {
    return false;
  }
  foresight_.Forget();
  queue_ = queue;
  alone_ = alone;
  operation_.light = !alone && queue == Queue::kWrites && parser_.capacity() <= kLightBytes;
  operation_.Add(*std::exchange(command_, nullptr), arguments_);
  return true;
}

Place Connection::PlaceOfCommand() const {
  const bool confirms = (command_->flags & command::kFlagConfirms) != 0;
  const bool opens_view = (command_->flags & command::kFlagOpensView) != 0;
  const bool waits = (confirms && surroundings_.host->read_gate() != nullptr) ||
                     (opens_view && surroundings_.host->follows());
  return waits ? Place::kSlow : command::PlaceOf(*command_, session_);
}

// In a transaction of the client's own whatever is read may lie on a device.
bool Connection::ReadsHere() const {
  return surroundings_.settings.reads_on_handlers && !session_.interactive.has_value();
}

command::Foreseen* Connection::Foresee() {
  if (command_->place != Place::kRead || command_->arity != 2 || command_->first_key != 1 ||
      session_.collection == nullptr) {
    foresight_.Forget();
    return nullptr;
  }
  command::Foreseen* const foreseen = foresight_.Read(arguments_, parser_, *session_.collection);
  // A gate decides from when on reads are new enough: there it has only fetched memory.
  return surroundings_.host->read_gate() == nullptr ? foreseen : nullptr;
}

// False: what is asked for is not in memory. Nothing has happened, and a worker may wait for it.
bool Connection::RunHere(Tally& tally) {
  session_.foreseen = Foresee();
  operation::Runner runner = surroundings_.runner(tally.counts);
  runner.ended_nanos = &ended_nanos_;
  resp::ReplyWriter reply(output_.tail(), session_.version);
  const command::Command& command = *command_;
  session_.memory_only = command.place == Place::kRead;
  const bool succeeded = runner.Run(command, arguments_, session_, nullptr, reply);
  session_.memory_only = false;
  session_.foreseen = nullptr;
  if (std::exchange(session_.left_memory, false)) {
    return false;
  }
  command_ = nullptr;
  tally.errors += succeeded ? 0 : 1;
  if (surroundings_.host->holdings().monitors().any()) [[unlikely]] {
    TellMonitors(command, arguments_);
  }
  if (command.place == Place::kConnection) {
    if (!succeeded && (command.name == "auth" || command.name == "hello")) {
      surroundings_.Complain("login-failed", session_.peer, command.name);
    }
    parser_.set_limits(limits());
    card_->PublishNames(session_);
    if (session_.monitoring || monitoring_) {
      BeginOrEndMonitor();
    }
  }
  if (output_.pending() > surroundings_.settings.output_hard_bytes) {
    CutOff("output-hard");
  }
  return true;
}

void Connection::TellMonitors(const command::Command& command,
                              std::span<const std::string_view> arguments) {
  const uint64_t now_millis = surroundings_.runtime->clock().WallMillis();
  surroundings_.host->holdings().monitors().Tell(
      session_.database->name(), command::MonitorLine(command, session_, now_millis, arguments));
}

// Also when the user may have changed.
void Connection::BeginOrEndMonitor() {
  command::Monitors& monitors = surroundings_.host->holdings().monitors();
  monitoring_ = session_.monitoring;
  if (!monitoring_) {
    return monitors.Remove(session_.id);
  }
  constexpr std::string_view kName[] = {"monitor"};
  monitors.Add(session_.id, {.user = session_.user,
                             .command = surroundings_.table->Find(kName),
                             .most_bytes = surroundings_.settings.output_hard_bytes,
                             .wake = wake_});
}

void Connection::TakeMonitored() {
  if (!monitoring_ || lost_) {
    return;
  }
  if (!surroundings_.host->holdings().monitors().Take(session_.id, output_.tail())) {
    CutOff("monitor");
  } else if (output_.pending() > surroundings_.settings.output_hard_bytes) {
    CutOff("output-hard");
  }
}

uint64_t Connection::room() const {
  return parser_.capacity() + output_.room() + after_.capacity() + operation_.room();
}

void Connection::Account() {
  constexpr uint64_t kGrain = uint64_t{32} << 10;  // what small ones hold is not worth counting
  const uint64_t held = (room() + session_.held_bytes) / kGrain * kGrain;
  if (held == held_bytes_) [[likely]] {
    return;
  }
  const uint64_t more = held - held_bytes_;  // or less, modulo 2^64
  const uint64_t all = surroundings_.held_bytes.fetch_add(more, std::memory_order_relaxed) + more;
  const bool grew = held > held_bytes_;
  held_bytes_ = held;
  const uint64_t most = surroundings_.most_held_bytes();
  const uint64_t fair = all > 2 * most ? kGrain : 2 * surroundings_.settings.output_soft_bytes;
  if (grew && all > most && held > fair && !lost_) {
    CutOff("clients-hold-much");
  }
}

void Connection::CutOff(std::string_view reason) {
  lost_ = true;
  surroundings_.Complain("client-cut-off", session_.peer, reason);
}

void Connection::ProtocolError(const Error& error) {
  resp::ReplyWriter reply(answers(), session_.version);
  reply.Fail("ERR Protocol error: " + error.message());
  session_.closing = true;
  surroundings_.Complain("protocol-error", session_.peer, error.message());
}

void Connection::Refused(std::string_view error, Tally& tally) {
  for (const operation::Request& request : operation_.requests()) {
    if (session_.replies == command::Session::Replies::kOn) {
      resp::ReplyWriter reply(operation_.replies, session_.version);
      reply.Fail(error);
    } else if (session_.replies != command::Session::Replies::kOff) {
      session_.replies = command::Session::Replies::kOn;
    }
    if (request.command->name == "exec") {
      session_.EndMulti();  // as after every other EXEC that failed
    }
    ++operation_.failures;
    if (tally.counts != nullptr) {
      tally.counts->Rejected(request.command, "-" + std::string(error));
    }
  }
  TakeReplies(tally);
}

void Connection::Returned(Tally& tally) {
  if (surroundings_.host->holdings().monitors().any()) [[unlikely]] {
    for (const operation::Request& request : operation_.requests()) {
      TellMonitors(*request.command, request.arguments);
    }
  }
  TakeReplies(tally);
}

void Connection::TakeReplies(Tally& tally) {
  waiting_ = false;
  tally.errors += operation_.failures;
  output_.Take(operation_.replies);
  output_.tail() += after_;
  after_.clear();
  operation_.Clear();
  Account();
  if (alone_) {
    card_->PublishNames(session_);
    if (session_.monitoring || monitoring_) {
      BeginOrEndMonitor();
    }
  }
  if (output_.pending() > surroundings_.settings.output_hard_bytes && !lost_) {
    CutOff("output-hard");
  }
}

bool Connection::Flush(uint64_t now_nanos, Tally& tally) {
  if (socket_ == nullptr || lost_ || (!waiting_ && session_.answer_nanos != 0)) {
    return false;
  }
  const bool was_full = is_full();
  const auto sent = output_.Flush(*socket_);
  if (!sent.ok() || sent->ended) {
    lost_ = true;
    return false;
  }
  tally.bytes_out += sent->bytes;
  if (!waiting_) {
    Account();
  }
  if (sent->bytes > 0 || output_.pending() == 0) {
    progress_nanos_ = now_nanos;
  }
  return was_full && !is_full() && !waiting_;
}

void Connection::Sweep(uint64_t now_nanos) {
  const ConnectionSettings& settings = surroundings_.settings;
  if (output_.pending() > 0 && now_nanos > progress_nanos_ &&
      now_nanos - progress_nanos_ > settings.stuck_seconds * kNanosPerSecond && !lost_) {
    CutOff("stuck-seconds");
  }
  if (waiting_) {
    return;
  }
  if (socket_ != nullptr && !socket_->established() &&
      now_nanos > session_.connected_nanos + settings.handshake_seconds * kNanosPerSecond) {
    lost_ = true;
  }
  const uint64_t idle_nanos = now_nanos - std::min(now_nanos, session_.active_nanos);
  const uint64_t timeout = surroundings_.idle_timeout_seconds.load(std::memory_order_relaxed);
  if (timeout > 0 && !postponed_ && !monitoring_ && idle_nanos > timeout * kNanosPerSecond) {
    lost_ = true;
  }
  session_.ExpireInteractive(now_nanos);
  if (idle_nanos > kReleaseNanos && parser_.buffered() == 0 && parser_.capacity() > 0 &&
      output_.pending() == 0 && command_ == nullptr && !postponed_) {
    parser_ = resp::RequestParser(limits());
    std::vector<std::string_view>().swap(arguments_);
    std::string().swap(after_);
    foresight_ = Foresight();
    operation_.Release();
    output_.Release();
    Account();
  }
}

}  // namespace luna::connection
