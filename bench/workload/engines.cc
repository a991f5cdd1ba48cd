#include "workload/engine.h"
#include "workload/failure.h"

namespace luna::bench {

const std::vector<std::string>& EngineNames() {
  static const std::vector<std::string> names{"luna", "rocksdb", "rocksdb-tuned", "leveldb",
                                              "lmdb"};
  return names;
}

bool HasTransactions(std::string_view engine) {
  return engine != "leveldb";
}

std::unique_ptr<Engine> OpenEngine(std::string_view engine, const Setup& setup) {
  if (engine == "luna") {
    return OpenLuna(setup);
  }
  if (engine == "rocksdb" || engine == "rocksdb-tuned") {
    return OpenRocksdb(setup, engine == "rocksdb-tuned");
  }
  if (engine == "leveldb") {
    return OpenLeveldb(setup);
  }
  if (engine == "lmdb") {
    return OpenLmdb(setup);
  }
  Die("no engine '" + std::string(engine) + "'");
}

std::string EngineVersions() {
  return "Luna of this tree, RocksDB " + RocksdbVersion() + ", LevelDB " + LeveldbVersion() +
         ", LMDB " + LmdbVersion();
}

}  // namespace luna::bench
