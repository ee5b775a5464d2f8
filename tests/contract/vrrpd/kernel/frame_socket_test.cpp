#include "tests/contract/vrrpd/kernel/lan.hpp"
#include "vrrpd/kernel/packet_socket.hpp"

using namespace ha;
using namespace ha::test;
using namespace ha::vrrp;

namespace {

/// A broadcast frame of a type that nothing else here uses, with a number in it.
Bytes frame_number(int number) {
  Bytes frame{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};
  frame.resize(60);
  frame[14] = static_cast<std::uint8_t>(number / 256);
  frame[15] = static_cast<std::uint8_t>(number % 256);
  return frame;
}

bool is_numbered(const Bytes& frame) { return frame[12] == 0x88 && frame[13] == 0xb5; }

FrameSocket open_frames(const NetworkNamespace& machine) {
  const NetworkNamespace::Inside inside{machine};
  auto opened = FrameSocket::open();
  REQUIRE(opened);
  return std::move(*opened);
}

}  // namespace

TEST_CASE("500 frames arrive as they are and in order") {
  Lan lan;
  FrameSocket socket = open_frames(lan.left);
  Tap tap{lan.right, "eth"};
  std::vector<Bytes> numbered;
  for (int i = 0; i < 500; ++i) numbered.push_back(frame_number(i));
  std::vector<FrameSocket::Frame> frames;
  for (const Bytes& bytes : numbered) frames.push_back({Lan::index_of(lan.left, "eth"), bytes});

  REQUIRE(socket.send(frames).failed == 0);
  for (const Bytes& bytes : numbered) REQUIRE(tap.next(is_numbered) == bytes);
}

TEST_CASE("a frame for an interface that is gone does not keep the others back") {
  Lan lan;
  FrameSocket socket = open_frames(lan.left);
  Tap tap{lan.right, "eth"};
  const IfIndex eth = Lan::index_of(lan.left, "eth");
  const Bytes first = frame_number(1);
  const Bytes last = frame_number(2);
  const std::vector<FrameSocket::Frame> frames{
      {eth, first}, {IfIndex{4711}, first}, {IfIndex{4711}, first}, {eth, last}};

  const auto sent = socket.send(frames);
  CHECK(sent.failed == 2);
  CHECK(sent.first_error.code);
  CHECK(tap.next(is_numbered) == first);
  CHECK(tap.next(is_numbered) == last);
}

TEST_CASE("when the queue is full the rest of the frames is reported as not sent") {
  Lan lan;
  // A queue of ten frames that drains at one in some seconds.
  lan.left.run("tc qdisc add dev eth root handle 1: tbf rate 8kbit burst 100 limit 600");
  FrameSocket socket = open_frames(lan.left);
  const IfIndex eth = Lan::index_of(lan.left, "eth");
  const Bytes bytes = frame_number(1);
  const std::vector<FrameSocket::Frame> frames(500, {eth, bytes});

  const auto sent = socket.send(frames);
  CHECK(sent.failed > 400);
  CHECK(sent.failed < 500);
  CHECK(sent.first_error.code == std::errc::no_buffer_space);
}
