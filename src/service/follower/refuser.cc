#include "service/follower/refuser.h"

#include "service/command/command.h"
#include "service/command/credentials.h"
#include "service/resp/reply_parser.h"

namespace luna::follower {

namespace {

using command::IsWord;
using command::RefusalText;

constexpr resp::Limits kLimits = {.bulk_bytes = size_t{64} << 10,
                                  .arguments = 1024,
                                  .inline_bytes = size_t{64} << 10,
                                  .request_bytes = size_t{256} << 10};

}  // namespace

Refuser::Refuser(const std::function<std::string()>& status, uint64_t client_id,
                 resp::Version version)
    : status_(&status), client_id_(client_id), parser_(kLimits), version_(version) {}

void Refuser::Leave(command::Departing& departing) const {
  if (!hello_.empty()) {
    departing.introduction += hello_;
    ++departing.unheard;
  }
  departing.version = version_;
  departing.bytes += parser_.Rest();
}

bool Refuser::AnswerOne(std::string_view leader, std::string& out) {
  if (closing_) {
    return false;
  }
  resp::ReplyWriter reply(out, version_);
  const auto parsed = parser_.Next(arguments_);
  if (!parsed.ok()) {
    closing_ = true;
    reply.Fail("ERR Protocol error: " + parsed.error().message() +
               "; this server answers little: " + RefusalText(leader));
    return true;
  }
  if (!*parsed) {
    return false;
  }
  const std::string_view command = arguments_[0];
  if (IsWord(command, "ping") && arguments_.size() <= 2) {
    Ping(reply);
  } else if (IsWord(command, "quit")) {
    reply.Simple("OK");
    closing_ = true;
  } else if (IsWord(command, "group") && arguments_.size() == 2 &&
             IsWord(arguments_[1], "status")) {
    reply.Bulk(*status_ ? (*status_)() : std::string());
  } else if (!IsWord(command, "hello") || !Hello(reply)) {
    reply.Fail(RefusalText(leader));
    ++refused_;
  }
  return true;
}

void Refuser::Ping(resp::ReplyWriter& reply) {
  arguments_.size() == 2 ? reply.Bulk(arguments_[1]) : reply.Simple("PONG");
}

bool Refuser::Hello(resp::ReplyWriter& reply) {
  const bool named = arguments_.size() == 4 && IsWord(arguments_[2], "setname");
  if (arguments_.size() > 2 && !named) {
    return false;  // AUTH: who may do what, the leader knows
  }
  if (arguments_.size() > 1) {
    if (arguments_[1] != "2" && arguments_[1] != "3") {
      reply.Fail("NOPROTO unsupported protocol version");
      return true;
    }
    version_ = arguments_[1] == "3" ? resp::Version::k3 : resp::Version::k2;
    reply.set_version(version_);
    hello_ = resp::Request(arguments_);
  }
  reply.Map(8);
  reply.Bulk("server");
  reply.Bulk("redis");
  reply.Bulk("version");
  reply.Bulk(command::kRedisVersion);
  reply.Bulk("proto");
  reply.Integer(static_cast<int64_t>(version_));
  reply.Bulk("id");
  reply.Integer(static_cast<int64_t>(client_id_));
  reply.Bulk("mode");
  reply.Bulk("standalone");
  reply.Bulk("role");
  reply.Bulk("replica");
  reply.Bulk("modules");
  reply.Array(0);
  reply.Bulk("luna_version");
  reply.Bulk(command::kLunaVersion);
  return true;
}

}  // namespace luna::follower
