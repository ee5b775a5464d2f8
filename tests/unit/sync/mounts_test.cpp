#include "sync/mounts.hpp"

#include "sync/role.hpp"
#include "tests/support/catch.hpp"

using namespace ha::sync;

namespace {

constexpr std::string_view kMountinfo =
    "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
    "40 22 0:35 / /var/jenkins/devops rw shared:9 master:2 - fuse.glusterfs "
    "localhost:/jenkins-devops-data rw,user_id=0\n"
    "41 22 0:36 / /mnt/with\\040blank rw - tmpfs none rw\n"
    "nonsense\n"
    "42 40 0:37 / /var/jenkins/devops/over rw - tmpfs none rw\n";

}  // namespace

TEST_CASE("a path is on the mount that is nearest above it", "[sync]") {
  const auto mounts = parse_mountinfo(kMountinfo);
  REQUIRE(mounts.size() == 4);
  CHECK(mount_of("/var/jenkins/devops/sync/blue", mounts)->type == "fuse.glusterfs");
  CHECK(mount_of("/var/jenkins/devops", mounts)->type == "fuse.glusterfs");
  CHECK(mount_of("/var/jenkins/devops2", mounts)->type == "ext4");
  CHECK(mount_of("/var/jenkins/devops/over/x", mounts)->type == "tmpfs");
  CHECK(mount_of("/mnt/with blank/x", mounts)->point == "/mnt/with blank");
}

TEST_CASE("of two mounts at one place the last one counts", "[sync]") {
  const auto mounts = parse_mountinfo(
      "1 0 0:1 / /m rw - fuse.glusterfs a:/v rw\n2 1 0:2 / /m rw - tmpfs none rw\n");
  CHECK(mount_of("/m/x", mounts)->type == "tmpfs");
}

TEST_CASE("a mount's source names its volume", "[sync]") {
  CHECK(volume_of({"/m", "fuse.glusterfs", "localhost:/gv0"}) == "gv0");
  CHECK(volume_of({"/m", "fuse.glusterfs", "localhost:gv0"}) == "gv0");
}

TEST_CASE("only the word of vrrpd makes a machine the writer", "[sync]") {
  std::string why;
  const std::string answer =
      R"({"ok": true, "status": {"instances": [{"name": "A", "state": "master"},
          {"name": "B", "state": "backup"}, 7, {"state": "master"}]}})";
  CHECK(role_in(answer, "A", why) == Role::kMaster);
  CHECK(role_in(answer, "B", why) == Role::kNotMaster);
  CHECK(role_in(answer, "C", why) == Role::kUnknown);
  CHECK(why == "vrrpd has no instance C");
  for (const char* const broken : {"", "[]", "{}", "{\"status\": 1}", "{\"status\": {}}"}) {
    CHECK(role_in(broken, "A", why) == Role::kUnknown);
  }
}
