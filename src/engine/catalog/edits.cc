#include "engine/catalog/edits.h"

#include "base/coding.h"
#include "base/text.h"
#include "base/try.h"

namespace luna::catalog {

namespace {

// Numbers of kinds in stored edits; never reused.
enum Kind : uint8_t {
  kCreateDatabase = 1,
  kDropDatabase = 2,
  kCreateCollection = 3,
  kDropCollection = 4,
  kRenameCollection = 5,
  kFlush = 6,
  kIngest = 7,
  kJobStart = 8,
  kJobCommit = 9,
  kJobAbort = 10,
  kSafePoint = 11,
  kAttachTables = 12,
  kTakeLead = 13,
  kLed = 14,
};

using Placed = std::vector<std::pair<int, levels::Row>>;

void PutRows(std::string& out, const std::vector<levels::Row>& rows) {
  base::PutVarint(out, rows.size());
  for (const levels::Row& row : rows) {
    table::EncodeTableRow(*row, out);
  }
}

void PutPlaced(std::string& out, const Placed& placed) {
  base::PutVarint(out, placed.size());
  for (const auto& [level, row] : placed) {
    out.push_back(static_cast<char>(level));
    table::EncodeTableRow(*row, out);
  }
}

levels::Row TakeRow(base::ByteReader& reader) {
  return std::make_shared<const table::TableRow>(table::DecodeTableRow(reader));
}

std::vector<levels::Row> TakeRows(base::ByteReader& reader) {
  std::vector<levels::Row> rows;
  const uint64_t count = reader.Varint();
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    rows.push_back(TakeRow(reader));
  }
  return rows;
}

Placed TakePlaced(base::ByteReader& reader) {
  Placed placed;
  const uint64_t count = reader.Varint();
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    const int level = reader.Byte();
    placed.emplace_back(level, TakeRow(reader));
  }
  return placed;
}

struct Encoder {
  std::string out;

  void Start(Kind kind) { out.push_back(static_cast<char>(kind)); }
  void Number(uint64_t value) { base::PutVarint(out, value); }

  void operator()(const CreateDatabase& edit) {
    Start(kCreateDatabase);
    base::PutString(out, edit.name);
  }
  void operator()(const DropDatabase& edit) {
    Start(kDropDatabase);
    Number(edit.database);
  }
  void operator()(const CreateCollection& edit) {
    Start(kCreateCollection);
    base::PutString(out, edit.name);
    Number(edit.group);
  }
  void operator()(const DropCollection& edit) {
    Start(kDropCollection);
    Number(edit.collection);
  }
  void operator()(const RenameCollection& edit) {
    Start(kRenameCollection);
    Number(edit.collection);
    base::PutString(out, edit.name);
  }
  void operator()(const Flush& edit) {
    Start(kFlush);
    Number(edit.tablet);
    Number(edit.tenure);
    Number(edit.from);
    Number(edit.upto);
    PutRows(out, edit.tables);
    Number(edit.safe_timestamp);
  }
  void operator()(const Ingest& edit) {
    Start(kIngest);
    Number(edit.tablet);
    Number(edit.tenure);
    Number(edit.sequence);
    PutRows(out, edit.tables);
  }
  void operator()(const JobStart& edit) {
    Start(kJobStart);
    Number(edit.collection);
    Number(edit.inputs.size());
    for (const std::string& input : edit.inputs) {
      base::PutString(out, input);
    }
    Number(edit.safe_timestamp);
  }
  void operator()(const JobCommit& edit) {
    Start(kJobCommit);
    Number(edit.job);
    PutPlaced(out, edit.outputs);
  }
  void operator()(const JobAbort& edit) {
    Start(kJobAbort);
    Number(edit.job);
  }
  void operator()(const SafePoint& edit) {
    Start(kSafePoint);
    Number(edit.timestamp);
  }
  void operator()(const AttachTables& edit) {
    Start(kAttachTables);
    Number(edit.collection);
    PutPlaced(out, edit.tables);
  }
  void operator()(const TakeLead& edit) {
    Start(kTakeLead);
    Number(edit.group);
    Number(edit.epoch);
  }
  void operator()(const Led& edit) {
    Start(kLed);
    Number(edit.group);
    Number(edit.epoch);
    base::PutString(out, edit.edit);
  }
};

JobStart TakeJobStart(base::ByteReader& reader) {
  JobStart edit{.collection = reader.Varint(), .inputs = {}, .safe_timestamp = 0};
  const uint64_t count = reader.Varint();
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    edit.inputs.emplace_back(reader.String());
  }
  edit.safe_timestamp = reader.Varint();
  return edit;
}

// What cannot be read within is no edit as a whole, whoever wrote it.
Result<Edit> TakeLed(base::ByteReader& reader) {
  Led led{.group = reader.Varint(), .epoch = reader.Varint(), .edit = {}};
  led.edit = reader.String();
  if (!reader.ok()) {
    return Edit(std::move(led));  // too short: told by the caller
  }
  const uint8_t within = led.edit.empty() ? 0 : static_cast<uint8_t>(led.edit.front());
  if (within == kTakeLead || within == kLed) {
    return Error(Reason::kBadFormat, "a manifest edit of a leader holds one of kind " +
                                         std::to_string(within) +
                                         "; restore the database from a backup");
  }
  TRY(Decode(led.edit));
  return Edit(std::move(led));
}

// Fields are read in the order they are written: braces evaluate left to right.
Result<Edit> Take(uint8_t kind, base::ByteReader& in) {
  switch (kind) {
    case kCreateDatabase:
      return Edit(CreateDatabase{std::string(in.String())});
    case kDropDatabase:
      return Edit(DropDatabase{in.Varint()});
    case kCreateCollection:
      return Edit(CreateCollection{std::string(in.String()), in.Varint()});
    case kDropCollection:
      return Edit(DropCollection{in.Varint()});
    case kRenameCollection:
      return Edit(RenameCollection{in.Varint(), std::string(in.String())});
    case kFlush:
      return Edit(
          Flush{in.Varint(), in.Varint(), in.Varint(), in.Varint(), TakeRows(in), in.Varint()});
    case kIngest:
      return Edit(Ingest{in.Varint(), in.Varint(), in.Varint(), TakeRows(in)});
    case kJobStart:
      return Edit(TakeJobStart(in));
    case kJobCommit:
      return Edit(JobCommit{in.Varint(), TakePlaced(in)});
    case kJobAbort:
      return Edit(JobAbort{in.Varint()});
    case kSafePoint:
      return Edit(SafePoint{in.Varint()});
    case kAttachTables:
      return Edit(AttachTables{in.Varint(), TakePlaced(in)});
    case kTakeLead:
      return Edit(TakeLead{in.Varint(), in.Varint()});
    case kLed:
      return TakeLed(in);
    default:
      return Error(Reason::kNewerFormat, "a manifest edit of kind " + std::to_string(kind) +
                                             " is unknown to this build; open it with a newer one");
  }
}

std::string Tables(size_t count) {
  return std::to_string(count) + (count == 1 ? " table" : " tables");
}

struct Printer {
  std::string operator()(const CreateDatabase& e) const {
    return "CreateDatabase " + base::Printable(e.name);
  }
  std::string operator()(const DropDatabase& e) const {
    return "DropDatabase " + std::to_string(e.database);
  }
  std::string operator()(const CreateCollection& e) const {
    return "CreateCollection " + base::Printable(e.name);
  }
  std::string operator()(const DropCollection& e) const {
    return "DropCollection " + std::to_string(e.collection);
  }
  std::string operator()(const RenameCollection& e) const {
    return "RenameCollection " + std::to_string(e.collection) + " to " + base::Printable(e.name);
  }
  std::string operator()(const Flush& e) const {
    return "Flush tablet " + std::to_string(e.tablet) + " (" + std::to_string(e.from) + ", " +
           std::to_string(e.upto) + "] to " + Tables(e.tables.size());
  }
  std::string operator()(const Ingest& e) const {
    return "Ingest tablet " + std::to_string(e.tablet) + " at " + std::to_string(e.sequence) +
           ": " + Tables(e.tables.size());
  }
  std::string operator()(const JobStart& e) const {
    return "JobStart collection " + std::to_string(e.collection) + " with " +
           Tables(e.inputs.size()) + ", safe " + std::to_string(e.safe_timestamp);
  }
  std::string operator()(const JobCommit& e) const {
    return "JobCommit " + std::to_string(e.job) + " to " + Tables(e.outputs.size());
  }
  std::string operator()(const JobAbort& e) const { return "JobAbort " + std::to_string(e.job); }
  std::string operator()(const SafePoint& e) const {
    return "SafePoint " + std::to_string(e.timestamp);
  }
  std::string operator()(const AttachTables& e) const {
    return "AttachTables collection " + std::to_string(e.collection) + ": " +
           Tables(e.tables.size());
  }
  std::string operator()(const TakeLead& e) const {
    return "TakeLead group " + std::to_string(e.group) + ", epoch " + std::to_string(e.epoch);
  }
  std::string operator()(const Led& e) const {
    const auto within = Decode(e.edit);
    return "Led group " + std::to_string(e.group) + ", epoch " + std::to_string(e.epoch) + ": " +
           (within.ok() ? ToString(*within) : within.error().message());
  }
};

}  // namespace

std::string Encode(const Edit& edit) {
  Encoder encoder;
  std::visit(encoder, edit);
  return std::move(encoder.out);
}

Result<Edit> Decode(std::string_view bytes) {
  if (bytes.empty()) {
    return Error(Reason::kBadFormat,
                 "a manifest edit is empty; restore the database from a backup");
  }
  base::ByteReader reader(bytes);
  const uint8_t kind = reader.Byte();
  Edit edit = TRY(Take(kind, reader));
  if (!reader.ok() || !reader.empty()) {
    return Error(Reason::kBadFormat, "a manifest edit of kind " + std::to_string(kind) + " and " +
                                         std::to_string(bytes.size()) +
                                         " bytes has the wrong length; restore the database "
                                         "from a backup");
  }
  return edit;
}

std::string ToString(const Edit& edit) {
  return std::visit(Printer{}, edit);
}

}  // namespace luna::catalog
