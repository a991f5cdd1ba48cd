// Fuzzes the records of a group's stream: what is accepted must be usable field by field and come
// back from its own encoding byte for byte.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/assert.h"
#include "base/hash.h"
#include "engine/group/records.h"

namespace {

using namespace luna;
using namespace luna::group;

// Reads every byte that a body refers to.
struct User {
  uint64_t sum = 0;

  void Touch(std::string_view bytes) { sum += base::Hash(bytes); }
  void Touch(const std::vector<levels::Row>& tables) {
    for (const levels::Row& row : tables) {
      std::string encoded;
      table::EncodeTableRow(*row, encoded);
      base::ByteReader reader(encoded);
      LUNA_ASSERT(table::DecodeTableRow(reader) == *row && reader.ok() && reader.empty());
      Touch(encoded);
    }
  }
  void operator()(const LeaderStart& body) { Touch(body.server); }
  void operator()(const Commit& body) {
    for (const Operation& operation : body.operations) {
      LUNA_ASSERT(operation.entry.timestamp == body.timestamp);
      LUNA_ASSERT(operation.entry.kind >= entry::Kind::kPut &&
                  operation.entry.kind <= entry::Kind::kBlob);
      LUNA_ASSERT(operation.range || operation.range_end.empty());
      Touch(operation.entry.key);
      Touch(operation.entry.value);
      Touch(operation.range_end);
      sum += operation.tablet + operation.entry.expiry_millis + operation.entry.type;
    }
    sum += body.id.high ^ body.id.low;
  }
  void operator()(const Renew& body) { sum += body.resting ? 1 : 0; }
  void operator()(const Transfer& body) { Touch(body.target); }
  void operator()(const Config& body) {
    for (const std::string& server : body.removed) {
      Touch(server);
    }
  }
  void operator()(const TsLimit& body) { sum += body.limit; }
  void operator()(const Rotate& body) { sum += body.tablet; }
  void operator()(const Ingest& body) {
    sum += body.tablet + body.timestamp;
    Touch(body.tables);
  }
  void operator()(const Checkpoint& body) {
    for (const Checkpoint::Clock& clock : body.clocks) {
      sum += clock.database + clock.limit + clock.outcome_floor;
    }
    for (const Checkpoint::Outcome& outcome : body.outcomes) {
      sum += outcome.database + outcome.id.high + outcome.id.low + outcome.timestamp +
             static_cast<uint64_t>(outcome.committed);
    }
  }
  void operator()(const Abort& body) { sum += body.id.high + body.id.low + body.timestamp; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view record(reinterpret_cast<const char*>(bytes), size);
  const Result<Decoded> decoded = Decode(record);
  if (!decoded.ok()) {
    LUNA_ASSERT(decoded.error().reason() == Reason::kBadFormat ||
                decoded.error().reason() == Reason::kNewerFormat);
    return 0;
  }
  User user;
  std::visit(user, decoded->body);
  std::string encoded;
  Encode(decoded->envelope, decoded->body, encoded);
  LUNA_ASSERT(encoded == record);
  return 0;
}
