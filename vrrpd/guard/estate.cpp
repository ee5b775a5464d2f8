#include "vrrpd/guard/estate.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "ha/check.hpp"

namespace ha::vrrp {
namespace {

constexpr std::uint64_t kPageSizeBytes = 4096;

std::uint64_t whole_pages(std::uint64_t size_bytes) {
  return (size_bytes + kPageSizeBytes - 1) / kPageSizeBytes * kPageSizeBytes;
}

Result<void*> map_shared(int file, std::uint64_t offset, std::uint64_t size_bytes) {
  void* const memory = ::mmap(nullptr, whole_pages(size_bytes), PROT_READ | PROT_WRITE, MAP_SHARED,
                              file, static_cast<off_t>(offset));
  if (memory == MAP_FAILED) return failure(errno, "map the memory shared with the guard");
  return memory;
}

void unmap(std::span<RouterRecord>& records) {
  if (!records.empty()) ::munmap(records.data(), whole_pages(records.size_bytes()));
  records = {};
}

}  // namespace

Estate::Estate(Descriptor file, Header* header) : file_{std::move(file)}, header_{header} {}

Estate::Estate(Estate&& other) noexcept
    : file_{std::move(other.file_)},
      header_{std::exchange(other.header_, nullptr)},
      records_{std::exchange(other.records_, {})},
      prepared_{std::exchange(other.prepared_, {})},
      checks_generation_{other.checks_generation_} {}

Estate::~Estate() {
  unmap(records_);
  unmap(prepared_);
  if (header_ != nullptr) ::munmap(header_, whole_pages(sizeof(Header)));
}

Result<Estate> Estate::create() {
  Descriptor file{::memfd_create("vrrpd", MFD_CLOEXEC)};
  if (file.get() < 0 ||
      ::ftruncate(file.get(), static_cast<off_t>(whole_pages(sizeof(Header)))) != 0) {
    return failure(errno, "allocate memory to share with the guard");
  }
  const auto memory = map_shared(file.get(), 0, sizeof(Header));
  if (!memory) return tl::unexpected{memory.error()};
  return Estate{std::move(file), ::new (*memory) Header{}};
}

std::uint64_t Estate::end_of(const Generation& generation) {
  return generation.configuration_offset +
         whole_pages(generation.configuration_size_bytes + generation.confirmed_size_bytes);
}

Result<void> Estate::write(std::string_view text, std::uint64_t offset) const {
  const auto written = ::pwrite(file_.get(), text.data(), text.size(), static_cast<off_t>(offset));
  if (written == static_cast<ssize_t>(text.size())) return {};
  return failure(written < 0 ? errno : ENOSPC, "write the memory shared with the guard");
}

Result<std::string> Estate::read(std::uint64_t offset, std::uint64_t size_bytes) const {
  std::string text(size_bytes, '\0');
  const auto count = ::pread(file_.get(), text.data(), text.size(), static_cast<off_t>(offset));
  if (count == static_cast<ssize_t>(text.size())) return text;
  return failure(count < 0 ? errno : EIO, "read the memory shared with the guard");
}

Result<std::span<RouterRecord>> Estate::map(const Generation& generation) const {
  if (generation.routers == 0) return std::span<RouterRecord>{};
  const auto memory =
      map_shared(file_.get(), generation.offset, generation.routers * sizeof(RouterRecord));
  if (!memory) return tl::unexpected{memory.error()};
  return std::span<RouterRecord>{static_cast<RouterRecord*>(*memory), generation.routers};
}

Result<std::span<RouterRecord>> Estate::prepare(std::string_view configuration, std::size_t routers,
                                                const std::optional<Trial>& trial) {
  // Always behind everything that was ever there; commit() gives the memory of what is over back.
  const off_t end = ::lseek(file_.get(), 0, SEEK_END);
  if (end < 0) return failure(errno, "look at the memory shared with the guard");
  Generation generation{};
  generation.offset = static_cast<std::uint64_t>(end);
  generation.routers = routers;
  generation.configuration_offset = generation.offset + whole_pages(routers * sizeof(RouterRecord));
  generation.configuration_size_bytes = configuration.size();
  if (trial) {
    generation.confirmed_size_bytes = trial->confirmed.size();
    generation.trial_ends_at = trial->ends_at;
  }
  if (::ftruncate(file_.get(), static_cast<off_t>(end_of(generation))) != 0) {
    return failure(errno, "enlarge the memory shared with the guard");
  }
  auto written = write(configuration, generation.configuration_offset);
  if (written && trial) {
    written = write(trial->confirmed, generation.configuration_offset + configuration.size());
  }
  if (!written) return tl::unexpected{written.error()};
  unmap(prepared_);
  auto records = map(generation);
  if (!records) return records;
  for (RouterRecord& record : *records) ::new (&record) RouterRecord{};
  prepared_ = *records;
  const std::size_t next = header_->current.load() == 1 ? 1 : 0;
  header_->generations[next] = generation;
  checks_generation_ = next;
  for (std::atomic<std::int32_t>& check : header_->checks[next]) check.store(0);
  return prepared_;
}

void Estate::commit() {
  const std::uint32_t before = header_->current.load();
  header_->current.store(before == 1 ? 2 : 1);
  unmap(records_);
  records_ = std::exchange(prepared_, {});
  if (before == 0) return;
  const Generation& over = header_->generations[before - 1];
  // Without this the memory is only given back later.
  static_cast<void>(::fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                static_cast<off_t>(over.offset),
                                static_cast<off_t>(end_of(over) - over.offset)));
}

void Estate::confirm() { header_->generations[header_->current.load() - 1].trial_ends_at = 0; }

std::span<std::atomic<std::int32_t>> Estate::checks() {
  return header_->checks[checks_generation_];
}

const Estate::Generation& Estate::committed() const {
  const std::uint32_t current = header_->current.load();
  HA_CHECK(current == 1 || current == 2);
  return header_->generations[current - 1];
}

Result<std::string> Estate::configuration() const {
  const Generation& generation = committed();
  return read(generation.configuration_offset, generation.configuration_size_bytes);
}

Result<Estate::Contents> Estate::open() {
  const Generation& generation = committed();
  Contents contents;
  auto text = configuration();
  if (!text) return tl::unexpected{text.error()};
  contents.configuration = std::move(*text);
  if (generation.trial_ends_at != 0) {
    auto confirmed = read(generation.configuration_offset + generation.configuration_size_bytes,
                          generation.confirmed_size_bytes);
    if (!confirmed) return tl::unexpected{confirmed.error()};
    contents.trial = Trial{std::move(*confirmed), generation.trial_ends_at};
  }
  unmap(records_);
  auto records = map(generation);
  if (!records) return tl::unexpected{records.error()};
  records_ = *records;
  checks_generation_ = header_->current.load() - 1;
  contents.records = records_;
  return contents;
}

std::optional<std::chrono::system_clock::time_point> Estate::drained_since() const {
  const std::int64_t since = header_->drained_since;
  if (since == 0) return std::nullopt;
  return std::chrono::system_clock::time_point{std::chrono::seconds{since}};
}

void Estate::note_drain(std::optional<std::chrono::system_clock::time_point> since) {
  const auto seconds = [](auto at) {
    return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
  };
  header_->drained_since = since ? std::max<std::int64_t>(1, seconds(*since)) : 0;
}

}  // namespace ha::vrrp
