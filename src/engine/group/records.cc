#include "engine/group/records.h"

#include "base/coding.h"
#include "base/try.h"

namespace luna::group {

namespace {

// Numbers of types in stored records; never reused.
enum Type : uint8_t {
  kLeaderStart = 1,
  kCommit = 2,
  kTsLimit = 3,
  kRotate = 4,
  kIngest = 5,
  kCheckpoint = 6,
  kAbort = 7,
  kRenew = 16,
  kConfig = 31,
  kTransfer = 32,
};

// Of an operation: bit 7 marks a range deletion, the rest is the entry's kind.
constexpr uint8_t kRangeBit = 0x80;

void PutId(std::string& out, const TransactionId& id) {
  base::PutFixed64(out, id.high);
  base::PutFixed64(out, id.low);
}

TransactionId TakeId(base::ByteReader& in) {
  const uint64_t high = in.Fixed64();
  return {.high = high, .low = in.Fixed64()};
}

void PutOperation(std::string& out, const Operation& operation) {
  base::PutVarint(out, operation.tablet);
  if (operation.range) {
    out.push_back(static_cast<char>(kRangeBit));
    base::PutString(out, operation.entry.key);
    base::PutString(out, operation.range_end);
    return;
  }
  out.push_back(static_cast<char>(operation.entry.kind));
  out.push_back(static_cast<char>(operation.entry.type));
  base::PutVarint(out, operation.entry.expiry_millis);
  base::PutString(out, operation.entry.key);
  base::PutString(out, operation.entry.value);
}

Result<Operation> TakeOperation(base::ByteReader& in, Timestamp timestamp) {
  Operation operation;
  operation.tablet = in.Varint();
  operation.entry.timestamp = timestamp;
  const uint8_t kind = in.Byte();
  if (kind == kRangeBit) {
    operation.range = true;
    operation.entry.key = in.String();
    operation.range_end = in.String();
    return operation;
  }
  if (in.ok() && (kind < static_cast<uint8_t>(entry::Kind::kPut) ||
                  kind > static_cast<uint8_t>(entry::Kind::kBlob))) {
    return Error(Reason::kNewerFormat,
                 "an operation of kind " + std::to_string(kind) + " is unknown to this build");
  }
  operation.entry.kind = static_cast<entry::Kind>(kind);
  operation.entry.type = in.Byte();
  operation.entry.expiry_millis = in.Varint();
  operation.entry.key = in.String();
  operation.entry.value = in.String();
  return operation;
}

// Of an operation beside its texts: tablet, kind, type, expiry, two lengths.
constexpr uint64_t kMostOperationBytes = 32;

struct Encoder {
  std::string& out;

  void operator()(const LeaderStart& body) { base::PutString(out, body.server); }
  void operator()(const Commit& body) {
    PutId(out, body.id);
    base::PutFixed64(out, body.timestamp);
    base::PutVarint(out, body.operations.size());
    for (const Operation& operation : body.operations) {
      PutOperation(out, operation);
    }
  }
  void operator()(const TsLimit& body) { base::PutFixed64(out, body.limit); }
  void operator()(const Rotate& body) { base::PutVarint(out, body.tablet); }
  void operator()(const Ingest& body) {
    base::PutVarint(out, body.tablet);
    base::PutFixed64(out, body.timestamp);
    base::PutVarint(out, body.tables.size());
    for (const levels::Row& row : body.tables) {
      table::EncodeTableRow(*row, out);
    }
  }
  void operator()(const Checkpoint& body) {
    base::PutVarint(out, body.clocks.size());
    for (const auto& clock : body.clocks) {
      base::PutVarint(out, clock.database);
      base::PutFixed64(out, clock.limit);
      base::PutFixed64(out, clock.outcome_floor);
    }
    base::PutVarint(out, body.outcomes.size());
    for (const auto& outcome : body.outcomes) {
      base::PutVarint(out, outcome.database);
      PutId(out, outcome.id);
      base::PutFixed64(out, outcome.timestamp);
      out.push_back(outcome.committed ? 1 : 0);
    }
  }
  void operator()(const Abort& body) {
    PutId(out, body.id);
    base::PutFixed64(out, body.timestamp);
  }
  void operator()(const Renew& body) {
    out.push_back(body.resting ? 1 : 0);
    base::PutString(out, body.server);
  }
  void operator()(const Transfer& body) { base::PutString(out, body.target); }
  void operator()(const Config& body) {
    base::PutVarint(out, body.removed.size());
    for (const std::string& server : body.removed) {
      base::PutString(out, server);
    }
  }
};

uint8_t TypeOf(const Body& body) {
  static constexpr uint8_t kTypes[] = {kLeaderStart, kCommit, kTsLimit, kRotate,   kIngest,
                                       kCheckpoint,  kAbort,  kRenew,   kTransfer, kConfig};
  static_assert(std::size(kTypes) == std::variant_size_v<Body>);
  return kTypes[body.index()];
}

Result<Body> TakeCommit(base::ByteReader& in) {
  Commit body;
  body.id = TakeId(in);
  body.timestamp = in.Fixed64();
  const uint64_t count = in.Varint();
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    body.operations.push_back(TRY(TakeOperation(in, body.timestamp)));
  }
  return Body(std::move(body));
}

Body TakeIngest(base::ByteReader& in) {
  Ingest body;
  body.tablet = in.Varint();
  body.timestamp = in.Fixed64();
  const uint64_t count = in.Varint();
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    body.tables.push_back(std::make_shared<const table::TableRow>(table::DecodeTableRow(in)));
  }
  return body;
}

Result<Body> TakeCheckpoint(base::ByteReader& in) {
  Checkpoint body;
  const uint64_t clocks = in.Varint();
  for (uint64_t i = 0; i < clocks && in.ok(); ++i) {
    const DatabaseId database = in.Varint();
    const Timestamp limit = in.Fixed64();
    body.clocks.push_back({.database = database, .limit = limit, .outcome_floor = in.Fixed64()});
  }
  const uint64_t outcomes = in.Varint();
  for (uint64_t i = 0; i < outcomes && in.ok(); ++i) {
    Checkpoint::Outcome outcome;
    outcome.database = in.Varint();
    outcome.id = TakeId(in);
    outcome.timestamp = in.Fixed64();
    const uint8_t committed = in.Byte();
    if (committed > 1) {
      return Error(Reason::kBadFormat, "an outcome of a checkpoint is " +
                                           std::to_string(committed) + ", neither 0 nor 1");
    }
    outcome.committed = committed == 1;
    body.outcomes.push_back(outcome);
  }
  return Body(std::move(body));
}

Result<Body> TakeRenew(base::ByteReader& in) {
  const uint8_t resting = in.Byte();
  if (resting > 1) {
    return Error(Reason::kBadFormat,
                 "a Renew says " + std::to_string(resting) + ", neither 0 nor 1");
  }
  return Body(Renew{.resting = resting == 1, .server = std::string(in.String())});
}

Result<Body> TakeConfig(base::ByteReader& in) {
  Config body;
  const uint64_t count = in.Varint();
  if (count > kMaxRemoved) {
    return Error(Reason::kBadFormat, "a Config removes " + std::to_string(count) +
                                         " servers, at most " + std::to_string(kMaxRemoved));
  }
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    body.removed.emplace_back(in.String());
  }
  return Body(std::move(body));
}

Result<Body> TakeBody(uint8_t type, base::ByteReader& in) {
  switch (type) {
    case kLeaderStart:
      return Body(LeaderStart{std::string(in.String())});
    case kCommit:
      return TakeCommit(in);
    case kTsLimit:
      return Body(TsLimit{in.Fixed64()});
    case kRotate:
      return Body(Rotate{in.Varint()});
    case kIngest:
      return TakeIngest(in);
    case kCheckpoint:
      return TakeCheckpoint(in);
    case kAbort:
      return Body(Abort{TakeId(in), in.Fixed64()});
    case kRenew:
      return TakeRenew(in);
    case kTransfer:
      return Body(Transfer{std::string(in.String())});
    case kConfig:
      return TakeConfig(in);
    default:
      return Error(Reason::kNewerFormat,
                   "a record of type " + std::to_string(type) +
                       " is unknown to this build; open the universe with a newer one");
  }
}

}  // namespace

uint64_t MostBytes(const Operation& operation) {
  return kMostOperationBytes + operation.entry.key.size() +
         (operation.range ? operation.range_end : operation.entry.value).size();
}

void Encode(const Envelope& envelope, const Body& body, std::string& out) {
  out.push_back(static_cast<char>(TypeOf(body)));
  base::PutFixed64(out, envelope.epoch);
  base::PutFixed64(out, envelope.closed);
  base::PutFixed64(out, envelope.database);
  std::visit(Encoder{out}, body);
}

Result<Decoded> Decode(std::string_view record) {
  base::ByteReader in(record);
  const uint8_t type = in.Byte();
  Decoded decoded;
  decoded.envelope.epoch = in.Fixed64();
  decoded.envelope.closed = in.Fixed64();
  decoded.envelope.database = in.Fixed64();
  decoded.body = TRY(TakeBody(type, in));
  if (!in.ok() || !in.empty()) {
    return Error(Reason::kBadFormat, "a record of type " + std::to_string(type) + " and " +
                                         std::to_string(record.size()) +
                                         " bytes has the wrong length");
  }
  return decoded;
}

}  // namespace luna::group
