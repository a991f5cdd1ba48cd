// Space: the objects of one namespace of a pool, and the compound operations on them.
// A write operation is applied whole or not at all; a comparison in it that fails gives -ECANCELED
// (and -ENOENT when the object is absent). Results are librados': 0 or more, or -errno.
// Comparisons are of equality only. A missing attribute equals "", so no attribute is ever empty.
// Thread rule: Space is safe; operations are owned by one thread.
#pragma once

#include <rados/librados.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/rados/client.h"
#include "luna/status.h"

namespace luna::rados {

// The steps of one write operation.
class WriteOperation {
 public:
  WriteOperation() : operation_(rados_create_write_op()) {}
  ~WriteOperation() { rados_release_write_op(operation_); }
  WriteOperation(const WriteOperation&) = delete;
  WriteOperation& operator=(const WriteOperation&) = delete;

  WriteOperation& Create();  // -EEXIST if the object is there
  WriteOperation& Compare(const std::string& attribute, std::string_view value);
  WriteOperation& Set(const std::string& attribute, std::string_view value);
  WriteOperation& Write(uint64_t offset, std::string_view bytes);
  WriteOperation& WriteAll(std::string_view bytes);  // what was there is gone
  WriteOperation& Remove();
  rados_write_op_t handle() const { return operation_; }

 private:
  const rados_write_op_t operation_;
};

// What a read operation found, all of one moment.
struct Found {
  std::map<std::string, std::string> attributes;
  std::string bytes;
  uint64_t size = 0;  // of the object
};

class Space {
 public:
  // Steps are made anew for each attempt.
  using Steps = std::function<void(WriteOperation&)>;

  static Result<std::shared_ptr<Space>> Open(std::shared_ptr<Client> client,
                                             const std::string& pool,
                                             const std::string& name_space);
  ~Space();
  Space(const Space&) = delete;
  Space& operator=(const Space&) = delete;

  // One attempt.
  int TryWrite(const std::string& object, const Steps& steps);
  int TryRead(const std::string& object, uint64_t offset, uint64_t length, Found& found);

  // Repeats until there is an answer or the time is up; only for steps that may be done twice.
  int Write(const std::string& object, const Steps& steps);
  int Read(const std::string& object, uint64_t offset, uint64_t length, Found& found);
  // Exactly what is there, straight into `to`; the number of bytes.
  int64_t ReadInto(const std::string& object, uint64_t offset, size_t length, char* to);
  Status Remove(const std::string& object);  // absent is fine

  // All names that begin with `prefix`, sorted, without it. Looks at every object of the pool.
  Result<std::vector<std::string>> List(const std::string& prefix);

  Client& client() { return *client_; }
  const std::shared_ptr<Client>& shared_client() const { return client_; }
  // "pool/namespace/object", for messages.
  std::string Where(const std::string& object) const { return where_ + object; }

 private:
  Space(std::shared_ptr<Client> client, rados_ioctx_t pool, std::string where)
      : client_(std::move(client)), pool_(pool), where_(std::move(where)) {}
  int ListOnce(const std::string& prefix, std::vector<std::string>& names);

  const std::shared_ptr<Client> client_;
  const rados_ioctx_t pool_;
  const std::string where_;
};

}  // namespace luna::rados
