#include "engine/table/table_verifier.h"

#include <algorithm>

#include "base/text.h"
#include "base/try.h"
#include "engine/table/row_facts.h"
#include "engine/table/table_reader.h"
#include "engine/table/tag_search.h"

namespace luna::table {
namespace {

class Verifier {
 public:
  explicit Verifier(const LoadedTail& tail) : tail_(tail), index_(tail.view.index) {}

  Status VerifyBlocks() {
    for (size_t block = 0; block < index_.blocks(); ++block) {
      TRY(VerifyBlock(block));
    }
    return {};
  }

  // The row that the contents deserve, without object, salt, size and tail.
  TableRow Facts() {
    for (const entry::RangeTombstone& tombstone : tail_.view.tombstones) {
      facts_.AddRangeTombstone(tombstone);
    }
    return facts_.Finish();
  }

 private:
  Error Wrong(size_t block, const std::string& what) const {
    return Error(Reason::kBadFormat,
                 PlaceOf(*tail_.object, index_.offset(block)) + ": " + what +
                     " although all checksums match: written by a faulty program; restore the "
                     "table from a backup");
  }

  Status VerifyBlock(size_t number) {
    const std::shared_ptr<const Block> block = TRY(ReadBlock(tail_, number));
    if (block->rows() != index_.rows(number) ||
        block->timestamp(0) != index_.first_timestamp(number) ||
        block->keys().Key(0) != index_.first_key(number) ||
        block->keys().SameAsPrevious(0) != index_.Continues(number)) {
      return Wrong(number, "the block does not begin or end as the index says");
    }
    uint64_t deletions = 0;
    Timestamp max_timestamp = 0;
    for (size_t row = 0; row < block->rows(); ++row) {
      TRY(VerifyRow(number, *block, row));
      deletions += static_cast<uint64_t>(block->kind(row) == entry::Kind::kDelete);
      max_timestamp = std::max(max_timestamp, block->timestamp(row));
    }
    if (deletions != index_.deletions(number) || max_timestamp != index_.max_timestamp(number)) {
      return Wrong(number, "the block's deletions or newest timestamp differ from the index");
    }
    return {};
  }

  Status VerifyRow(size_t number, const Block& block, size_t row) {
    const std::string key = block.keys().Key(row);
    const auto wrong = [&](const std::string& what) {
      return Wrong(number,
                   "row " + std::to_string(row) + ", key " + base::Printable(key) + ": " + what);
    };
    entry::Entry entry;
    entry.key = key;
    block.Fill(row, entry);
    const bool first = facts_.entries() == 0;
    const bool same_key = !first && facts_.last_key() == key;
    if (!first && entry::Compare(facts_.last_key(), last_timestamp_, key, entry.timestamp) >= 0) {
      return wrong("not after the entry before it");
    }
    if (block.keys().SameAsPrevious(row) != same_key) {
      return wrong("the same-key bit is wrong");
    }
    const std::string_view rest = std::string_view(key).substr(block.keys().prefix().size());
    if (base::KeyHead(rest) != block.keys().head(row)) {
      return wrong("the head does not belong to the key");
    }
    const uint64_t hash = base::Hash(key);
    if (block.tag(row) != TagOf(hash) || !tail_.view.filter.MayContain(hash)) {
      return wrong("the key's hash is missing from the tags or the filter");
    }
    last_timestamp_ = entry.timestamp;
    return facts_.Add(entry);
  }

  const LoadedTail& tail_;
  const Index& index_;
  RowFacts facts_;
  Timestamp last_timestamp_ = 0;
};

}  // namespace

Status VerifyTable(const TableContext& context, const TableRow& row) {
  const std::unique_ptr<LoadedTail> tail = TRY(LoadTail(context, row));
  const std::string where = PlaceOf(*tail->object, row.tail_offset);
  if (!TailMatchesFooter(tail->bytes.view(), tail->view.footer) ||
      tail->view.footer.salt != row.salt) {
    return Error(Reason::kBadChecksum, where +
                                           ": the footer's checksum or salt is wrong although "
                                           "the manifest's matches; restore the table from a "
                                           "backup");
  }
  const Properties properties = TRY(DecodeProperties(tail->view.properties, where));
  Verifier verifier(*tail);
  TRY(verifier.VerifyBlocks());
  TableRow counted = verifier.Facts();
  counted.object = row.object;
  counted.salt = row.salt;
  counted.size = row.size;
  counted.tail_offset = row.tail_offset;
  counted.tail_checksum = row.tail_checksum;
  TableRow written = properties.row;
  written.object = row.object;
  written.size = row.size;
  written.tail_checksum = row.tail_checksum;
  TableRow expected = row;
  if (row.assigned_timestamp != 0) {
    // The row says what readers see, the table what was written before the commit was known.
    expected.assigned_timestamp = 0;
    expected.min_timestamp = counted.min_timestamp;
    expected.max_timestamp = counted.max_timestamp;
  }
  if (counted != expected || counted != written) {
    return Error(Reason::kBadFormat,
                 where + ": counts or bounds of the entries differ from the " +
                     std::string(counted != expected ? "manifest's row" : "properties") + " (" +
                     std::to_string(counted.entries) + " entries found, " +
                     std::to_string(row.entries) + " expected); restore the table from a backup");
  }
  return {};
}

}  // namespace luna::table
