#include "simulation/faulty_file_system.h"

#include <algorithm>
#include <utility>

#include "base/try.h"
#include "simulation/seeded_random.h"

namespace luna::simulation {
namespace {

using runtime::File;
using runtime::FileLock;
using runtime::OpenMode;

class FaultyFile final : public File {
 public:
  FaultyFile(std::unique_ptr<File> file, std::string path, FaultGate& gate,
             const memory::MemoryFileSystem& disk, const std::atomic<uint64_t>& capacity_bytes)
      : file_(std::move(file)),
        path_(std::move(path)),
        gate_(gate),
        life_(gate.life()),
        disk_(disk),
        capacity_bytes_(capacity_bytes) {}

  Result<size_t> Read(uint64_t offset, size_t length, char* to) override {
    return gate_.Perform<size_t>({Operation::kRead, path_, offset, length}, life_,
                                 [&] { return file_->Read(offset, length, to); });
  }

  // What is cached and what is not: every other block, whatever was read before.
  Result<bool> ReadCached(uint64_t offset, size_t length, char* to) override {
    constexpr uint64_t kBlockBytes = 4096;
    return offset / kBlockBytes % 2 == 0 && TRY(Read(offset, length, to)) == length;
  }

  Status Write(uint64_t offset, std::string_view bytes) override {
    return gate_.Perform<void>({Operation::kWrite, path_, offset, bytes.size(), bytes}, life_,
                               [&] { return WriteWhatFits(offset, bytes); });
  }

  void StartWriteback(uint64_t offset, uint64_t length) override {
    static_cast<void>(
        gate_.Perform<void>({Operation::kStartWriteback, path_, offset, length}, life_, [&] {
          file_->StartWriteback(offset, length);
          return Status();
        }));
  }

  Status Sync() override {
    Status status = gate_.Perform<void>({Operation::kSync, path_}, life_, [&] {
      return sync_failed_.load() ? Status() : file_->Sync();
    });
    if (!status.ok()) {
      sync_failed_ = true;
    }
    return status;
  }

  Result<uint64_t> Size() override {
    return gate_.Perform<uint64_t>({Operation::kSize, path_}, life_, [&] { return file_->Size(); });
  }

  Status Truncate(uint64_t size) override {
    return gate_.Perform<void>({Operation::kTruncate, path_, size}, life_,
                               [&] { return TruncateIfItFits(size); });
  }

 private:
  Status WriteWhatFits(uint64_t offset, std::string_view bytes) {
    const uint64_t size = TRY(file_->Size());
    const uint64_t largest = LargestSize(size);
    if (offset + bytes.size() <= std::max(size, largest)) {
      return file_->Write(offset, bytes);
    }
    if (largest > offset) {
      TRY(file_->Write(offset, bytes.substr(0, static_cast<size_t>(largest - offset))));
    }
    return DiskFull("write", offset);
  }

  Status TruncateIfItFits(uint64_t size) {
    const uint64_t old_size = TRY(file_->Size());
    if (size > std::max(old_size, LargestSize(old_size))) {
      return DiskFull("truncate", size);
    }
    return file_->Truncate(size);
  }

  // How large this file may become on the disk as full as it is.
  uint64_t LargestSize(uint64_t size) const {
    const uint64_t capacity_bytes = capacity_bytes_.load();
    const uint64_t held_bytes = disk_.bytes();
    const uint64_t room = capacity_bytes > held_bytes ? capacity_bytes - held_bytes : 0;
    return room > UINT64_MAX - size ? UINT64_MAX : size + room;
  }

  Error DiskFull(std::string_view operation, uint64_t offset) const {
    return Error(Reason::kDiskFull, std::string(operation) + " " + path_ + " at offset " +
                                        std::to_string(offset) + ": the simulated disk of " +
                                        std::to_string(capacity_bytes_.load()) +
                                        " bytes is full; remove files");
  }

  const std::unique_ptr<File> file_;
  const std::string path_;
  FaultGate& gate_;
  const uint64_t life_;
  const memory::MemoryFileSystem& disk_;
  const std::atomic<uint64_t>& capacity_bytes_;
  std::atomic<bool> sync_failed_ = false;
};

Error BeyondEnd(const std::string& path, uint64_t offset, uint64_t size) {
  return Error(Reason::kBadRange, path + " has " + std::to_string(size) + " bytes, so nothing at " +
                                      std::to_string(offset) + "; choose an offset within");
}

}  // namespace

void FaultyFileSystem::Restart(Survival survival, uint64_t seed) {
  gate_.CutPower();
  SeededRandom random(seed);
  memory_.Crash([&] {
    switch (survival) {
      case Survival::kAllLost:
        return memory::Fate::kLost;
      case Survival::kAllKept:
        return memory::Fate::kKept;
      case Survival::kMixed:
        break;
    }
    return random.Chance(500) ? memory::Fate::kKept : memory::Fate::kLost;
  });
  gate_.RestorePower();
}

void FaultyFileSystem::ClearFaults() {
  gate_.ClearFaults();
  capacity_bytes_ = std::numeric_limits<uint64_t>::max();
}

Status FaultyFileSystem::FlipBit(const std::string& path, uint64_t offset, unsigned bit) {
  const std::unique_ptr<File> file = TRY(memory_.Open(path, OpenMode::kReadWrite));
  const uint64_t size = TRY(file->Size());
  if (offset >= size || bit > 7) {
    return BeyondEnd(path, offset, size);
  }
  char byte = 0;
  TRY(file->Read(offset, 1, &byte));
  byte = static_cast<char>(byte ^ (1 << bit));
  TRY(file->Write(offset, {&byte, 1}));
  return file->Sync();
}

Status FaultyFileSystem::TruncateFile(const std::string& path, uint64_t size) {
  const std::unique_ptr<File> file = TRY(memory_.Open(path, OpenMode::kReadWrite));
  const uint64_t old_size = TRY(file->Size());
  if (size > old_size) {
    return BeyondEnd(path, size, old_size);
  }
  TRY(file->Truncate(size));
  return file->Sync();
}

Result<std::unique_ptr<File>> FaultyFileSystem::Open(const std::string& path, OpenMode mode) {
  const Operation kind = mode == OpenMode::kCreateNew ? Operation::kCreate : Operation::kOpen;
  return gate_.Perform<std::unique_ptr<File>>(
      {kind, path}, gate_.life(), [&]() -> Result<std::unique_ptr<File>> {
        std::unique_ptr<File> file = TRY(memory_.Open(path, mode));
        return std::make_unique<FaultyFile>(std::move(file), path, gate_, memory_, capacity_bytes_);
      });
}

Result<bool> FaultyFileSystem::Exists(const std::string& path) {
  return gate_.Perform<bool>({Operation::kExists, path}, gate_.life(),
                             [&] { return memory_.Exists(path); });
}

Result<std::vector<std::string>> FaultyFileSystem::List(const std::string& directory) {
  return gate_.Perform<std::vector<std::string>>({Operation::kList, directory}, gate_.life(),
                                                 [&] { return memory_.List(directory); });
}

Result<std::unique_ptr<FileLock>> FaultyFileSystem::Lock(const std::string& path) {
  return gate_.Perform<std::unique_ptr<FileLock>>({Operation::kLock, path}, gate_.life(),
                                                  [&] { return memory_.Lock(path); });
}

Status FaultyFileSystem::PerformOn(Operation kind, const std::string& path,
                                   const std::function<Status()>& act) {
  return gate_.Perform<void>({kind, path}, gate_.life(), act);
}

Status FaultyFileSystem::CreateDirectories(const std::string& path) {
  return PerformOn(Operation::kCreateDirectories, path,
                   [&] { return memory_.CreateDirectories(path); });
}

Status FaultyFileSystem::Rename(const std::string& from, const std::string& to) {
  return PerformOn(Operation::kRename, from, [&] { return memory_.Rename(from, to); });
}

Status FaultyFileSystem::Link(const std::string& from, const std::string& to) {
  return PerformOn(Operation::kLink, from, [&] { return memory_.Link(from, to); });
}

Status FaultyFileSystem::Remove(const std::string& path) {
  return PerformOn(Operation::kRemove, path, [&] { return memory_.Remove(path); });
}

Status FaultyFileSystem::RemoveDirectory(const std::string& path) {
  return PerformOn(Operation::kRemoveDirectory, path,
                   [&] { return memory_.RemoveDirectory(path); });
}

Status FaultyFileSystem::SyncDirectory(const std::string& path) {
  return PerformOn(Operation::kSyncDirectory, path, [&] { return memory_.SyncDirectory(path); });
}

}  // namespace luna::simulation
