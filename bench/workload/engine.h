// Engine, Reader, Cursor: what the workloads ask of a key-value store, in the words all of them
// share. Each adapter does it the cheapest documented way of its engine. Any error ends the
// process. An engine has two tables: 0 for everything, 1 only for the second index of load-index.
// Thread rule: an Engine is safe; Readers and Cursors are owned by one thread and end before it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace luna::bench {

struct Setup {
  std::string directory;      // exists and is empty
  uint64_t budget_bytes = 0;  // half of it is block cache, three tenths memtables
  bool device = false;        // commits survive power loss, not only the end of the process
  bool transfers = false;     // Transfer will be called
};

struct Write {
  int table = 0;
  std::string_view key;
  std::string_view value;
};

// Ordered entries of a table, as of its making.
class Cursor {
 public:
  virtual ~Cursor() = default;
  virtual void Seek(std::string_view key) = 0;  // empty: to the first
  virtual bool Valid() = 0;
  virtual void Next() = 0;
  virtual std::string_view key() = 0;
  virtual std::string_view value() = 0;
};

// Point reads of table 0; each sees the newest commit.
class Reader {
 public:
  virtual ~Reader() = default;
  // False: absent. The view is valid until the next call.
  virtual bool Get(std::string_view key, std::string_view& value) = 0;
};

// From the values of two keys, their new values. May run again when the transaction conflicts.
using Move = std::function<void(std::string_view from, std::string_view to, std::string& new_from,
                                std::string& new_to)>;

class Engine {
 public:
  virtual ~Engine() = default;
  virtual void Put(std::string_view key, std::string_view value) = 0;
  // All or nothing, one commit.
  virtual void Commit(std::span<const Write> writes) = 0;
  virtual std::unique_ptr<Reader> NewReader() = 0;
  virtual std::unique_ptr<Cursor> NewCursor(int table) = 0;
  // Brings everything to the engine's best form for reading.
  virtual void Compact() = 0;
  // Reads two keys and writes them in one serializable transaction; repeats on conflict.
  virtual void Transfer(std::string_view from, std::string_view to, const Move& move) = 0;
};

// "luna", "rocksdb", "rocksdb-tuned", "leveldb", "lmdb"; the order of the table's columns.
const std::vector<std::string>& EngineNames();
// Does the engine have transactions that read?
bool HasTransactions(std::string_view engine);
std::unique_ptr<Engine> OpenEngine(std::string_view engine, const Setup& setup);
// "Luna 0.1.0, RocksDB 7.8.3, ...": of what is linked.
std::string EngineVersions();

std::unique_ptr<Engine> OpenLuna(const Setup& setup);
std::unique_ptr<Engine> OpenRocksdb(const Setup& setup, bool tuned);
std::unique_ptr<Engine> OpenLeveldb(const Setup& setup);
std::unique_ptr<Engine> OpenLmdb(const Setup& setup);
std::string RocksdbVersion();
std::string LeveldbVersion();
std::string LmdbVersion();

}  // namespace luna::bench
