// Where a universe lies in a Ceph cluster: what follows `rados:` in its URL,
//   POOL?conf=PATH&namespace=NAME&client=NAME&timeout=SECONDS
// Only POOL is needed. Without conf librados looks where it always does (CEPH_CONF,
// /etc/ceph/ceph.conf); namespace is `luna`, client `admin`, timeout 30. Values are taken
// literally: nothing is decoded.
// Thread rule: plain functions and values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "luna/status.h"

namespace luna::rados {

inline constexpr std::string_view kScheme = "rados";

struct Location {
  std::string pool;
  std::string conf{};  // empty: librados' own choice
  std::string name_space = "luna";
  std::string client = "admin";
  uint64_t timeout_seconds = 30;  // how long an operation is repeated before it fails

  bool operator==(const Location&) const = default;
  bool SameCluster(const Location& other) const {
    return conf == other.conf && client == other.client;
  }
};

// Of a whole URL, "rados:…". kBadOption names what is wrong with it.
Result<Location> ParseLocation(std::string_view url);

}  // namespace luna::rados
