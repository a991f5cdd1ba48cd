// databases, collections, create, drop, rename.
#include <memory>
#include <string>
#include <vector>

#include "apps/luna/session.h"
#include "apps/luna/verbs.h"
#include "apps/output/escape.h"
#include "apps/output/json.h"
#include "apps/output/screen.h"
#include "base/try.h"

namespace luna::cli {
namespace {

void PrintNames(const Request& request, const std::vector<std::string>& names) {
  output::Json json;
  json.BeginArray();
  std::string lines;
  for (const std::string& name : names) {
    json.Text(name);
    lines += output::Escape(name) + "\n";
  }
  json.EndArray();
  output::Print(request.json ? json.text() + "\n" : lines);
}

bool OfDatabase(const Request& request) {
  return request.kind == "database";
}

}  // namespace

Result<int> ListDatabases(const Request& request) {
  const auto session = TRY(Session::Open(request, Missing::kIsAnError));
  PrintNames(request, TRY(session->universe().ListDatabases()));
  TRY(session->Close());
  return output::kExitOk;
}

Result<int> ListCollections(const Request& request) {
  const auto session = TRY(Session::Open(request, Missing::kIsAnError));
  const auto database = TRY(session->OpenDatabase());
  PrintNames(request, TRY(database->ListCollections()));
  TRY(session->Close());
  return output::kExitOk;
}

Result<int> Create(const Request& request) {
  const auto session = TRY(Session::Open(request, Missing::kIsMade));
  if (OfDatabase(request)) {
    TRY(session->universe().CreateDatabase(request.name));
  } else {
    const auto database = TRY(session->OpenDatabase());
    TRY(database->CreateCollection(request.name));
  }
  TRY(session->Close());
  return output::kExitOk;
}

Result<int> Drop(const Request& request) {
  const auto session = TRY(Session::Open(request, Missing::kIsAnError));
  if (OfDatabase(request)) {
    TRY(session->universe().DropDatabase(request.name));
  } else {
    const auto database = TRY(session->OpenDatabase());
    TRY(database->DropCollection(request.name));
  }
  TRY(session->Close());
  return output::kExitOk;
}

Result<int> Rename(const Request& request) {
  const auto session = TRY(Session::Open(request, Missing::kIsAnError));
  const auto database = TRY(session->OpenDatabase());
  TRY(database->RenameCollection(request.name, request.new_name));
  TRY(session->Close());
  return output::kExitOk;
}

}  // namespace luna::cli
