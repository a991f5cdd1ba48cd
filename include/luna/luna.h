// luna.h: Luna, a transactional, ordered key-value store in a library. Include this, nothing else.
//
//   auto universe = luna::Universe::Open({.location = "./luna-data"});
//   if (!universe.ok()) { std::cerr << universe.error().ToString() << "\n"; return 1; }
//   auto database = (*universe)->OpenOrCreateDatabase("shop").value();
//   auto accounts = database->OpenOrCreateCollection("accounts").value();
//
//   luna::Status put = accounts->Put("alice", "100");          // durable when it returns
//   auto alice = accounts->Get("alice").value();                // std::optional<std::string>
//
//   // A transaction: serializable, retried on conflicts, all or nothing.
//   auto committed = database->Transact([&](luna::Transaction& t) -> luna::Status {
//     auto from = t.Get(*accounts, "alice");
//     if (!from.ok()) return from.error();
//     int balance = std::stoi(from->value_or("0"));
//     if (auto s = t.Put(*accounts, "alice", std::to_string(balance - 30)); !s.ok()) return s;
//     return t.Increment(*accounts, "bob", 30);
//   });
//
//   // A scan, in order, at one moment.
//   auto scan = accounts->Scan({.prefix = "a"}).value();
//   for (; scan->Valid(); scan->Next()) std::cout << scan->key() << "=" << scan->value() << "\n";
//   if (!scan->status().ok()) { /* never silently short */ }
//
//   auto snapshot = database->GetSnapshot().value();            // later writes are not seen
//   (void)accounts->DeleteRange("a", "b");
//   auto still_there = snapshot->Get(*accounts, "alice").value();
#pragma once

#include "luna/collection.h"   // IWYU pragma: export
#include "luna/components.h"   // IWYU pragma: export
#include "luna/database.h"     // IWYU pragma: export
#include "luna/iterator.h"     // IWYU pragma: export
#include "luna/options.h"      // IWYU pragma: export
#include "luna/snapshot.h"     // IWYU pragma: export
#include "luna/status.h"       // IWYU pragma: export
#include "luna/transaction.h"  // IWYU pragma: export
#include "luna/universe.h"     // IWYU pragma: export
