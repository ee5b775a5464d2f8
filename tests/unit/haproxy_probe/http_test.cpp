#include "haproxy_probe/http.hpp"

#include "samples.hpp"
#include "tests/support/catch.hpp"

using namespace ha::probe;
using namespace ha::probe::test;

namespace {

/// The body of an answer that comes in pieces of `piece` bytes, or why it is unusable.
std::string body_of(const std::string& text, std::size_t piece = 1'000'000) {
  HttpBody page;
  std::string body;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    if (const auto taken = page.feed(std::string_view{text}.substr(at, piece), body); !taken) {
      return "unusable: " + taken.error().reason;
    }
  }
  const auto whole = page.finish();
  return whole ? body : "unusable: " + whole.error().reason;
}

const std::string kChunked =
    "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
    "5\r\n# px,\r\n0a;x=y\r\n\nabc,\r\n,d\n\r\n0\r\n\r\n";

}  // namespace

TEST_CASE("an absolute path is no URL, whatever it looks like further on") {
  CHECK(is_url("http://127.0.0.1/stats"));
  CHECK(is_url("https://127.0.0.1/stats"));
  CHECK_FALSE(is_url("/run/haproxy/admin.sock"));
  CHECK_FALSE(is_url("/run/http://127.0.0.1/stats"));
}

TEST_CASE("the URL of a statistics page is an address, a port and a path") {
  CHECK(parse_url("http://127.0.0.1:8404/stats") == HttpUrl{ip("127.0.0.1"), 8404, "/stats"});
  CHECK(parse_url("http://localhost/haproxy?stats") ==
        HttpUrl{ip("127.0.0.1"), 80, "/haproxy?stats"});
  CHECK(parse_url("http://[fd00::1]:8404/") == HttpUrl{ip("fd00::1"), 8404, "/"});
  CHECK(parse_url("http://[fd00::1]/s") == HttpUrl{ip("fd00::1"), 80, "/s"});
}

TEST_CASE("any other URL is refused with what is wrong") {
  const auto [url, reason] = GENERATE(table<std::string, std::string>({
      {"https://127.0.0.1/stats", "is https; use http on a loopback address, or the Unix socket"},
      {"ftp://127.0.0.1/stats", "is not http://ADDRESS:PORT/PATH"},
      {"http://admin:x@127.0.0.1/stats",
       "has a user or password in it; they belong into credentials_file"},
      {"http://127.0.0.1:8404",
       "is not http://ADDRESS:PORT/PATH with a path of 1-1024 printable characters"},
      {"http://127.0.0.1/a b",
       "is not http://ADDRESS:PORT/PATH with a path of 1-1024 printable characters"},
      {"http://vm1.example.org/stats",
       "is not http://ADDRESS:PORT/PATH with an IP address or localhost"},
      {"http:///stats", "is not http://ADDRESS:PORT/PATH with an IP address or localhost"},
      {"http://127.0.0.1:0/s", "is not http://ADDRESS:PORT/PATH with an IP address or localhost"},
      {"http://127.0.0.1:65536/s",
       "is not http://ADDRESS:PORT/PATH with an IP address or localhost"},
      {"http://fd00::1/s", "is not http://ADDRESS:PORT/PATH with an IP address or localhost"},
      {"http://[fe80::1%eth0]/s",
       "is not http://ADDRESS:PORT/PATH with an IP address or localhost"},
  }));
  CAPTURE(url);
  REQUIRE_FALSE(parse_url(url));
  CHECK(parse_url(url).error() == reason);
}

TEST_CASE("the request asks for the CSV with the credentials, and to close after it") {
  const HttpUrl url{ip("127.0.0.1"), 8404, "/stats"};
  CHECK(http_request(HttpMethod::kGet, url, "admin:s3cret") ==
        "GET /stats;csv HTTP/1.1\r\nHost: 127.0.0.1:8404\r\nConnection: close\r\n"
        "Authorization: Basic YWRtaW46czNjcmV0\r\n\r\n");
  CHECK(http_request(HttpMethod::kHead, {ip("::1"), 80, "/s;csv;norefresh"}, "") ==
        "HEAD /s;csv;norefresh HTTP/1.1\r\nHost: [::1]:80\r\nConnection: keep-alive\r\n\r\n");
}

TEST_CASE("credentials of every length are encoded as RFC 4648 says") {
  const auto [plain, encoded] = GENERATE(table<std::string, std::string>(
      {{"a:", "YTo="}, {"a:b", "YTpi"}, {"a:bc", "YTpiYw=="}, {"\xc3\xa4:\xff", "w6Q6/w=="}}));
  const std::string request = http_request(HttpMethod::kGet, {ip("127.0.0.1"), 80, "/"}, plain);
  CHECK(request.find("Basic " + encoded + "\r\n") != std::string::npos);
}

TEST_CASE("a credentials file is one line of user and password") {
  CHECK(parse_credentials("admin:s3:cret\n") == "admin:s3:cret");
  CHECK(parse_credentials("admin:\r\n") == "admin:");
  for (const std::string text : {"", "admin\n", ":x\n", "a:b\nc:d\n", "a:b\r\r\n"}) {
    CHECK_FALSE(parse_credentials(text));
  }
  CHECK_FALSE(parse_credentials("a:" + std::string(600, 'x')));
}

TEST_CASE("chunks are put together, in whatever pieces they arrive") {
  for (std::size_t piece = 1; piece < kChunked.size(); ++piece) {
    CHECK(body_of(kChunked, piece) == "# px,\nabc,\r\n,d\n");
  }
}

TEST_CASE("a body of a known length, and one that ends with the connection, are read") {
  CHECK(body_of("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc") == "abc");
  CHECK(body_of("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").empty());
  CHECK(body_of("HTTP/1.0 200 OK\r\n\r\nabc") == "abc");
  CHECK(body_of("HTTP/1.0 200 OK\n\nabc") == "abc");
}

TEST_CASE("no beginning of a page is taken for a page") {
  for (std::size_t length = 0; length < kChunked.size(); ++length) {
    CAPTURE(length);
    const std::string outcome = body_of(kChunked.substr(0, length));
    CHECK(outcome.substr(0, 9) == "unusable:");
  }
}

TEST_CASE("what is no page is refused with one clear reason") {
  const auto [text, reason] = GENERATE(table<std::string, std::string>({
      {"", "the connection was closed without an answer"},
      {"SSH-2.0-OpenSSH_9.2\r\n", "not an answer of HTTP: \"SSH-2.0-OpenSSH_9.2\""},
      {"HTTP/1.1 401 Unauthorized\r\n", "HTTP status 401: check `credentials_file`"},
      {"HTTP/1.1 503 Service Unavailable\r\n", "HTTP status \"503 Service Unavailable\""},
      {"HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n", "HTTP status \"302 Found\""},
      {"HTTP/1.1 200 OK\r\nno header\r\n", "not a header of HTTP: \"no header\""},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n", "an unknown encoding: \"gzip\""},
      {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n", "a length that is not in 0-67108864: \"-1\""},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
       "not the size of a chunk: \"xyz\""},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n",
       "not the size of a chunk: \"fffffffff\""},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
       "a chunk longer than it says: \"bc\""},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc", "text after the end of the page: \"bc\""},
      {"HTTP/1.1 200 OK\r\n" + std::string(20'000, 'x'), "a head of more than 16384 bytes"},
  }));
  CAPTURE(text);
  CHECK(body_of(text) == "unusable: " + reason);
}
