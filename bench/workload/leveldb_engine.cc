// LevelDB with Bloom filters of 10 bits, the same cache and the same memtables. It has one key
// space: keys of table 1 carry a leading byte. It has no transactions that read.
#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/filter_policy.h>
#include <leveldb/write_batch.h>

#include "workload/engine.h"
#include "workload/failure.h"

namespace luna::bench {
namespace {

using leveldb::Slice;

constexpr char kSecondTable = '\x01';  // below every key of table 0

void Must(const leveldb::Status& status, const char* what) {
  if (!status.ok()) [[unlikely]] {
    Die(std::string("leveldb, ") + what + ": " + status.ToString());
  }
}
Slice AsSlice(std::string_view view) {
  return {view.data(), view.size()};
}
std::string_view AsView(Slice slice) {
  return {slice.data(), slice.size()};
}

class LeveldbCursor final : public Cursor {
 public:
  LeveldbCursor(leveldb::Iterator* iterator, int table)
      : iterator_(iterator), second_(table == 1) {}
  void Seek(std::string_view key) override {
    if (second_) {
      iterator_->Seek(kSecondTable + std::string(key));
    } else if (key.empty()) {
      iterator_->Seek(Slice("\x02", 1));
    } else {
      iterator_->Seek(AsSlice(key));
    }
  }
  bool Valid() override {
    if (iterator_->Valid()) {
      return !second_ || iterator_->key()[0] == kSecondTable;
    }
    Must(iterator_->status(), "scan");
    return false;
  }
  void Next() override { iterator_->Next(); }
  std::string_view key() override { return AsView(iterator_->key()).substr(second_ ? 1 : 0); }
  std::string_view value() override { return AsView(iterator_->value()); }

 private:
  std::unique_ptr<leveldb::Iterator> iterator_;
  const bool second_;
};

class LeveldbReader final : public Reader {
 public:
  explicit LeveldbReader(leveldb::DB& db) : db_(db) {}
  bool Get(std::string_view key, std::string_view& value) override {
    const leveldb::Status status = db_.Get({}, AsSlice(key), &value_);
    if (status.IsNotFound()) {
      return false;
    }
    Must(status, "get");
    value = value_;
    return true;
  }

 private:
  leveldb::DB& db_;
  std::string value_;
};

class LeveldbEngine final : public Engine {
 public:
  explicit LeveldbEngine(const Setup& setup)
      : cache_(leveldb::NewLRUCache(setup.budget_bytes / 2)),
        filter_(leveldb::NewBloomFilterPolicy(10)) {
    write_.sync = setup.device;
    leveldb::Options options;
    options.create_if_missing = true;
    options.block_cache = cache_.get();
    options.filter_policy = filter_.get();
    options.write_buffer_size = setup.budget_bytes / 10;
    leveldb::DB* db = nullptr;
    Must(leveldb::DB::Open(options, setup.directory, &db), "open");
    db_.reset(db);
  }

  void Put(std::string_view key, std::string_view value) override {
    Must(db_->Put(write_, AsSlice(key), AsSlice(value)), "put");
  }
  void Commit(std::span<const Write> writes) override {
    leveldb::WriteBatch batch;
    std::string second;
    for (const Write& write : writes) {
      if (write.table == 1) {
        second.assign(1, kSecondTable).append(write.key);
        batch.Put(second, AsSlice(write.value));
      } else {
        batch.Put(AsSlice(write.key), AsSlice(write.value));
      }
    }
    Must(db_->Write(write_, &batch), "write");
  }
  std::unique_ptr<Reader> NewReader() override { return std::make_unique<LeveldbReader>(*db_); }
  std::unique_ptr<Cursor> NewCursor(int table) override {
    return std::make_unique<LeveldbCursor>(db_->NewIterator({}), table);
  }
  void Compact() override { db_->CompactRange(nullptr, nullptr); }
  void Transfer(std::string_view, std::string_view, const Move&) override {
    Die("leveldb has no transactions");
  }

 private:
  leveldb::WriteOptions write_;
  std::unique_ptr<leveldb::Cache> cache_;
  std::unique_ptr<const leveldb::FilterPolicy> filter_;
  std::unique_ptr<leveldb::DB> db_;
};

}  // namespace

std::unique_ptr<Engine> OpenLeveldb(const Setup& setup) {
  return std::make_unique<LeveldbEngine>(setup);
}

std::string LeveldbVersion() {
  return std::to_string(leveldb::kMajorVersion) + "." + std::to_string(leveldb::kMinorVersion);
}

}  // namespace luna::bench
