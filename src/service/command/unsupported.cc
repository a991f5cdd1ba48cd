#include "service/command/unsupported.h"

#include <array>
#include <cstddef>
#include <span>

namespace luna::command {
namespace {

constexpr std::string_view kHashes[] = {
    "hdel",  "hexists", "hget",       "hgetall", "hincrby", "hincrbyfloat", "hkeys",   "hlen",
    "hmget", "hmset",   "hrandfield", "hscan",   "hset",    "hsetnx",       "hstrlen", "hvals"};
constexpr std::string_view kLists[] = {
    "blmove", "blmpop", "blpop", "brpop",     "brpoplpush", "lindex", "linsert", "llen",
    "lmove",  "lmpop",  "lpop",  "lpos",      "lpush",      "lpushx", "lrange",  "lrem",
    "lset",   "ltrim",  "rpop",  "rpoplpush", "rpush",      "rpushx"};
constexpr std::string_view kSets[] = {
    "sadd",        "scard",     "sdiff",    "sdiffstore", "sinter",     "sintercard",
    "sinterstore", "sismember", "smembers", "smismember", "smove",      "spop",
    "srandmember", "srem",      "sscan",    "sunion",     "sunionstore"};
constexpr std::string_view kSortedSets[] = {"bzmpop",         "bzpopmax",        "bzpopmin",
                                            "zadd",           "zcard",           "zcount",
                                            "zdiff",          "zdiffstore",      "zincrby",
                                            "zinter",         "zintercard",      "zinterstore",
                                            "zlexcount",      "zmpop",           "zmscore",
                                            "zpopmax",        "zpopmin",         "zrandmember",
                                            "zrange",         "zrangebylex",     "zrangebyscore",
                                            "zrangestore",    "zrank",           "zrem",
                                            "zremrangebylex", "zremrangebyrank", "zremrangebyscore",
                                            "zrevrange",      "zrevrangebylex",  "zrevrangebyscore",
                                            "zrevrank",       "zscan",           "zscore",
                                            "zunion",         "zunionstore"};
constexpr std::string_view kStreams[] = {"xack",   "xadd",       "xautoclaim", "xclaim",   "xdel",
                                         "xgroup", "xinfo",      "xlen",       "xpending", "xrange",
                                         "xread",  "xreadgroup", "xrevrange",  "xsetid",   "xtrim"};
constexpr std::string_view kGeo[] = {
    "geoadd",    "geodist",       "geohash",           "geopos",
    "georadius", "georadius_ro",  "georadiusbymember", "georadiusbymember_ro",
    "geosearch", "geosearchstore"};
constexpr std::string_view kMessages[] = {"psubscribe",   "publish",      "pubsub",
                                          "punsubscribe", "spublish",     "ssubscribe",
                                          "subscribe",    "sunsubscribe", "unsubscribe"};
constexpr std::string_view kScripts[] = {"eval",  "eval_ro",  "evalsha",  "evalsha_ro",
                                         "fcall", "fcall_ro", "function", "script"};
constexpr std::string_view kSketches[] = {"pfadd", "pfcount", "pfdebug", "pfmerge", "pfselftest"};
constexpr std::string_view kBits[] = {"bitcount", "bitfield", "bitfield_ro", "bitop",
                                      "bitpos",   "getbit",   "setbit"};
constexpr std::string_view kReplication[] = {"failover",       "psync",   "replconf", "replicaof",
                                             "restore-asking", "slaveof", "sync"};
constexpr std::string_view kCluster[] = {"asking"};
constexpr std::string_view kOthers[] = {"bgrewriteaof", "dump", "lcs",
                                        "migrate",      "sort", "sort_ro"};

struct Family {
  std::span<const std::string_view> names;
  std::string_view why;
};

constexpr std::array kFamilies = {
    Family{kHashes, "values are strings; there are no hashes"},
    Family{kLists, "values are strings; there are no lists"},
    Family{kSets, "values are strings; there are no sets"},
    Family{kSortedSets, "values are strings; keys are in order, see RANGE"},
    Family{kStreams, "values are strings; there are no streams"},
    Family{kGeo, "values are strings; there are no geo sets"},
    Family{kMessages, "there are no channels"},
    Family{kScripts, "there are no scripts; use MULTI or BEGIN for transactions"},
    Family{kSketches, "values are strings; there are no sketches"},
    Family{kBits, "there are no bit operations; use GETRANGE and SETRANGE"},
    Family{kReplication, "there is no replication over this protocol"},
    Family{kCluster, "cluster support is disabled"},
    Family{kOthers, "it has no counterpart"},
};

}  // namespace

std::string_view WhyUnsupported(std::string_view lower_case_name) {
  for (const Family& family : kFamilies) {
    for (const std::string_view name : family.names) {
      if (name == lower_case_name) {
        return family.why;
      }
    }
  }
  return {};
}

}  // namespace luna::command
