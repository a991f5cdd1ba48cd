#include "engine/table/tail.h"

#include <limits>

#include "base/crc32c.h"
#include "base/try.h"
#include "engine/table/stored_block.h"

namespace luna::table {
namespace {

constexpr size_t kFooterChecksumAt = 72;

Error Malformed(const std::string& where, const std::string& what) {
  return Error(Reason::kBadFormat,
               where + ": " + what + "; this is no intact table: restore it from a backup");
}

void PutTombstones(std::string& out, const std::vector<entry::RangeTombstone>& tombstones) {
  base::PutVarint(out, tombstones.size());
  for (const entry::RangeTombstone& tombstone : tombstones) {
    base::PutString(out, tombstone.range.begin);
    base::PutString(out, tombstone.range.end);
    base::PutVarint(out, tombstone.timestamp);
  }
}

bool ParseTombstones(std::string_view bytes, std::vector<entry::RangeTombstone>& tombstones) {
  base::ByteReader reader(bytes);
  const uint64_t count = reader.Varint();
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    entry::RangeTombstone tombstone;
    tombstone.range.begin = reader.String();
    tombstone.range.end = reader.String();
    tombstone.timestamp = reader.Varint();
    tombstones.push_back(std::move(tombstone));
  }
  return reader.ok() && reader.empty();
}

void PutProperties(std::string& out, const Properties& properties) {
  const size_t begin = out.size();
  base::PutString(out, properties.creator);
  base::PutVarint(out, properties.options.block_bytes);
  base::PutVarint(out, properties.options.filter_bits_per_key);
  base::PutVarint(out, static_cast<uint64_t>(properties.options.codec));
  TableRow row = properties.row;
  row.object.clear();
  row.size = 0;
  row.tail_checksum = 0;
  EncodeTableRow(row, out);
  base::PutFixed32(out, base::Crc32c(std::string_view(out).substr(begin)));
}

void PutFooter(std::string& tail, const Footer& footer) {
  for (const uint64_t field : {footer.tail_offset, footer.tombstone_bytes, footer.filter_at,
                               footer.filter_bytes, footer.index_bytes, footer.properties_bytes}) {
    base::PutFixed64(tail, field);
  }
  base::PutFixed32(tail, footer.filter_probes);
  base::PutFixed32(tail, footer.data_blocks);
  base::PutFixed64(tail, footer.salt.high);
  base::PutFixed64(tail, footer.salt.low);
  base::PutFixed64(tail, SaltedChecksum(tail, footer.salt, footer.tail_offset));
  base::PutFixed32(tail, kTableFormatVersion);
  base::PutFixed32(tail, 0);
  base::PutFixed64(tail, kTableMagic);
}

}  // namespace

std::string EncodeTail(const TailContents& contents) {
  std::string tail;
  Footer footer;
  footer.tail_offset = contents.properties.row.tail_offset;
  footer.salt = contents.properties.row.salt;
  PutTombstones(tail, contents.tombstones);
  footer.tombstone_bytes = tail.size();
  tail.resize((tail.size() + kFilterLineBytes - 1) / kFilterLineBytes * kFilterLineBytes);
  footer.filter_at = tail.size();
  footer.filter_bytes = contents.filter->bytes();
  footer.filter_probes = contents.filter->probes();
  contents.filter->Finish(tail);
  size_t section = tail.size();
  footer.data_blocks = static_cast<uint32_t>(contents.index->blocks());
  contents.index->Finish(tail);
  footer.index_bytes = tail.size() - section;
  section = tail.size();
  PutProperties(tail, contents.properties);
  footer.properties_bytes = tail.size() - section;
  PutFooter(tail, footer);
  return tail;
}

Result<Footer> DecodeFooter(std::string_view last, uint64_t size, const std::string& where) {
  base::ByteReader reader(last);
  Footer footer;
  footer.tail_offset = reader.Fixed64();
  footer.tombstone_bytes = reader.Fixed64();
  footer.filter_at = reader.Fixed64();
  footer.filter_bytes = reader.Fixed64();
  footer.index_bytes = reader.Fixed64();
  footer.properties_bytes = reader.Fixed64();
  footer.filter_probes = reader.Fixed32();
  footer.data_blocks = reader.Fixed32();
  footer.salt.high = reader.Fixed64();
  footer.salt.low = reader.Fixed64();
  reader.Fixed64();  // the checksum, see TailMatchesFooter
  const uint32_t version = reader.Fixed32();
  const uint32_t zero = reader.Fixed32();
  const uint64_t magic = reader.Fixed64();
  if (!reader.ok() || !reader.empty() || magic != kTableMagic) {
    return Malformed(where, "the footer does not end with the mark of a table");
  }
  if (version != kTableFormatVersion) {
    return Error(Reason::kNewerFormat, where + ": table format version " + std::to_string(version) +
                                           ", this program reads " +
                                           std::to_string(kTableFormatVersion) +
                                           "; use the program that wrote it or a newer one");
  }
  // Subtracting section after section cannot overflow, adding them up could.
  const bool inside = size >= kFooterBytes && footer.tail_offset <= size - kFooterBytes;
  uint64_t left = inside ? size - kFooterBytes - footer.tail_offset : 0;
  bool fits = inside && footer.tombstone_bytes <= footer.filter_at && footer.filter_at % 64 == 0 &&
              footer.filter_bytes % kFilterLineBytes == 0 &&
              footer.filter_probes <= kMaxFilterProbes && zero == 0;
  for (const uint64_t section :
       {footer.filter_at, footer.filter_bytes, footer.index_bytes, footer.properties_bytes}) {
    fits = fits && section <= left;
    left -= fits ? section : 0;
  }
  if (!fits || left != 0) {
    return Malformed(where, "the footer's sections do not fill the tail");
  }
  return footer;
}

bool TailMatchesFooter(std::string_view tail, const Footer& footer) {
  if (tail.size() < kFooterBytes) {
    return false;
  }
  const std::string_view covered = tail.substr(0, tail.size() - kFooterBytes + kFooterChecksumAt);
  return base::LoadFixed64(tail.data() + covered.size()) ==
         SaltedChecksum(covered, footer.salt, footer.tail_offset);
}

Result<TailView> ParseTail(std::string_view tail, uint64_t tail_offset, const std::string& where) {
  if (tail.size() < kFooterBytes) {
    return Malformed(where, "tail of " + std::to_string(tail.size()) + " bytes");
  }
  TailView view;
  view.footer =
      TRY(DecodeFooter(tail.substr(tail.size() - kFooterBytes), tail_offset + tail.size(), where));
  const Footer& footer = view.footer;
  if (footer.tail_offset != tail_offset) {
    return Malformed(where, "the footer says the tail begins at " +
                                std::to_string(footer.tail_offset) + ", not at " +
                                std::to_string(tail_offset));
  }
  if (!ParseTombstones(tail.substr(0, footer.tombstone_bytes), view.tombstones)) {
    return Malformed(where, "range tombstones are invalid");
  }
  view.filter = Filter(tail.substr(footer.filter_at, footer.filter_bytes), footer.filter_probes);
  base::ByteReader index(tail.substr(footer.filter_at + footer.filter_bytes, footer.index_bytes));
  if (!view.index.Parse(index, tail_offset) || view.index.blocks() != footer.data_blocks) {
    return Malformed(where, "the index is invalid");
  }
  view.properties =
      tail.substr(tail.size() - kFooterBytes - footer.properties_bytes, footer.properties_bytes);
  return view;
}

Result<Properties> DecodeProperties(std::string_view bytes, const std::string& where) {
  if (bytes.size() < 4 || base::Crc32c(bytes.substr(0, bytes.size() - 4)) !=
                              base::LoadFixed32(bytes.data() + bytes.size() - 4)) {
    return Error(Reason::kBadChecksum, where +
                                           ": checksum of the properties does not match; "
                                           "restore the table from a backup");
  }
  base::ByteReader reader(bytes.substr(0, bytes.size() - 4));
  Properties properties;
  properties.creator = reader.String();
  const uint64_t block_bytes = reader.Varint();
  const uint64_t filter_bits = reader.Varint();
  const uint64_t codec = reader.Varint();
  properties.row = DecodeTableRow(reader);
  constexpr uint64_t kMost = std::numeric_limits<uint32_t>::max();
  if (!reader.ok() || !reader.empty() || block_bytes > kMost || filter_bits > kMost) {
    return Malformed(where, "properties are invalid");
  }
  if (codec > static_cast<uint64_t>(Codec::kZstd)) {
    return Error(Reason::kNewerFormat, where + ": properties name codec " + std::to_string(codec) +
                                           ", which this program does not know; use the program "
                                           "that wrote it or a newer one");
  }
  properties.options = {.block_bytes = static_cast<uint32_t>(block_bytes),
                        .filter_bits_per_key = static_cast<uint32_t>(filter_bits),
                        .codec = static_cast<Codec>(codec)};
  return properties;
}

}  // namespace luna::table
