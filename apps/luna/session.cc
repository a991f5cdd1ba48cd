#include "apps/luna/session.h"

#include <utility>

#include "base/try.h"

namespace luna::cli {

Result<std::unique_ptr<Session>> Session::Open(const Request& request, Missing missing) {
  Options options;
  options.location = request.universe;
  options.memory_budget_bytes = request.target.memory_bytes;
  options.durability = request.target.durability;
  options.create_if_missing = missing == Missing::kIsMade;
  auto universe = Universe::Open(options);
  if (universe.ok()) {
    return std::unique_ptr<Session>(new Session(request, missing, std::move(*universe)));
  }
  if (universe.error().reason() != Reason::kUniverseMissing) {
    return universe.error();
  }
  return Error(Reason::kUniverseMissing,
               options.location +
                   ": there is no universe; correct --universe, or make one with "
                   "luna --universe PATH load or SET");
}

Status Session::Close() {
  collection_.reset();
  database_.reset();
  return universe_->Close();
}

Result<std::shared_ptr<Database>> Session::OpenDatabase() {
  if (database_ == nullptr) {
    database_ =
        TRY(missing_ == Missing::kIsMade ? universe_->OpenOrCreateDatabase(request_.target.database)
                                         : universe_->OpenDatabase(request_.target.database));
  }
  return database_;
}

Result<std::shared_ptr<Collection>> Session::OpenCollection() {
  if (collection_ == nullptr) {
    const auto database = TRY(OpenDatabase());
    collection_ = TRY(missing_ == Missing::kIsMade
                          ? database->OpenOrCreateCollection(request_.target.collection)
                          : database->OpenCollection(request_.target.collection));
  }
  return collection_;
}

}  // namespace luna::cli
