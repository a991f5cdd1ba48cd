#include "kernel/rados/space.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/try.h"

namespace luna::rados {

WriteOperation& WriteOperation::Create() {
  rados_write_op_create(operation_, LIBRADOS_CREATE_EXCLUSIVE, nullptr);
  return *this;
}

WriteOperation& WriteOperation::Compare(const std::string& attribute, std::string_view value) {
  rados_write_op_cmpxattr(operation_, attribute.c_str(), LIBRADOS_CMPXATTR_OP_EQ, value.data(),
                          value.size());
  return *this;
}

WriteOperation& WriteOperation::Set(const std::string& attribute, std::string_view value) {
  rados_write_op_setxattr(operation_, attribute.c_str(), value.data(), value.size());
  return *this;
}

WriteOperation& WriteOperation::Write(uint64_t offset, std::string_view bytes) {
  rados_write_op_write(operation_, bytes.data(), bytes.size(), offset);
  return *this;
}

WriteOperation& WriteOperation::WriteAll(std::string_view bytes) {
  rados_write_op_write_full(operation_, bytes.data(), bytes.size());
  return *this;
}

WriteOperation& WriteOperation::Remove() {
  rados_write_op_remove(operation_);
  return *this;
}

Result<std::shared_ptr<Space>> Space::Open(std::shared_ptr<Client> client, const std::string& pool,
                                           const std::string& name_space) {
  const rados_ioctx_t handle = TRY(client->OpenPool(pool));
  rados_ioctx_set_namespace(handle, name_space.c_str());
  return std::shared_ptr<Space>(
      new Space(std::move(client), handle, pool + "/" + name_space + "/"));
}

Space::~Space() {
  rados_ioctx_destroy(pool_);
}

int Space::TryWrite(const std::string& object, const Steps& steps) {
  WriteOperation operation;
  steps(operation);
  // FULL_TRY: a full cluster refuses at once (and still removes), instead of waiting for ever.
  return client_->Run([&](rados_completion_t completion) {
    return rados_aio_write_op_operate(operation.handle(), pool_, completion, object.c_str(),
                                      nullptr, LIBRADOS_OPERATION_FULL_TRY);
  });
}

int Space::TryRead(const std::string& object, uint64_t offset, uint64_t length, Found& found) {
  found = Found();
  // Not filled with zeros: what is asked for is often much more than there is.
  found.bytes.resize_and_overwrite(length, [](char* /*bytes*/, size_t most) { return most; });
  rados_xattrs_iter_t attributes = nullptr;
  int attributes_code = 0;
  int stat_code = 0;
  int read_code = 0;
  size_t got = 0;
  const rados_read_op_t operation = rados_create_read_op();
  rados_read_op_stat(operation, &found.size, nullptr, &stat_code);
  rados_read_op_getxattrs(operation, &attributes, &attributes_code);
  if (length > 0) {
    rados_read_op_read(operation, offset, length, found.bytes.data(), &got, &read_code);
  }
  const int code = client_->Run([&](rados_completion_t completion) {
    return rados_aio_read_op_operate(operation, pool_, completion, object.c_str(), 0);
  });
  found.bytes.resize(code < 0 ? 0 : got);
  if (code >= 0 && attributes != nullptr) {
    const char* name = nullptr;
    const char* value = nullptr;
    size_t size = 0;
    while (rados_getxattrs_next(attributes, &name, &value, &size) == 0 && name != nullptr) {
      found.attributes[name] = std::string(value, size);
    }
  }
  if (attributes != nullptr) {
    rados_getxattrs_end(attributes);
  }
  rados_release_read_op(operation);
  // Without an answer of the object the others mean nothing.
  return code < 0 ? code : std::min({attributes_code, stat_code, read_code, 0});
}

int Space::Write(const std::string& object, const Steps& steps) {
  Patience patience(*client_);
  int code = 0;
  do {
    code = TryWrite(object, steps);
  } while (patience.Again(code));
  return code;
}

int Space::Read(const std::string& object, uint64_t offset, uint64_t length, Found& found) {
  Patience patience(*client_);
  int code = 0;
  do {
    code = TryRead(object, offset, length, found);
  } while (patience.Again(code));
  return code;
}

int64_t Space::ReadInto(const std::string& object, uint64_t offset, size_t length, char* to) {
  Patience patience(*client_);
  int code = 0;
  do {
    code = client_->Run([&](rados_completion_t completion) {
      return rados_aio_read(pool_, object.c_str(), completion, to, length, offset);
    });
  } while (patience.Again(code));
  return code;
}

Status Space::Remove(const std::string& object) {
  const int code = Write(object, [](WriteOperation& operation) { operation.Remove(); });
  return code >= 0 || code == -ENOENT ? Status()
                                      : Status(ToError(code, "removing " + Where(object)));
}

Result<std::vector<std::string>> Space::List(const std::string& prefix) {
  Patience patience(*client_);
  std::vector<std::string> names;
  int code = 0;
  do {
    names.clear();
    code = ListOnce(prefix, names);
  } while (patience.Again(code));
  if (code < 0) {
    return ToError(code, "listing " + Where(prefix));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

int Space::ListOnce(const std::string& prefix, std::vector<std::string>& names) {
  rados_list_ctx_t list = nullptr;
  if (const int code = rados_nobjects_list_open(pool_, &list); code < 0) {
    return code;
  }
  const char* entry = nullptr;
  int code = 0;
  while ((code = rados_nobjects_list_next(list, &entry, nullptr, nullptr)) == 0) {
    const std::string_view name(entry);
    if (name.starts_with(prefix)) {
      names.emplace_back(name.substr(prefix.size()));
    }
  }
  rados_nobjects_list_close(list);
  return code == -ENOENT ? 0 : code;  // -ENOENT: the end
}

}  // namespace luna::rados
