#include "kernel/kernel_view.h"

#include <utility>

namespace luna::kernel {

namespace {

class KernelView final : public Kernel {
 public:
  KernelView(Kernel& kernel, const background::BackgroundOptions& options)
      : kernel_(kernel), background_(background::NewLocalBackground(kernel.runtime(), options)) {}

  journal::Journal& journal() override { return kernel_.journal(); }
  storage::Storage& storage() override { return kernel_.storage(); }
  background::Background& background() override { return *background_; }
  runtime::Runtime& runtime() override { return kernel_.runtime(); }
  Result<std::unique_ptr<manifest::Manifest>> OpenManifest(const std::string& name,
                                                           const std::string& bucket,
                                                           manifest::State& state) override {
    return kernel_.OpenManifest(name, bucket, state);
  }
  base::Id128 universe_id() const override { return kernel_.universe_id(); }
  const std::string& location() const override { return kernel_.location(); }
  Status BeginCheckpoint(const std::string& directory) override {
    return kernel_.BeginCheckpoint(directory);
  }
  Status FinishCheckpoint(const std::string& directory) override {
    return kernel_.FinishCheckpoint(directory);
  }

 private:
  Kernel& kernel_;
  const std::unique_ptr<background::Background> background_;
};

}  // namespace

std::unique_ptr<Kernel> NewKernelView(Kernel& kernel,
                                      const background::BackgroundOptions& options) {
  return std::make_unique<KernelView>(kernel, options);
}

}  // namespace luna::kernel
