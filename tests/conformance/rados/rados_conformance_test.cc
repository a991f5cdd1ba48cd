// The suites of the Kernel's contract on RADOS, as they are.
#include "conformance/journal_conformance.h"
#include "conformance/kernel_conformance.h"
#include "conformance/manifest_conformance.h"
#include "conformance/rados/rados_ground.h"
#include "conformance/storage_conformance.h"
#include "kernel/rados/rados_journal.h"
#include "kernel/rados/rados_storage.h"

namespace luna::conformance {

namespace {

class RadosJournalPlace : public JournalPlace {
 public:
  std::unique_ptr<journal::Journal> Open() override { return rados::NewRadosJournal(space_); }
  std::string link_target() const override { return ground_.url("-copy"); }
  std::unique_ptr<journal::Journal> OpenLinked() override {
    return rados::NewRadosJournal(ground_.OpenSpace("-copy"));
  }

 private:
  RadosGround ground_;
  const std::shared_ptr<rados::Space> space_ = ground_.OpenSpace();
};

class RadosStoragePlace : public StoragePlace {
 public:
  RadosStoragePlace() { Reopen(); }
  storage::Storage& storage() override { return *storage_; }
  void Reopen() override {
    storage_.reset();
    storage_ = rados::NewRadosStorage(ground_.OpenSpace());
  }
  storage::Storage& Linked(const std::string& directory) override {
    EXPECT_EQ(directory, directory_for_links());
    linked_ = rados::NewRadosStorage(ground_.OpenSpace("-links"));
    return *linked_;
  }
  std::string directory_for_links() const override { return ground_.url("-links"); }

 private:
  RadosGround ground_;
  std::unique_ptr<storage::Storage> storage_;
  std::unique_ptr<storage::Storage> linked_;
};

class RadosManifestPlace : public ManifestPlace {
 public:
  runtime::Runtime& runtime() override { return ground_.runtime(); }
  journal::Journal& journal() override { return *journal_; }
  storage::Storage& storage() override { return *storage_; }

 private:
  RadosGround ground_;
  const std::shared_ptr<rados::Space> space_ = ground_.OpenSpace();
  const std::unique_ptr<journal::Journal> journal_ = rados::NewRadosJournal(space_);
  const std::unique_ptr<storage::Storage> storage_ = rados::NewRadosStorage(space_);
};

class RadosKernelPlace : public KernelPlace {
 public:
  runtime::Runtime& runtime() override { return ground_.runtime(); }
  std::string url() const override { return ground_.url(); }
  std::string checkpoint() const override { return ground_.url("-copy"); }

 private:
  RadosGround ground_;
};

template <typename Base, typename Place>
std::unique_ptr<Base> Make() {
  return std::make_unique<Place>();
}

INSTANTIATE_TEST_SUITE_P(Rados, JournalConformance,
                         testing::Values(&Make<JournalPlace, RadosJournalPlace>));
INSTANTIATE_TEST_SUITE_P(Rados, StorageConformance,
                         testing::Values(&Make<StoragePlace, RadosStoragePlace>));
INSTANTIATE_TEST_SUITE_P(Rados, ManifestConformance,
                         testing::Values(&Make<ManifestPlace, RadosManifestPlace>));
INSTANTIATE_TEST_SUITE_P(Rados, KernelConformance,
                         testing::Values(&Make<KernelPlace, RadosKernelPlace>));

}  // namespace

}  // namespace luna::conformance
