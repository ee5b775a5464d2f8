#include "vrrpd/runtime/web.hpp"

#include <utility>

#include "vrrpd/runtime/metrics.hpp"
#include "vrrpd/runtime/page.hpp"

namespace ha::vrrp {
namespace {

constexpr std::chrono::milliseconds kFresh{250};
constexpr std::string_view kText = "text/plain; charset=utf-8";

[[nodiscard]] http::Response response(unsigned status, std::string_view type, std::string text) {
  return {status, type, std::make_shared<const std::string>(std::move(text))};
}

[[nodiscard]] http::Response metrics(const Status& status) {
  return response(200, "text/plain; version=0.0.4; charset=utf-8", to_metrics(status));
}

[[nodiscard]] http::Response state(const Status& status) {
  return response(200, "application/json", to_json(status) + '\n');
}

/// Good while every virtual router can do its work, as master or not.
[[nodiscard]] http::Response health(const Status& status) {
  std::string faults;
  for (const RouterStatus& router : status.instances) {
    if (router.state == "fault") faults += "fault: " + router.name + '\n';
  }
  return faults.empty() ? response(200, kText, "ok\n") : response(503, kText, std::move(faults));
}

}  // namespace

void Web::listen(const std::optional<HttpConfig>& config) {
  if (served_ == config) return;
  server_.reset();  // the new one may want the same port
  served_ = config;
  if (!config) return;
  server_ = std::make_unique<http::Server>(
      io_, boost::asio::ip::tcp::endpoint{config->address, config->port},
      [this](std::string_view path) { return get(path, std::chrono::steady_clock::now()); },
      [this](const std::string& trouble) { log_.warning("{}", trouble); });
}

template <class Make>
const http::Response& Web::fresh(Document& document, TimePoint now, Make make) {
  if (!document.response.body || now >= document.until) document = {make(), now + kFresh};
  return document.response;
}

http::Response Web::get(std::string_view path, TimePoint now) {
  if (path == "/metrics") return fresh(metrics_, now, [&] { return metrics(status_()); });
  if (path == "/status") return fresh(state_, now, [&] { return state(status_()); });
  if (path == "/healthz") return fresh(health_, now, [&] { return health(status_()); });
  if (path == "/events") {
    return fresh(happened_, now,
                 [&] { return response(200, "application/json", events_() + '\n'); });
  }
  if (path == "/") {
    static const http::Response page =
        response(200, "text/html; charset=utf-8", std::string{kPage});
    return page;
  }
  return response(404, kText,
                  "404 Not Found: there are /, /status, /events, /metrics and /healthz\n");
}

}  // namespace ha::vrrp
