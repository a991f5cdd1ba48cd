// WriteBatch::State: the write set behind a public WriteBatch.
// Thread rule: owned by one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/transaction/write_set.h"
#include "engine/universe/database_core.h"
#include "luna/transaction.h"

namespace luna {

struct WriteBatch::State {
  ~State();
  universe::DatabaseCore* database = nullptr;  // of the first collection written to
  std::optional<transaction::WriteSet> writes;
  std::optional<Error> error;      // the first one; returned by Database::Write
  std::vector<std::string> blobs;  // written for this batch, not committed yet
  size_t count = 0;
};

}  // namespace luna
