import HTTPClient

/// Asks an endpoint of this machine or container: never through a proxy, and not for long.
struct MetadataRequest: Sendable {
  let http: HTTPClient
  let link: String

  /// The body of a 200; nil when nobody answers at all.
  func body(
    _ method: String = "GET", _ url: String, headers: [HTTPClientRequest.Header] = [], connectSeconds: Int = 1,
    attempts: Int = 3
  ) async throws -> [UInt8]? {
    var attempt = 1
    while true {
      do {
        let response = try await http.execute(
          HTTPClientRequest(
            method: method, url: url, headers: headers, connectTimeout: .seconds(connectSeconds), timeout: .seconds(5),
            isIdempotent: true, mayUseProxy: false))
        let body = try await response.body.collect(upTo: 64 << 10)
        if response.status == 200 { return body }
        guard response.status >= 500 || response.status == 429, attempt < attempts else {
          throw AWSError.credentials(
            link, "it answers with status \(response.status)", remedy: "Check the role that is attached.")
        }
      } catch let error as HTTPClientError {
        guard error.isTransient, attempt < attempts else {
          if error.code == .connectionFailed || (error.code == .timedOut && !error.hadResponse) { return nil }
          throw AWSError.credentials(link, error.message, remedy: error.remedy, underlying: error)
        }
      }
      try await Task.sleep(for: .milliseconds(100 << attempt))
      attempt += 1
    }
  }
}
