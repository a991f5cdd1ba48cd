// PosixSocket and PosixListener: TCP over non-blocking descriptors.
// Thread rule: owned by one thread at a time.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "runtime/network.h"
#include "runtime/posix/descriptor.h"

struct sockaddr;
struct sockaddr_storage;

namespace luna::posix {

class PosixSocket final : public runtime::Socket {
 public:
  // `descriptor` is a non-blocking TCP socket, connected or (`established` false) on its way to be;
  // `peer` is the address of the other side.
  PosixSocket(Descriptor descriptor, std::string peer, bool established = true);

  Result<runtime::Transfer> Read(std::span<char> into) override;
  Result<runtime::Transfer> Write(std::span<const std::string_view> parts) override;
  void FinishWrites() override;
  const std::string& peer() const override { return peer_; }
  const std::string& local() const override { return local_; }
  bool established() const override;
  int number() const { return descriptor_.number(); }

 private:
  const Descriptor descriptor_;
  const std::string peer_;
  const std::string local_;
  mutable bool established_;  // once it was seen, the system need not be asked again
};

class PosixListener final : public runtime::Listener {
 public:
  // `descriptor` listens already.
  explicit PosixListener(Descriptor descriptor);

  Result<std::unique_ptr<runtime::Socket>> Accept() override;
  const std::string& address() const override { return address_; }
  int number() const { return descriptor_.number(); }

 private:
  const Descriptor descriptor_;
  const std::string address_;
};

// "127.0.0.1:6479" or "[::1]:6479".
std::string AddressText(const sockaddr_storage& address);
// kIoError with the system's words for `number`, an errno.
Error NetworkError(std::string_view doing, const std::string& address, int number);

}  // namespace luna::posix
