#include "kernel/kernel.h"

#include <utility>

#include "base/try.h"
#include "kernel/checkpoint_target.h"
#include "kernel/journal/local_journal.h"
#include "kernel/overlay_runtime.h"
#include "kernel/rados_kernel.h"
#include "kernel/storage/local_storage.h"
#include "kernel/universe_directory.h"
#include "runtime/memory/memory_file_system.h"

namespace luna::kernel {

namespace {

constexpr std::string_view kFileScheme = "file";
constexpr std::string_view kMemoryScheme = "memory";
constexpr std::string_view kRadosScheme = "rados";
constexpr std::string_view kMemoryDirectory = "/universe";  // in a file system of its own

// A directory of runtime.files().
class LocalKernel : public Kernel {
 public:
  struct Parts {
    std::string location;
    runtime::Runtime* runtime;
    std::unique_ptr<OverlayRuntime> overlay;  // the owner of `runtime`, where there is one
    UniverseDirectory directory;
    std::unique_ptr<journal::Journal> journal;
    std::unique_ptr<storage::Storage> storage;
  };

  LocalKernel(Parts parts, const background::BackgroundOptions& options)
      : parts_(std::move(parts)),
        journal_(std::move(parts_.journal)),
        storage_(std::move(parts_.storage)),
        background_(background::NewLocalBackground(*parts_.runtime, options)) {}

  journal::Journal& journal() override { return journal_; }
  storage::Storage& storage() override { return storage_; }
  background::Background& background() override { return *background_; }
  runtime::Runtime& runtime() override { return *parts_.runtime; }
  Result<std::unique_ptr<manifest::Manifest>> OpenManifest(const std::string& name,
                                                           const std::string& bucket,
                                                           manifest::State& state) override {
    return manifest::Manifest::Open(runtime(), journal_, storage_, name, bucket, state);
  }
  base::Id128 universe_id() const override { return parts_.directory.identity.universe; }
  const std::string& location() const override { return parts_.location; }
  Status BeginCheckpoint(const std::string& directory) override {
    return BeginDirectory(runtime().files(), directory);
  }
  Status FinishCheckpoint(const std::string& directory) override {
    return FinishDirectory(runtime().files(), directory, parts_.directory.identity);
  }

 private:
  Parts parts_;  // destroyed last: the lock and the files
  LinkingJournal journal_;
  LinkingStorage storage_;
  std::unique_ptr<background::Background> background_;
};

// "file" of "file:PATH"; empty for a bare path, which may have colons after its first '/'.
std::string_view SchemeOf(std::string_view url) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789+.-";
  const size_t end = url.find_first_not_of(kLetters);
  const bool has = end != std::string_view::npos && end > 0 && url[end] == ':';
  return has ? url.substr(0, end) : std::string_view();
}

Error BadUrl(const std::string& url, const std::string& why) {
  return Error(Reason::kBadOption, "location '" + url + "': " + why +
                                       "; use file:PATH, a bare path, memory: or rados:POOL?...");
}

std::string WithoutTrailingSlashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') {
    path.pop_back();
  }
  return path;
}

Result<std::unique_ptr<Kernel>> OpenIn(LocalKernel::Parts parts, std::string path,
                                       const KernelOptions& options) {
  runtime::Runtime& runtime = *parts.runtime;
  parts.directory = TRY(OpenDirectory(runtime, std::move(path), options.create_if_missing));
  parts.journal = TRY(journal::OpenLocalJournal(runtime, JournalPath(parts.directory.path)));
  parts.storage = TRY(storage::OpenLocalStorage(runtime, ObjectsPath(parts.directory.path)));
  return std::make_unique<LocalKernel>(std::move(parts), options.background);
}

}  // namespace

Result<std::unique_ptr<Kernel>> OpenKernel(const std::string& url, runtime::Runtime& runtime,
                                           const KernelOptions& options) {
  const std::string_view scheme = SchemeOf(url);
  const std::string rest = scheme.empty() ? url : url.substr(scheme.size() + 1);
  LocalKernel::Parts parts;
  parts.location = url;
  if (scheme == kMemoryScheme) {
    if (!rest.empty()) {
      return BadUrl(url, "nothing may follow memory:");
    }
    if (!options.create_if_missing) {
      return Error(Reason::kUniverseMissing,
                   "location 'memory:' is always empty; open it with create_if_missing");
    }
    parts.overlay = std::make_unique<OverlayRuntime>(runtime, memory::NewMemoryFileSystem());
    parts.runtime = parts.overlay.get();
    return OpenIn(std::move(parts), std::string(kMemoryDirectory), options);
  }
  if (scheme == kRadosScheme) {
    return OpenRadosKernel(url, runtime, options);
  }
  if (!scheme.empty() && scheme != kFileScheme) {
    return BadUrl(url, "unknown scheme '" + std::string(scheme) + "'");
  }
  if (rest.empty()) {
    return BadUrl(url, "no path");
  }
  parts.runtime = &runtime;
  return OpenIn(std::move(parts), WithoutTrailingSlashes(rest), options);
}

}  // namespace luna::kernel
