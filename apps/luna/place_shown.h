// PlaceShown: where the connection is, as the prompt shows it, followed from commands and replies.
// Thread rule: owned by one thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "service/resp/reply_parser.h"

namespace luna::cli {

class PlaceShown {
 public:
  PlaceShown(std::string database, std::string collection)
      : database_(std::move(database)), collection_(std::move(collection)) {}

  void Saw(const std::vector<std::string>& words, const resp::Reply& reply);
  void EndTransaction() { state_.clear(); }

  bool in_transaction() const { return !state_.empty(); }
  const std::string& database() const { return database_; }
  const std::string& collection() const { return collection_; }
  // "default.0", "default.0 (txn)"
  std::string Text() const { return database_ + "." + collection_ + state_; }

 private:
  std::string database_;
  std::string collection_;
  std::string state_;  // " (txn)", " (multi)" or nothing
};

}  // namespace luna::cli
