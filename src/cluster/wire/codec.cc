#include "cluster/wire/codec.h"

#include <peer.pb.h>

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <optional>
#include <utility>

#include "base/coding.h"
#include "base/try.h"

namespace luna::wire {

namespace {

constexpr uint64_t kNanosPerMilli = 1'000'000;
constexpr size_t kMaxReasonBytes = 64;  // of one that is not known; ours are shorter

Status CheckTexts(std::initializer_list<const std::string*> texts, Reason reason) {
  for (const std::string* text : texts) {
    if (text->size() > kMaxTextBytes) {
      return Error(reason, "a message between servers has a text of " +
                               std::to_string(text->size()) + " bytes; " +
                               std::to_string(kMaxTextBytes) + " are permitted");
    }
  }
  return {};
}

Status Check(const Server& server, Reason reason) {
  return CheckTexts({&server.clients, &server.peers}, reason);
}

// The same bounds for what is sent and what comes; they differ in whose fault it is.
struct Checker {
  Reason reason;
  Status operator()(const ReadIndex& body) const { return CheckTexts({&body.group}, reason); }
  Status operator()(const Appended& body) const {
    return CheckTexts({&body.group, &body.target}, reason);
  }
  Status operator()(const AskStanding& body) const {
    TRY(Check(body.from, reason));
    return CheckTexts({&body.group}, reason);
  }
  Status operator()(const Prepare& body) const { return CheckTexts({&body.group}, reason); }
  Status operator()(const ReadIndexReply& /*body*/) const { return {}; }
  Status operator()(const AppendedReply& /*body*/) const { return {}; }
  Status operator()(const StandingReply& body) const {
    TRY(Check(body.server, reason));
    TRY(Check(body.leader, reason));
    return CheckTexts({&body.role, &body.build}, reason);
  }
  Status operator()(const PrepareReply& /*body*/) const { return {}; }
  Status operator()(const NotLeader& body) const { return Check(body.leader, reason); }
};

Server From(const v1::Server& server) {
  return {.clients = server.clients(), .peers = server.peers()};
}

void Fill(const Server& from, v1::Server& to) {
  to.set_clients(from.clients);
  to.set_peers(from.peers);
}

// --- Bodies, one way ---

void Fill(const ReadIndex& from, v1::Request& to) {
  to.mutable_read_index()->set_group(from.group);
  to.mutable_read_index()->set_epoch(from.epoch);
}

void Fill(const Appended& from, v1::Request& to) {
  v1::Appended& body = *to.mutable_appended();
  body.set_group(from.group);
  body.set_epoch(from.epoch);
  body.set_tail(from.tail);
  body.set_closed(from.closed);
  body.set_last(from.last);
  body.set_target(from.target);
  body.set_end(from.end);
}

void Fill(const AskStanding& from, v1::Request& to) {
  to.mutable_ask_standing()->set_group(from.group);
  Fill(from.from, *to.mutable_ask_standing()->mutable_from());
  to.mutable_ask_standing()->set_applied(from.applied);
}

void Fill(const Prepare& from, v1::Request& to) {
  to.mutable_prepare()->set_group(from.group);
  to.mutable_prepare()->set_epoch(from.epoch);
}

void Fill(const ReadIndexReply& from, v1::Reply& to) {
  to.mutable_read_index()->set_epoch(from.epoch);
  to.mutable_read_index()->set_sequence(from.sequence);
  to.mutable_read_index()->set_published(from.published);
}

void Fill(const AppendedReply& /*from*/, v1::Reply& to) {
  to.mutable_appended();
}

void Fill(const StandingReply& from, v1::Reply& to) {
  v1::StandingReply& body = *to.mutable_standing();
  Fill(from.server, *body.mutable_server());
  body.set_role(from.role);
  body.set_epoch(from.epoch);
  Fill(from.leader, *body.mutable_leader());
  body.set_applied(from.applied);
  if (from.complete_age_millis != StandingReply::kNever) {
    body.set_complete_age_millis(from.complete_age_millis);
  }
  body.set_build(from.build);
}

void Fill(const PrepareReply& from, v1::Reply& to) {
  to.mutable_prepare()->set_applied(from.applied);
  to.mutable_prepare()->set_ready(from.ready);
}

void Fill(const NotLeader& from, v1::Reply& to) {
  Fill(from.leader, *to.mutable_not_leader()->mutable_leader());
}

void Fill(const Error& from, v1::Reply& to) {
  to.mutable_failure()->set_reason(std::string(Name(from.reason())));
  to.mutable_failure()->set_message(from.message().substr(0, kMaxTextBytes));
}

// --- And back ---

std::optional<Request> BodyOf(const v1::Request& from) {
  switch (from.body_case()) {
    case v1::Request::kReadIndex:
      return ReadIndex{.group = from.read_index().group(), .epoch = from.read_index().epoch()};
    case v1::Request::kAppended:
      return Appended{.group = from.appended().group(),
                      .epoch = from.appended().epoch(),
                      .tail = from.appended().tail(),
                      .closed = from.appended().closed(),
                      .last = from.appended().last(),
                      .target = from.appended().target(),
                      .end = from.appended().end()};
    case v1::Request::kAskStanding:
      return AskStanding{.group = from.ask_standing().group(),
                         .from = From(from.ask_standing().from()),
                         .applied = from.ask_standing().applied()};
    case v1::Request::kPrepare:
      return Prepare{.group = from.prepare().group(), .epoch = from.prepare().epoch()};
    case v1::Request::BODY_NOT_SET:
      break;
  }
  return std::nullopt;
}

std::optional<Reply> BodyOf(const v1::Reply& from) {
  switch (from.body_case()) {
    case v1::Reply::kReadIndex:
      return ReadIndexReply{.epoch = from.read_index().epoch(),
                            .sequence = from.read_index().sequence(),
                            .published = from.read_index().published()};
    case v1::Reply::kAppended:
      return AppendedReply{};
    case v1::Reply::kStanding: {
      const v1::StandingReply& body = from.standing();
      return StandingReply{.server = From(body.server()),
                           .role = body.role(),
                           .epoch = body.epoch(),
                           .leader = From(body.leader()),
                           .applied = body.applied(),
                           .complete_age_millis = body.has_complete_age_millis()
                                                      ? body.complete_age_millis()
                                                      : StandingReply::kNever,
                           .build = body.build()};
    }
    case v1::Reply::kPrepare:
      return PrepareReply{.applied = from.prepare().applied(), .ready = from.prepare().ready()};
    case v1::Reply::kNotLeader:
      return NotLeader{From(from.not_leader().leader())};
    case v1::Reply::kFailure:
    case v1::Reply::BODY_NOT_SET:
      break;
  }
  return std::nullopt;
}

Error ErrorOf(const v1::Failure& failure) {
  for (uint16_t i = 0; i <= static_cast<uint16_t>(Reason::kShutDown); ++i) {
    if (Name(static_cast<Reason>(i)) == failure.reason()) {
      return {static_cast<Reason>(i), failure.message().substr(0, kMaxTextBytes)};
    }
  }
  std::string message = "a server of a newer build says '" +
                        failure.reason().substr(0, kMaxReasonBytes) +
                        "', which this one does not know: " + failure.message();
  message.resize(std::min(message.size(), kMaxTextBytes));
  return {Reason::kNotSupported, std::move(message)};
}

// protobuf takes it on trust how long a message within a message is, and sets aside up to 50 MB for
// a text that is said to lie there. So the fields of a message, and those of its body, must lie in
// it; a server within the body is then as long as it says.
bool FieldsFit(std::string_view bytes, bool whole) {
  base::ByteReader in(bytes);
  while (in.ok() && !in.empty()) {
    const uint64_t tag = in.Varint();
    switch (tag & 7) {
      case 0:
        in.Varint();
        break;
      case 1:
        in.Fixed64();
        break;
      case 2: {
        const std::string_view part = in.String();
        const bool body = whole && tag >> 3 >= v1::Reply::kFailureFieldNumber &&
                          tag >> 3 <= v1::Reply::kNotLeaderFieldNumber;
        if (body && !FieldsFit(part, false)) {
          return false;
        }
        break;
      }
      case 5:
        in.Fixed32();
        break;
      default:  // groups, which proto3 has not
        return false;
    }
  }
  return in.ok();
}

template <typename Message>
Status Parse(std::string_view bytes, Message& message) {
  if (bytes.size() > kMaxMessageBytes) {
    return Error(Reason::kBadFormat, "a message between servers has " +
                                         std::to_string(bytes.size()) + " bytes; " +
                                         std::to_string(kMaxMessageBytes) + " are permitted");
  }
  if (!FieldsFit(bytes, true) ||
      !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
      message.version() == 0) {
    return Error(
        Reason::kBadFormat,
        "these bytes are no message between servers; is the address that of a peer-listen?");
  }
  if (message.version() > kVersion) {
    return Error(Reason::kNewerFormat, "a message between servers has version " +
                                           std::to_string(message.version()) +
                                           ", this build knows up to " + std::to_string(kVersion) +
                                           "; upgrade this server");
  }
  return {};
}

Error Unknown(const char* what) {
  return {Reason::kNotSupported, "a server of a newer build sent " + std::string(what) +
                                     " that this one does not know; upgrade this server"};
}

}  // namespace

Result<std::string> EncodeRequest(const Request& request, uint64_t budget_nanos) {
  TRY(std::visit(Checker{Reason::kValueTooLarge}, request));
  v1::Request message;
  message.set_version(kVersion);
  message.set_budget_millis(static_cast<uint32_t>(std::clamp<uint64_t>(
      budget_nanos / kNanosPerMilli, 1, std::numeric_limits<uint32_t>::max())));
  std::visit([&](const auto& body) { Fill(body, message); }, request);
  return message.SerializeAsString();
}

Result<Incoming> DecodeRequest(std::string_view bytes) {
  v1::Request message;
  TRY(Parse(bytes, message));
  std::optional<Request> request = BodyOf(message);
  if (!request.has_value()) {
    return Unknown("a request");
  }
  TRY(std::visit(Checker{Reason::kBadFormat}, *request));
  return Incoming{.request = *std::move(request),
                  .budget_nanos = uint64_t{message.budget_millis()} * kNanosPerMilli};
}

std::string EncodeReply(const Result<Reply>& reply) {
  v1::Reply message;
  message.set_version(kVersion);
  const Status sound = reply.ok() ? std::visit(Checker{Reason::kValueTooLarge}, *reply) : Status();
  if (!reply.ok()) {
    Fill(reply.error(), message);
  } else if (!sound.ok()) {
    Fill(sound.error(), message);
  } else {
    std::visit([&](const auto& body) { Fill(body, message); }, *reply);
  }
  return message.SerializeAsString();
}

Result<Reply> DecodeReply(std::string_view bytes) {
  v1::Reply message;
  TRY(Parse(bytes, message));
  if (message.body_case() == v1::Reply::kFailure) {
    return ErrorOf(message.failure());
  }
  std::optional<Reply> reply = BodyOf(message);
  if (!reply.has_value()) {
    return Unknown("a reply");
  }
  TRY(std::visit(Checker{Reason::kBadFormat}, *reply));
  return *std::move(reply);
}

}  // namespace luna::wire
