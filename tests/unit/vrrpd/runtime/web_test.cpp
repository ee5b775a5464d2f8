#include "vrrpd/runtime/web.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/vrrpd/runtime/sample_status.hpp"

namespace ha::vrrp {
namespace {

using namespace std::chrono_literals;

struct Sample {
  Status status = test::sample_status();
  int looks = 0;
  boost::asio::io_context io{1};
  Log log;
  Web web{io, log,
          [this] {
            ++looks;
            return status;
          },
          [] { return std::string{"[]"}; }};
  TimePoint now{1h};
};

}  // namespace

TEST_CASE("/status is what vrrpctl status --json prints", "[web]") {
  Sample sample;
  const http::Response response = sample.web.get("/status", sample.now);
  CHECK(response.status == 200);
  CHECK(response.type == "application/json");
  CHECK(*response.body == to_json(sample.status) + '\n');
}

TEST_CASE("/healthz is good until a virtual router is in fault", "[web]") {
  Sample sample;
  CHECK(sample.web.get("/healthz", sample.now).status == 200);
  sample.status.instances[0].state = "fault";
  const http::Response response = sample.web.get("/healthz", sample.now + 1s);
  CHECK(response.status == 503);
  CHECK(*response.body == "fault: VI_MAIN\n");
}

TEST_CASE("many requests at once cost one look at the status", "[web]") {
  Sample sample;
  const auto first = sample.web.get("/metrics", sample.now).body;
  for (int i = 0; i < 100; ++i) {
    CHECK(sample.web.get("/metrics", sample.now + 249ms).body == first);
  }
  CHECK(sample.looks == 1);
  sample.status.instances[0].effective_priority = Priority{7};
  CHECK(sample.web.get("/metrics", sample.now + 250ms)
            .body->find("vrrpd_effective_priority{instance=\"VI_MAIN\"} 7\n") != std::string::npos);
}

TEST_CASE("the page is complete in itself", "[web]") {
  Sample sample;
  const http::Response page = sample.web.get("/", sample.now);
  CHECK(page.type == "text/html; charset=utf-8");
  CHECK(page.body->find("<!doctype html>") == 0);
  CHECK(page.body->find("</html>") != std::string::npos);
  CHECK(page.body->find("src=") == std::string::npos);
  CHECK(page.body->find("innerHTML") == std::string::npos);
  CHECK(page.body->find("//") == page.body->find("// Text from"));
  CHECK(sample.looks == 0);
}

TEST_CASE("what there is not is not found", "[web]") {
  Sample sample;
  for (const char* path : {"/favicon.ico", "//", "/status/", "/../etc/passwd"}) {
    CHECK(sample.web.get(path, sample.now).status == 404);
  }
}

}  // namespace ha::vrrp
