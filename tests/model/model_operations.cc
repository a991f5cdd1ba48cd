#include "model/model_operations.h"

#include <cstdlib>

namespace luna::test {

namespace {

using Kind = HistoryOperation::Kind;

ModelEntry EntryAt(Iterator& iterator) {
  ModelEntry entry{std::string(iterator.key()), std::string(iterator.value()),
                   iterator.timestamp(), iterator.expiry_millis(), iterator.type()};
  return entry;
}

}  // namespace

HistoryOperation WriteOperation(const Tokens& tokens, uint64_t collection) {
  HistoryOperation operation;
  operation.collection = collection;
  if (tokens.size() < 3) {
    return operation;
  }
  operation.key = ValueOf(tokens[2]);
  const std::string third = tokens.size() > 3 ? tokens[3] : "";
  if (tokens[0] == "put") {
    operation.kind = Kind::kPut;
    operation.value = ValueOf(third);
    operation.ttl_millis = tokens.size() > 4 ? NumberOf(tokens[4]) : 0;
  } else if (tokens[0] == "del") {
    operation.kind = Kind::kDelete;
  } else if (tokens[0] == "delrange" && operation.key < ValueOf(third)) {
    operation.kind = Kind::kDeleteRange;
    operation.end = ValueOf(third);
  } else if (tokens[0] == "incr") {
    operation.kind = Kind::kIncrement;
    operation.delta = std::strtoll(third.c_str(), nullptr, 10);
  } else if (tokens[0] == "append") {
    operation.kind = Kind::kAppend;
    operation.value = ValueOf(third);
  }
  return operation;
}

HistoryOperation ScanOperation(const Tokens& tokens, uint64_t collection) {
  HistoryOperation operation{.kind = Kind::kScan, .collection = collection};
  operation.scan.begin = ValueOf(OptionOf(tokens, "begin"));
  operation.scan.end = ValueOf(OptionOf(tokens, "end"));
  operation.scan.prefix = OptionOf(tokens, "prefix");
  operation.scan.limit = NumberOf(OptionOf(tokens, "limit"));
  operation.scan.reverse = HasToken(tokens, "rev");
  for (std::string& step : SplitAt(OptionOf(tokens, "walk"), ',')) {
    if (step.starts_with('s')) {
      operation.walk.push_back("s" + ValueOf(step.substr(1)));
    } else if (!step.empty()) {
      operation.walk.push_back(std::move(step));
    }
  }
  return operation;
}

ModelEntry EntryOf(const std::string& key, const Value& value) {
  return {key, value.bytes, value.timestamp, value.expiry_millis, value.type};
}

Status WalkIterator(Iterator& iterator, HistoryOperation* operation) {
  size_t step = 0;
  while (iterator.Valid()) {
    ModelEntry entry = EntryAt(iterator);
    if (!iterator.Valid()) {
      break;  // its large value could not be read
    }
    operation->seen.push_back(std::move(entry));
    if (step == operation->walk.size()) {
      break;
    }
    const std::string& move = operation->walk[step++];
    if (move == "n") {
      iterator.Next();
    } else if (move == "p") {
      iterator.Prev();
    } else {
      iterator.Seek(std::string_view(move).substr(1));
    }
  }
  return iterator.status();
}

}  // namespace luna::test
