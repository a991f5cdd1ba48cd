#include "kernel/rados/client.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/try.h"

namespace luna::rados {

namespace {

constexpr uint64_t kSlowNanos = 200'000'000;
constexpr uint64_t kWatchNanos = 100'000'000;
constexpr uint64_t kFirstPauseNanos = 20'000'000;
constexpr uint64_t kMaxPauseNanos = 1'000'000'000;
constexpr uint64_t kMaxOperationSeconds = 5;
// Longer than a process is paused; then the cluster forgets the client.
constexpr uint32_t kEvictedSeconds = 30 * 24 * 3600;

// librados calls this from a thread of its own.
void Done(rados_completion_t, void* event) {
  static_cast<runtime::Event*>(event)->Set();
}

std::string TextOf(int code) {
  return std::generic_category().message(-code) + " (" + std::to_string(code) + ")";
}

Status Configure(rados_t cluster, const Location& location) {
  const char* const conf = location.conf.empty() ? nullptr : location.conf.c_str();
  if (const int code = rados_conf_read_file(cluster, conf); code < 0) {
    return Error(Reason::kBadOption, "configuration of Ceph '" + location.conf +
                                         "' cannot be read: " + TextOf(code) +
                                         "; name another one with rados:POOL?conf=PATH");
  }
  // One operation is answered, or given up as unknown, within this time; then it is repeated.
  const std::string operation_timeout =
      std::to_string(std::clamp<uint64_t>(location.timeout_seconds / 3, 1, kMaxOperationSeconds));
  for (const auto& [name, value] :
       {std::pair<const char*, std::string>{"client_mount_timeout", "10"},
        {"rados_osd_op_timeout", operation_timeout},
        {"rados_mon_op_timeout", "10"},
        {"ms_async_op_threads", "1"},
        {"objecter_tick_interval", "0.5"},
        {"objecter_timeout", "1"}}) {
    if (const int code = rados_conf_set(cluster, name, value.c_str()); code < 0) {
      return Error(Reason::kNotSupported,
                   "librados does not take " + std::string(name) + ": " + TextOf(code));
    }
  }
  return {};
}

}  // namespace

Error ToError(int code, const std::string& what) {
  const std::string text = what + ": " + TextOf(code);
  switch (-code) {
    case ENOSPC:
    case EDQUOT:
      return Error(Reason::kDiskFull,
                   text + "; the pool or the cluster is full: make room, then try again");
    case EPERM:
    case EACCES:
    case EROFS:
      return Error(Reason::kReadOnly,
                   text + "; give the client the rights to read and write the pool");
    case ESHUTDOWN:
      return Error(Reason::kFenced, text +
                                        "; the cluster evicted this client (another one took the "
                                        "universe over): open it again");
    case ETIMEDOUT:
      return Error(Reason::kUnreachable, text + "; look at `ceph health`: too few OSDs may be up");
    case ENOENT:
      return Error(Reason::kObjectMissing, text);
    default:
      return Error(Reason::kIoError, text + "; look at `ceph health`");
  }
}

bool IsTransient(int code) {
  return code == -ETIMEDOUT || code == -EAGAIN || code == -EINTR;
}

Result<std::shared_ptr<Client>> Client::Connect(runtime::Runtime& runtime,
                                                const Location& location) {
  rados_t cluster = nullptr;
  if (const int code = rados_create(&cluster, location.client.c_str()); code < 0) {
    return ToError(code, "making a client of Ceph");
  }
  Status ready = Configure(cluster, location);
  if (ready.ok()) {
    if (const int code = rados_connect(cluster); code < 0) {
      ready = Error(Reason::kUnreachable, "connecting to the Ceph cluster of '" + location.conf +
                                              "': " + TextOf(code) +
                                              "; check that its monitors run and that client." +
                                              location.client + " may use it");
    }
  }
  if (!ready.ok()) {
    rados_shutdown(cluster);
    return ready.error();
  }
  return std::shared_ptr<Client>(new Client(runtime, location, cluster));
}

Client::Client(runtime::Runtime& runtime, const Location& location, rados_t cluster)
    : runtime_(runtime), location_(location), cluster_(cluster), wake_(runtime.NewEvent()) {
  watchdog_ =
      runtime_.Spawn("rados-watchdog", runtime::ThreadClass::kForeground, [this] { Watch(); });
}

Client::~Client() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_->Set();
  watchdog_->Join();
  rados_shutdown(cluster_);
}

void Client::Watch() {
  while (true) {
    bool slow = false;
    {
      base::MutexLock lock(mutex_);
      if (stopping_) {
        return;
      }
      slow = slow_ > 0;
      if (!slow) {
        wake_->Reset();
      }
    }
    if (!slow) {
      wake_->Wait();
      continue;
    }
    static_cast<void>(rados_wait_for_latest_osdmap(cluster_));  // a hint; the operation goes on
    runtime_.Sleep(kWatchNanos);
  }
}

int Client::Run(const std::function<int(rados_completion_t)>& start) {
  if (evicted_.load(std::memory_order_acquire)) {
    return -ESHUTDOWN;
  }
  const std::unique_ptr<runtime::Event> done = runtime_.NewEvent();
  rados_completion_t completion = nullptr;
  if (const int code = rados_aio_create_completion2(done.get(), &Done, &completion); code < 0) {
    return code;
  }
  int code = start(completion);
  if (code == 0) {
    if (!done->WaitFor(kSlowNanos)) {
      {
        base::MutexLock lock(mutex_);
        ++slow_;
      }
      wake_->Set();
      done->Wait();
      base::MutexLock lock(mutex_);
      --slow_;
    }
    code = rados_aio_get_return_value(completion);
  }
  rados_aio_release(completion);
  if (code == -ESHUTDOWN) {
    Disown();
  }
  return code;
}

Result<rados_ioctx_t> Client::OpenPool(const std::string& pool) {
  rados_ioctx_t handle = nullptr;
  int code = rados_ioctx_create(cluster_, pool.c_str(), &handle);
  if (code == -ENOENT) {  // or made a moment ago
    static_cast<void>(rados_wait_for_latest_osdmap(cluster_));
    code = rados_ioctx_create(cluster_, pool.c_str(), &handle);
  }
  if (code == -ENOENT) {
    return Error(Reason::kBadOption, "the Ceph cluster has no pool '" + pool +
                                         "'; make it with `ceph osd pool create " + pool + "`");
  }
  if (code < 0) {
    return ToError(code, "opening the pool " + pool);
  }
  return handle;
}

Result<std::string> Client::Addresses() {
  char* addresses = nullptr;
  if (const int code = rados_getaddrs(cluster_, &addresses); code < 0) {
    return ToError(code, "asking for this client's addresses");
  }
  std::string copy(addresses);
  rados_buffer_free(addresses);
  return copy;
}

Status Client::Evict(const std::string& addresses) {
  std::string buffer = addresses;
  if (const int code = rados_blocklist_add(cluster_, buffer.data(), kEvictedSeconds); code < 0) {
    return ToError(code, "evicting the client at " + addresses);
  }
  // Operations of this client carry the number of its map from now on, and an OSD takes none before
  // it has that map too.
  if (const int code = rados_wait_for_latest_osdmap(cluster_); code < 0) {
    return ToError(code, "waiting for the map without the client at " + addresses);
  }
  return {};
}

base::Id128 Client::NewId() {
  const uint64_t high = runtime_.random().Next();
  return {.high = high, .low = runtime_.random().Next()};
}

Patience::Patience(Client& client)
    : client_(client),
      deadline_nanos_(client.runtime().clock().MonotonicNanos() +
                      client.location().timeout_seconds * 1'000'000'000),
      pause_nanos_(kFirstPauseNanos) {}

bool Patience::Again(int code) {
  if (!IsTransient(code) ||
      client_.runtime().clock().MonotonicNanos() + pause_nanos_ >= deadline_nanos_) {
    return false;
  }
  client_.runtime().Sleep(pause_nanos_);
  pause_nanos_ = std::min(2 * pause_nanos_, kMaxPauseNanos);
  return true;
}

}  // namespace luna::rados
