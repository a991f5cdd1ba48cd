// Tables: metadata, then every block, each with the place where it lies.
#include "engine/table/table.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "apps/luna_inspect/inspect.h"
#include "apps/output/escape.h"
#include "base/text.h"
#include "base/try.h"
#include "engine/table/table_reader.h"
#include "engine/table/table_verifier.h"
#include "engine/table/tail.h"

namespace luna::inspect {
namespace {

std::string_view NameOf(table::Codec codec) {
  switch (codec) {
    case table::Codec::kNone:
      return "none";
    case table::Codec::kLz4:
      return "lz4";
    case table::Codec::kZstd:
      return "zstd";
  }
  return "unknown";
}

void AddFacts(const table::Properties& properties, FileReport& report) {
  const table::TableRow& row = properties.row;
  report.Add("writer", properties.creator);
  report.Add("codec", std::string(NameOf(properties.options.codec)));
  report.Add("block_target_bytes", uint64_t{properties.options.block_bytes});
  report.Add("filter_bits_per_key", uint64_t{properties.options.filter_bits_per_key});
  report.Add("entries", row.entries);
  report.Add("deletions", row.deletions);
  report.Add("range_tombstones", row.range_tombstones);
  report.Add("smallest", base::Printable(row.smallest));
  report.Add("largest", row.unbounded ? "(no bound)" : base::Printable(row.largest));
  report.Add("min_timestamp", std::to_string(row.min_timestamp));
  report.Add("max_timestamp", std::to_string(row.max_timestamp));
  report.Add("content_bytes", row.content_bytes);
  if (!row.blobs.empty()) {
    report.Add("blobs", uint64_t{row.blobs.size()});
  }
}

// Where the metadata begins, as far as the footer can be believed; else the footer itself.
uint64_t TailOffset(Inspector& inspector, const table::TableContext& context,
                    const std::string& object, uint64_t size) {
  const uint64_t footer_at = size - std::min<uint64_t>(size, table::kFooterBytes);
  const auto reader = inspector.storage.Open(context.bucket, object);
  std::string bytes(size - footer_at, '\0');
  if (!reader.ok() || !(*reader)->Read(footer_at, bytes.size(), bytes.data()).ok()) {
    return footer_at;
  }
  const auto footer = table::DecodeFooter(bytes, size, object);
  return footer.ok() ? footer->tail_offset : footer_at;
}

// The first block that does not check becomes the damage.
void CheckBlocks(const table::LoadedTail& tail, FileReport& report) {
  const table::Index& index = tail.view.index;
  for (size_t block = 0; block < index.blocks(); ++block) {
    if (const auto read = table::ReadBlock(tail, block); !read.ok()) {
      report.Damaged(index.offset(block), index.length(block), read.error());
      return;
    }
  }
}

std::string_view NameOf(entry::Kind kind) {
  switch (kind) {
    case entry::Kind::kPut:
      return "put";
    case entry::Kind::kDelete:
      return "delete";
    case entry::Kind::kBlob:
      return "blob";
  }
  return "unknown";
}

// Prints the entries up to the first that cannot be read.
void PrintEntries(Inspector& inspector, const table::Table& table, FileReport& report) {
  const auto entries = table.NewIterator(/*fill_cache=*/false);
  for (entries->SeekToFirst(); entries->Valid(); entries->Next()) {
    const entry::Entry& entry = entries->entry();
    output::Json json;
    json.BeginObject().Key("key").Bytes(entry.key);
    json.Key("timestamp")
        .Text(std::to_string(entry.timestamp))
        .Key("kind")
        .Text(NameOf(entry.kind));
    json.Key("value").Bytes(entry.value).EndObject();
    inspector.printer.Entry(report.path,
                            output::Escape(entry.key) + " @" + std::to_string(entry.timestamp) +
                                " " + std::string(NameOf(entry.kind)) + " " +
                                base::Printable(entry.value),
                            json);
  }
  if (!entries->status().ok()) {
    report.Damaged(0, std::nullopt, entries->status().error());
  }
}

}  // namespace

Status InspectTable(Inspector& inspector, const std::optional<table::TableRow>& row,
                    FileReport& report) {
  const std::string object(BaseName(report.path));
  const table::TableContext context{.storage = &inspector.storage,
                                    .bucket = runtime::ParentPath(report.path)};
  const auto own = table::ReadProperties(context, object);
  const uint64_t tail_offset = TailOffset(inspector, context, object, report.bytes);
  const auto of_tail = [&](const Error& error) {
    report.Damaged(tail_offset, report.bytes - tail_offset, error);
    return Status();
  };
  if (!own.ok()) {
    return IsDamage(own.error()) ? of_tail(own.error()) : own.error();
  }
  AddFacts(*own, report);
  if (inspector.wishes.verify) {
    const table::TableRow& expected = row.has_value() ? *row : own->row;
    const auto tail = table::LoadTail(context, expected);
    if (!tail.ok()) {
      return IsDamage(tail.error()) ? of_tail(tail.error()) : tail.error();
    }
    report.Add("blocks", uint64_t{(*tail)->view.index.blocks()});
    CheckBlocks(**tail, report);
    // Every checksum holds: then what they protect must agree as well.
    if (!report.damage.has_value()) {
      if (const Status verified = table::VerifyTable(context, expected); !verified.ok()) {
        return of_tail(verified.error());
      }
    }
  }
  if (inspector.wishes.entries) {
    PrintEntries(inspector, *table::Table::Open(context, own->row), report);
  }
  return {};
}

}  // namespace luna::inspect
