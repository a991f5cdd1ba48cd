// model_operations: between the text of a script, the public API and the history.
// Thread rule: pure functions, except for WalkIterator, which moves the iterator.
#pragma once

#include <cstdint>
#include <string>

#include "luna/luna.h"
#include "model/model_script.h"
#include "support/history.h"

namespace luna::test {

// What a write's tokens mean; Kind::kGet for what is no write.
HistoryOperation WriteOperation(const Tokens& tokens, uint64_t collection);
HistoryOperation ScanOperation(const Tokens& tokens, uint64_t collection);
ModelEntry EntryOf(const std::string& key, const Value& value);
// Notes the entries that the operation's walk shows.
Status WalkIterator(Iterator& iterator, HistoryOperation* operation);

}  // namespace luna::test
