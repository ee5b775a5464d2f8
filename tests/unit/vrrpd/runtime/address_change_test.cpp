#include "vrrpd/runtime/address_change.hpp"

#include "tests/support/catch.hpp"

namespace ha::vrrp {
namespace {

using Requests = std::vector<AddressRequest>;

AddressRequest on(int interface, const std::string& text, const std::string& label = {}) {
  const auto slash = text.find('/');
  AddressRequest request;
  request.interface = IfIndex{interface};
  request.prefix = {boost::asio::ip::make_address(text.substr(0, slash)),
                    static_cast<std::uint8_t>(std::stoi(text.substr(slash + 1)))};
  request.label = label;
  return request;
}

AddressRequest without_route(AddressRequest request) {
  request.noprefixroute = true;
  return request;
}

AddressRequest of_link_scope(AddressRequest request) {
  request.scope = 253;
  return request;
}

TEST_CASE("what stays is not touched, whatever its place in the list") {
  const Requests before{on(1, "10.0.0.1/24"), on(1, "fd77::1/64"), on(2, "10.0.0.2/32")};
  const Requests after{before[2], before[0], before[1]};
  CHECK(address_change(before, after) == AddressChange{});
}

TEST_CASE("what is new is added and announced, and what is gone is removed") {
  const Requests before{on(1, "10.0.0.1/32"), on(1, "10.0.0.2/32")};
  const Requests after{on(1, "10.0.0.2/32"), on(1, "10.0.0.3/32")};
  CHECK(address_change(before, after) == AddressChange{{after[1]}, {before[0]}, {}, {after[1]}});
}

TEST_CASE("an address on another interface is a new one") {
  const Requests before{on(1, "10.0.0.1/32")};
  const Requests after{on(2, "10.0.0.1/32")};
  CHECK(address_change(before, after) == AddressChange{after, before, {}, after});
}

TEST_CASE("an IPv4 address with another prefix length is never gone, and is not announced") {
  const Requests before{on(1, "10.0.0.1/24")};
  const Requests after{on(1, "10.0.0.1/32")};
  CHECK(address_change(before, after) == AddressChange{after, before, {}, {}});
}

TEST_CASE("what the kernel cannot change in place is removed first and not announced") {
  const auto [before, after] = GENERATE(table<AddressRequest, AddressRequest>({
      {on(1, "fd77::1/64"), on(1, "fd77::1/128")},
      {on(1, "10.0.0.1/32"), on(1, "10.0.0.1/32", "eth0:vip")},
      {on(1, "10.0.0.1/32"), without_route(on(1, "10.0.0.1/32"))},
      {without_route(on(1, "fd77::1/64")), on(1, "fd77::1/64")},
      {on(1, "10.0.0.1/32"), of_link_scope(on(1, "10.0.0.1/32"))},
  }));
  const Requests one{before};
  const Requests other{after};
  CHECK(address_change(one, other) == AddressChange{{}, one, other, {}});
}

TEST_CASE("what shares a network with a removed address is installed again behind it") {
  const Requests before{on(1, "10.0.0.1/24"), on(1, "10.0.0.2/24"), on(1, "10.0.1.1/24"),
                        on(2, "10.0.0.3/24"), on(1, "10.0.0.4/25"), on(1, "fd77::1/64"),
                        on(1, "fd77::2/64")};
  Requests after{before.begin() + 1, before.end() - 1};
  after.push_back(on(1, "10.0.0.9/24"));
  CHECK(address_change(before, after) == AddressChange{{after.back()},
                                                       {before.front(), before.back()},
                                                       {before[1], after.back()},
                                                       {after.back()}});
}

}  // namespace
}  // namespace ha::vrrp
