// Luna with its defaults: only location, budget and durability are set.
#include <luna/luna.h>

#include <utility>

#include "workload/engine.h"
#include "workload/failure.h"

namespace luna::bench {
namespace {

template <typename T>
T Must(Result<T> result, const char* what) {
  if (!result.ok()) {
    Die(std::string("luna, ") + what + ": " + result.error().ToString());
  }
  if constexpr (!std::is_void_v<T>) {
    return std::move(result).value();
  }
}

class LunaCursor final : public Cursor {
 public:
  explicit LunaCursor(std::unique_ptr<Iterator> iterator) : iterator_(std::move(iterator)) {}
  void Seek(std::string_view key) override { iterator_->Seek(key); }
  bool Valid() override {
    if (iterator_->Valid()) {
      return true;
    }
    Must(iterator_->status(), "scan");
    return false;
  }
  void Next() override { iterator_->Next(); }
  std::string_view key() override { return iterator_->key(); }
  std::string_view value() override { return iterator_->value(); }

 private:
  std::unique_ptr<Iterator> iterator_;
};

class LunaReader final : public Reader {
 public:
  explicit LunaReader(Collection& collection) : collection_(collection) {}
  bool Get(std::string_view key, std::string_view& value) override {
    value_ = Must(collection_.Get(key), "get");
    if (value_) {
      value = *value_;
    }
    return value_.has_value();
  }

 private:
  Collection& collection_;
  std::optional<std::string> value_;
};

class LunaEngine final : public Engine {
 public:
  explicit LunaEngine(const Setup& setup)
      : universe_(Must(Universe::Open({.location = setup.directory,
                                       .memory_budget_bytes = setup.budget_bytes,
                                       .durability = setup.device ? Durability::kDevice
                                                                  : Durability::kProcess}),
                       "open")),
        database_(Must(universe_->OpenOrCreateDatabase("bench"), "database")),
        tables_{Must(database_->OpenOrCreateCollection("first"), "collection"),
                Must(database_->OpenOrCreateCollection("second"), "collection")} {}

  void Put(std::string_view key, std::string_view value) override {
    Must(tables_[0]->Put(key, value), "put");
  }
  void Commit(std::span<const Write> writes) override {
    WriteBatch batch;
    for (const Write& write : writes) {
      batch.Put(*tables_[write.table], write.key, write.value);
    }
    Must(database_->Write(batch), "write");
  }
  std::unique_ptr<Reader> NewReader() override { return std::make_unique<LunaReader>(*tables_[0]); }
  std::unique_ptr<Cursor> NewCursor(int table) override {
    return std::make_unique<LunaCursor>(Must(tables_[table]->Scan(), "scan"));
  }
  void Compact() override {
    for (const auto& table : tables_) {
      Must(table->Flush(), "flush");
      Must(table->Compact(), "compact");
    }
  }
  void Transfer(std::string_view from, std::string_view to, const Move& move) override {
    Must(database_->Transact([&](Transaction& transaction) -> Status {
      const auto from_value = transaction.Get(*tables_[0], from);
      if (!from_value.ok()) {
        return from_value.error();
      }
      const auto to_value = transaction.Get(*tables_[0], to);
      if (!to_value.ok()) {
        return to_value.error();
      }
      Check(from_value->has_value() && to_value->has_value(), "luna lost an account");
      std::string new_from;
      std::string new_to;
      move(**from_value, **to_value, new_from, new_to);
      if (auto put = transaction.Put(*tables_[0], from, new_from); !put.ok()) {
        return put;
      }
      return transaction.Put(*tables_[0], to, new_to);
    }),
         "transfer");
  }

 private:
  std::unique_ptr<Universe> universe_;
  std::shared_ptr<Database> database_;
  std::shared_ptr<Collection> tables_[2];
};

}  // namespace

std::unique_ptr<Engine> OpenLuna(const Setup& setup) {
  return std::make_unique<LunaEngine>(setup);
}

}  // namespace luna::bench
