// A conflict and its retry; a snapshot.
#include <memory>
#include <optional>
#include <string>

#include "apps/luna/demo.h"
#include "base/try.h"

namespace luna::cli {
namespace {

constexpr std::string_view kCounter = "counter";

// Reads the counter and writes one more: the classic that loses updates without transactions.
Status AddOne(Transaction& transaction, Collection& collection) {
  const auto before = TRY(transaction.Get(collection, kCounter));
  const int64_t number = std::stoll(before.value_or("0"));
  return transaction.Put(collection, kCounter, std::to_string(number + 1));
}

Result<int64_t> ReadCounter(Collection& collection) {
  const auto value = TRY(collection.Get(kCounter));
  return std::stoll(value.value_or("0"));
}

}  // namespace

Status ShowConflict(Database& database, Presenter& presenter) {
  presenter.Title("Two transactions read the same counter and write one more");
  const auto collection = TRY(database.OpenOrCreateCollection("demo"));
  TRY(collection->Put(kCounter, "0"));
  const auto first = TRY(database.Begin());
  const auto second = TRY(database.Begin());
  TRY(AddOne(*first, *collection));
  TRY(AddOne(*second, *collection));
  const auto first_commit = first->Commit();
  presenter.Check(first_commit.ok(), "the first commits");
  const auto second_commit = second->Commit();
  const bool refused = !second_commit.ok() && second_commit.error().code() == ErrorCode::kConflict;
  presenter.Check(refused,
                  "the second is refused: " +
                      (second_commit.ok() ? "it was not" : second_commit.error().message()));

  int attempts = 0;
  const auto retried = database.Transact([&](Transaction& transaction) -> Status {
    TRY(AddOne(transaction, *collection));
    if (++attempts == 1) {
      TRY(collection->Increment(kCounter, 1));  // somebody else, in between
    }
    return {};
  });
  presenter.Check(retried.ok() && attempts == 2,
                  "run by Transact, with somebody in between: committed at attempt " +
                      std::to_string(attempts));
  const int64_t counter = TRY(ReadCounter(*collection));
  presenter.Check(counter == 3,
                  "three additions were acknowledged, the counter says " + std::to_string(counter));
  return {};
}

Status ShowSnapshot(Database& database, Presenter& presenter) {
  presenter.Title("A snapshot does not see what is written later");
  const auto collection = TRY(database.OpenOrCreateCollection("demo"));
  TRY(collection->Put("weather", "rain"));
  const auto snapshot = TRY(database.GetSnapshot());
  TRY(collection->Put("weather", "sun"));
  const auto then = TRY(snapshot->Get(*collection, "weather"));
  const auto now = TRY(collection->Get("weather"));
  presenter.Check(then == "rain" && now == "sun", "snapshot: " + then.value_or("(nothing)") +
                                                      ", now: " + now.value_or("(nothing)"));
  return {};
}

}  // namespace luna::cli
