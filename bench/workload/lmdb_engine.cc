// LMDB: a map of 16 GiB; device durability is its default, process durability MDB_NOSYNC (pages are
// written to the system's cache at each commit). Its cache is the system's and has no budget.
#include <lmdb.h>

#include "workload/engine.h"
#include "workload/failure.h"

namespace luna::bench {
namespace {

constexpr size_t kMapBytes = size_t{16} << 30;

void Must(int code, const char* what) {
  if (code != MDB_SUCCESS) [[unlikely]] {
    Die(std::string("lmdb, ") + what + ": " + mdb_strerror(code));
  }
}
MDB_val AsVal(std::string_view view) {
  return {view.size(), const_cast<char*>(view.data())};
}
std::string_view AsView(const MDB_val& val) {
  return {static_cast<const char*>(val.mv_data), val.mv_size};
}

// A read transaction that is renewed for every read that must see the newest commit.
class ReadTransaction {
 public:
  explicit ReadTransaction(MDB_env* env) {
    Must(mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn_), "read");
  }
  ~ReadTransaction() { mdb_txn_abort(txn_); }
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;
  MDB_txn* Renewed() {
    mdb_txn_reset(txn_);
    Must(mdb_txn_renew(txn_), "renew");
    return txn_;
  }
  MDB_txn* get() { return txn_; }

 private:
  MDB_txn* txn_ = nullptr;
};

class LmdbCursor final : public Cursor {
 public:
  LmdbCursor(MDB_env* env, MDB_dbi table) : transaction_(env) {
    Must(mdb_cursor_open(transaction_.get(), table, &cursor_), "cursor");
  }
  ~LmdbCursor() override { mdb_cursor_close(cursor_); }
  void Seek(std::string_view key) override {
    key_ = AsVal(key);
    Move(key.empty() ? MDB_FIRST : MDB_SET_RANGE);
  }
  bool Valid() override { return valid_; }
  void Next() override { Move(MDB_NEXT); }
  std::string_view key() override { return AsView(key_); }
  std::string_view value() override { return AsView(value_); }

 private:
  void Move(MDB_cursor_op operation) {
    const int code = mdb_cursor_get(cursor_, &key_, &value_, operation);
    valid_ = code == MDB_SUCCESS;
    if (code != MDB_NOTFOUND) {
      Must(code, "scan");
    }
  }

  ReadTransaction transaction_;
  MDB_cursor* cursor_ = nullptr;
  MDB_val key_{};
  MDB_val value_{};
  bool valid_ = false;
};

class LmdbReader final : public Reader {
 public:
  LmdbReader(MDB_env* env, MDB_dbi table) : transaction_(env), table_(table) {}
  bool Get(std::string_view key, std::string_view& value) override {
    MDB_val key_val = AsVal(key);
    MDB_val value_val;
    const int code = mdb_get(transaction_.Renewed(), table_, &key_val, &value_val);
    if (code == MDB_NOTFOUND) {
      return false;
    }
    Must(code, "get");
    value = AsView(value_val);
    return true;
  }

 private:
  ReadTransaction transaction_;
  MDB_dbi table_;
};

class LmdbEngine final : public Engine {
 public:
  explicit LmdbEngine(const Setup& setup) {
    Must(mdb_env_create(&env_), "create");
    Must(mdb_env_set_mapsize(env_, kMapBytes), "map size");
    Must(mdb_env_set_maxdbs(env_, 2), "tables");
    const unsigned flags = MDB_NOTLS | (setup.device ? 0U : unsigned{MDB_NOSYNC});
    Must(mdb_env_open(env_, setup.directory.c_str(), flags, 0644), "open");
    MDB_txn* txn = Begin();
    Must(mdb_dbi_open(txn, "first", MDB_CREATE, &tables_[0]), "table");
    Must(mdb_dbi_open(txn, "second", MDB_CREATE, &tables_[1]), "table");
    Must(mdb_txn_commit(txn), "commit");
  }
  ~LmdbEngine() override { mdb_env_close(env_); }

  void Put(std::string_view key, std::string_view value) override {
    const Write write{.table = 0, .key = key, .value = value};
    Commit({&write, 1});
  }
  void Commit(std::span<const Write> writes) override {
    MDB_txn* txn = Begin();
    for (const Write& write : writes) {
      PutIn(txn, write);
    }
    Must(mdb_txn_commit(txn), "commit");
  }
  std::unique_ptr<Reader> NewReader() override {
    return std::make_unique<LmdbReader>(env_, tables_[0]);
  }
  std::unique_ptr<Cursor> NewCursor(int table) override {
    return std::make_unique<LmdbCursor>(env_, tables_[table]);
  }
  void Compact() override {}
  void Transfer(std::string_view from, std::string_view to, const Move& move) override {
    MDB_txn* txn = Begin();
    std::string new_from;
    std::string new_to;
    move(GetIn(txn, from), GetIn(txn, to), new_from, new_to);
    PutIn(txn, {.table = 0, .key = from, .value = new_from});
    PutIn(txn, {.table = 0, .key = to, .value = new_to});
    Must(mdb_txn_commit(txn), "commit");
  }

 private:
  MDB_txn* Begin() {
    MDB_txn* txn = nullptr;
    Must(mdb_txn_begin(env_, nullptr, 0, &txn), "begin");
    return txn;
  }
  std::string_view GetIn(MDB_txn* txn, std::string_view key) {
    MDB_val key_val = AsVal(key);
    MDB_val value_val;
    Must(mdb_get(txn, tables_[0], &key_val, &value_val), "get");
    return AsView(value_val);
  }
  void PutIn(MDB_txn* txn, const Write& write) {
    MDB_val key_val = AsVal(write.key);
    MDB_val value_val = AsVal(write.value);
    Must(mdb_put(txn, tables_[write.table], &key_val, &value_val, 0), "put");
  }

  MDB_env* env_ = nullptr;
  MDB_dbi tables_[2] = {};
};

}  // namespace

std::unique_ptr<Engine> OpenLmdb(const Setup& setup) {
  return std::make_unique<LmdbEngine>(setup);
}

std::string LmdbVersion() {
  return std::to_string(MDB_VERSION_MAJOR) + "." + std::to_string(MDB_VERSION_MINOR) + "." +
         std::to_string(MDB_VERSION_PATCH);
}

}  // namespace luna::bench
