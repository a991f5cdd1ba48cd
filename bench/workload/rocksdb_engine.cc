// RocksDB twice. "rocksdb": the options it ships with, except the block cache, which gets the
// budget's half. "rocksdb-tuned": what its own tuning guide asks for a small machine, see Tune.
// Transfers: OptimisticTransactionDB for the first, TransactionDB (row locks) for the second.
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/optimistic_transaction_db.h>
#include <rocksdb/utilities/transaction.h>
#include <rocksdb/utilities/transaction_db.h>
#include <rocksdb/version.h>
#include <rocksdb/write_batch.h>

#include <utility>

#include "workload/engine.h"
#include "workload/failure.h"

namespace luna::bench {
namespace {

using rocksdb::Slice;

void Must(const rocksdb::Status& status, const char* what) {
  if (!status.ok()) [[unlikely]] {
    Die(std::string("rocksdb, ") + what + ": " + status.ToString());
  }
}
Slice AsSlice(std::string_view view) {
  return {view.data(), view.size()};
}

// Bloom filters of 10 bits, LZ4, index and filter blocks in the budget and pinned where they are
// hot, the memtables Luna has, a second background thread, incremental writeback.
void Tune(const Setup& setup, rocksdb::BlockBasedTableOptions& table, rocksdb::Options& options) {
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.pin_top_level_index_and_filter = true;
  table.format_version = 5;
  table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  options.compression = rocksdb::kLZ4Compression;
  options.write_buffer_size = setup.budget_bytes / 10;
  options.max_write_buffer_number = 3;
  options.level_compaction_dynamic_level_bytes = true;
  options.max_background_jobs = 2;
  options.bytes_per_sync = 1 << 20;
}

class RocksdbCursor final : public Cursor {
 public:
  explicit RocksdbCursor(rocksdb::Iterator* iterator) : iterator_(iterator) {}
  void Seek(std::string_view key) override {
    key.empty() ? iterator_->SeekToFirst() : iterator_->Seek(AsSlice(key));
  }
  bool Valid() override {
    if (iterator_->Valid()) {
      return true;
    }
    Must(iterator_->status(), "scan");
    return false;
  }
  void Next() override { iterator_->Next(); }
  std::string_view key() override { return iterator_->key().ToStringView(); }
  std::string_view value() override { return iterator_->value().ToStringView(); }

 private:
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

class RocksdbReader final : public Reader {
 public:
  RocksdbReader(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* table) : db_(db), table_(table) {}
  bool Get(std::string_view key, std::string_view& value) override {
    value_.Reset();
    const rocksdb::Status status = db_.Get({}, table_, AsSlice(key), &value_);
    if (status.IsNotFound()) {
      return false;
    }
    Must(status, "get");
    value = value_.ToStringView();
    return true;
  }

 private:
  rocksdb::DB& db_;
  rocksdb::ColumnFamilyHandle* table_;
  rocksdb::PinnableSlice value_;
};

class RocksdbEngine final : public Engine {
 public:
  RocksdbEngine(const Setup& setup, bool tuned) {
    write_.sync = setup.device;
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(setup.budget_bytes / 2);
    rocksdb::Options options;
    options.create_if_missing = true;
    options.create_missing_column_families = true;
    if (tuned) {
      Tune(setup, table, options);
    }
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    const std::vector<rocksdb::ColumnFamilyDescriptor> families{
        {rocksdb::kDefaultColumnFamilyName, options}, {"second", options}};
    rocksdb::DB* db = nullptr;
    if (!setup.transfers) {
      Must(rocksdb::DB::Open(options, setup.directory, families, &tables_, &db), "open");
    } else if (tuned) {
      Must(
          rocksdb::TransactionDB::Open(options, {}, setup.directory, families, &tables_, &locking_),
          "open");
      db = locking_;
    } else {
      Must(rocksdb::OptimisticTransactionDB::Open(options, setup.directory, families, &tables_,
                                                  &optimistic_),
           "open");
      db = optimistic_;
    }
    db_.reset(db);
  }
  ~RocksdbEngine() override {
    for (rocksdb::ColumnFamilyHandle* table : tables_) {
      Must(db_->DestroyColumnFamilyHandle(table), "close");
    }
  }

  void Put(std::string_view key, std::string_view value) override {
    Must(db_->Put(write_, AsSlice(key), AsSlice(value)), "put");
  }
  void Commit(std::span<const Write> writes) override {
    rocksdb::WriteBatch batch;
    for (const Write& write : writes) {
      Must(batch.Put(tables_[write.table], AsSlice(write.key), AsSlice(write.value)), "batch");
    }
    Must(db_->Write(write_, &batch), "write");
  }
  std::unique_ptr<Reader> NewReader() override {
    return std::make_unique<RocksdbReader>(*db_, tables_[0]);
  }
  std::unique_ptr<Cursor> NewCursor(int table) override {
    return std::make_unique<RocksdbCursor>(db_->NewIterator({}, tables_[table]));
  }
  void Compact() override {
    Must(db_->Flush({}, tables_), "flush");
    for (rocksdb::ColumnFamilyHandle* table : tables_) {
      Must(db_->CompactRange({}, table, nullptr, nullptr), "compact");
    }
  }
  void Transfer(std::string_view from, std::string_view to, const Move& move) override {
    std::string from_value;
    std::string to_value;
    std::string new_from;
    std::string new_to;
    for (;;) {
      const std::unique_ptr<rocksdb::Transaction> transaction(
          locking_ != nullptr ? locking_->BeginTransaction(write_)
                              : optimistic_->BeginTransaction(write_));
      // Locks are taken in the order of keys: no deadlocks to wait for.
      const bool in_order = from < to;
      const auto first = transaction->GetForUpdate({}, AsSlice(in_order ? from : to),
                                                   in_order ? &from_value : &to_value);
      Must(first, "get for update");
      const auto second = transaction->GetForUpdate({}, AsSlice(in_order ? to : from),
                                                    in_order ? &to_value : &from_value);
      Must(second, "get for update");
      move(from_value, to_value, new_from, new_to);
      Must(transaction->Put(AsSlice(from), new_from), "put");
      Must(transaction->Put(AsSlice(to), new_to), "put");
      const rocksdb::Status status = transaction->Commit();
      if (status.ok()) {
        return;
      }
      if (!status.IsBusy() && !status.IsTryAgain()) {
        Must(status, "commit");
      }
    }
  }

 private:
  rocksdb::WriteOptions write_;
  std::unique_ptr<rocksdb::DB> db_;
  rocksdb::TransactionDB* locking_ = nullptr;               // db_, if it is one
  rocksdb::OptimisticTransactionDB* optimistic_ = nullptr;  // db_, if it is one
  std::vector<rocksdb::ColumnFamilyHandle*> tables_;
};

}  // namespace

std::unique_ptr<Engine> OpenRocksdb(const Setup& setup, bool tuned) {
  return std::make_unique<RocksdbEngine>(setup, tuned);
}

std::string RocksdbVersion() {
  return rocksdb::GetRocksVersionAsString();
}

}  // namespace luna::bench
