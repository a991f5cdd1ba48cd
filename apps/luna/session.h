// Session: the universe a verb works on, opened as the Request says and closed in order.
// Thread rule: owned by one thread.
#pragma once

#include <memory>
#include <string>

#include "apps/luna/request.h"
#include "luna/luna.h"

namespace luna::cli {

// Whether what is missing is made. Verbs that only read make nothing.
enum class Missing : bool { kIsAnError, kIsMade };

class Session {
 public:
  static Result<std::unique_ptr<Session>> Open(const Request& request, Missing missing);
  // After this nothing that came from the session may be used.
  Status Close();

  Universe& universe() { return *universe_; }
  // As the request names them.
  Result<std::shared_ptr<Database>> OpenDatabase();
  Result<std::shared_ptr<Collection>> OpenCollection();

 private:
  Session(const Request& request, Missing missing, std::unique_ptr<Universe> universe)
      : request_(request), missing_(missing), universe_(std::move(universe)) {}

  const Request& request_;
  const Missing missing_;
  std::unique_ptr<Universe> universe_;
  std::shared_ptr<Database> database_;
  std::shared_ptr<Collection> collection_;
};

}  // namespace luna::cli
