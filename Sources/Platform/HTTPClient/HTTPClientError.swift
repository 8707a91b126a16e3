import CCurl

/// Why there is no response, or not all of it.
public struct HTTPClientError: Error, Sendable, CustomStringConvertible {
  /// The kinds of failure, as stable dotted codes.
  public enum Code: String, Sendable, CaseIterable {
    /// The URL, a header or the method cannot be sent.
    case invalidRequest = "http.invalid_request"
    /// The host's name leads to no address.
    case nameNotResolved = "http.name_not_resolved"
    /// Nobody answers at the address, or the proxy refuses.
    case connectionFailed = "http.connection_failed"
    /// The certificate is not trusted or is another host's, or TLS failed.
    case tlsFailed = "http.tls_failed"
    /// A deadline passed.
    case timedOut = "http.timed_out"
    /// The connection ended before the response was complete.
    case connectionLost = "http.connection_lost"
    /// The peer does not speak HTTP as it should.
    case protocolError = "http.protocol_error"
    /// The body is longer than the caller takes.
    case bodyTooLarge = "http.body_too_large"
    /// The client was shut down.
    case shutDown = "http.shut_down"
  }

  /// What kind of failure it was.
  public let code: Code
  /// What happened, naming the host; never a path, query or header.
  public let message: String
  /// What to do about it.
  public let remedy: String
  /// Whether a response's head had arrived.
  public let hadResponse: Bool

  init(_ code: Code, _ message: String, remedy: String = "", hadResponse: Bool = false) {
    self.code = code
    self.message = message
    self.remedy = remedy
    self.hadResponse = hadResponse
  }

  /// The message followed by the remedy.
  public var description: String { remedy.isEmpty ? message : "\(message). \(remedy)" }

  /// Whether the same request may succeed later.
  public var isTransient: Bool {
    switch code {
    case .connectionFailed, .timedOut, .connectionLost, .nameNotResolved: true
    case .invalidRequest, .tlsFailed, .protocolError, .bodyTooLarge, .shutDown: false
    }
  }

  init(_ result: CURLcode, detail: String, request: HTTPClientRequest, hadResponse: Bool) {
    let host = request.authority
    let reason = detail.isEmpty ? String(cString: curl_easy_strerror(result)) : detail
    func error(_ code: Code, _ message: String, _ remedy: String) -> HTTPClientError {
      HTTPClientError(code, "\(message): \(reason)", remedy: remedy, hadResponse: hadResponse)
    }
    self =
      switch result {
      case CURLE_UNSUPPORTED_PROTOCOL where reason.contains("HTTP/0.9"):
        error(.protocolError, "\(host) does not answer as a web server does", "Check the scheme and port.")
      case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_FUNCTION_ARGUMENT:
        error(.invalidRequest, "the URL of a request to '\(host)' cannot be used", "Check the configured endpoint.")
      case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
        error(
          .nameNotResolved, "'\(host)' cannot be found", "Check the name, the region in it, and the network's DNS.")
      case CURLE_COULDNT_CONNECT, CURLE_PROXY:
        error(.connectionFailed, "cannot connect to \(host)", "Check that it runs and that the network lets you.")
      case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM,
        CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_USE_SSL_FAILED:
        error(
          .tlsFailed, "no trusted connection to \(host)",
          "Check the name in its certificate and the certificate authorities that are trusted.")
      case CURLE_OPERATION_TIMEDOUT:
        error(.timedOut, "\(host) took too long", "Try again later, or raise the time limit.")
      case CURLE_WEIRD_SERVER_REPLY, CURLE_HTTP2, CURLE_HTTP2_STREAM, CURLE_BAD_CONTENT_ENCODING:
        error(.protocolError, "\(host) does not answer as a web server does", "Check the scheme and port.")
      default:
        error(.connectionLost, "the connection to \(host) was lost", "Try again.")
      }
  }
}
