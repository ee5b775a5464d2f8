#include "vrrpd/runtime/ring.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "ha/check.hpp"

namespace ha::vrrp {
namespace {

constexpr std::uint64_t kMagic = 0x76727270'72696e67;  // "vrrpring"
constexpr std::size_t kMemorySizeBytesMin = 1024;

}  // namespace

Ring::Ring(std::span<std::byte> memory, std::uint64_t first)
    : bytes_{memory.data() + sizeof(Head)}, capacity_{memory.size() - sizeof(Head)} {
  HA_CHECK(memory.size() >= kMemorySizeBytesMin && first >= 1);
  void* const place = memory.data();
  std::uint64_t magic = 0;
  std::memcpy(&magic, place, sizeof magic);
  if (magic == kMagic) {
    head_ = std::launder(static_cast<Head*>(place));
    return;
  }
  head_ = ::new (place) Head{};
  head_->next_number.store(first);
  head_->magic.store(kMagic);
}

void Ring::put(std::uint64_t offset, const void* bytes, std::size_t size_bytes) {
  const std::size_t place = offset % capacity_;
  const std::size_t until_the_edge = std::min(size_bytes, capacity_ - place);
  std::memcpy(bytes_ + place, bytes, until_the_edge);
  std::memcpy(bytes_, static_cast<const std::byte*>(bytes) + until_the_edge,
              size_bytes - until_the_edge);
}

void Ring::get(std::uint64_t offset, void* bytes, std::size_t size_bytes) const {
  const std::size_t place = offset % capacity_;
  const std::size_t until_the_edge = std::min(size_bytes, capacity_ - place);
  std::memcpy(bytes, bytes_ + place, until_the_edge);
  std::memcpy(static_cast<std::byte*>(bytes) + until_the_edge, bytes_, size_bytes - until_the_edge);
}

Ring::Label Ring::label_at(std::uint64_t offset) const {
  Label label{};
  get(offset, &label, sizeof label);
  return label;
}

std::uint64_t Ring::append(std::string_view record) {
  if (record.size() > record_size_bytes_max()) return 0;
  const std::size_t needed = sizeof(Label) + record.size();
  const std::uint64_t end = head_->end.load();
  std::uint64_t begin = head_->begin.load();
  while (capacity_ - (end - begin) < needed) begin += sizeof(Label) + label_at(begin).size_bytes;
  // The old ones are gone before their bytes are.
  head_->begin.store(begin);
  const Label label{head_->next_number.fetch_add(1), record.size()};
  put(end, &label, sizeof label);
  put(end + sizeof label, record.data(), record.size());
  head_->end.store(end + needed);
  return label.number;
}

void Ring::for_each(std::uint64_t after,
                    const std::function<bool(std::uint64_t, std::string_view)>& visit) const {
  if (after > last()) after = 0;
  const std::uint64_t end = head_->end.load();
  std::string record;
  for (std::uint64_t offset = head_->begin.load(); offset < end;) {
    const Label label = label_at(offset);
    if (label.number > after) {
      record.resize(label.size_bytes);
      get(offset + sizeof label, record.data(), record.size());
      if (!visit(label.number, record)) return;
    }
    offset += sizeof label + label.size_bytes;
  }
}

}  // namespace ha::vrrp
