import Core
import HTTPServer

/// Says who calls.
struct Authentication: Sendable {
  /// Holds the keys.
  var keys: any KeyStore
  /// Whether the server can be reached from this machine only.
  var isLoopback: Bool
  /// Whether the operator said `--insecure`.
  var isInsecure: Bool

  /// The caller: the holder of the key sent, or `local` while no key was ever made.
  ///
  /// Revoked keys count as made: revoking the last one must not open the door.
  /// - Throws: `unauthenticated`, or `forbidden` (`request.foreign_host`).
  func caller(of head: HTTPRequestHead) async throws -> Caller {
    let headers = head.headers.values(of: "Authorization")
    guard headers.count <= 1 else {
      throw HTTPAPIError(
        code: "auth.malformed", category: .unauthenticated, message: "there is more than one Authorization header",
        remedy: "Send one.")
    }
    guard let header = headers.first else { return try await callerWithoutKey(head) }
    let parts = header.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, HTTPHeaders.sameName(String(parts[0]), "Bearer") else {
      throw HTTPAPIError(
        code: "auth.malformed", category: .unauthenticated, message: "the Authorization header is not a bearer key",
        remedy: "Send `Authorization: Bearer qk_…`.")
    }
    let secret = String(parts[1])
    guard let id = KeySecret.id(in: secret) else { throw Self.unknownKey }
    let key = try await keys.key(id)
    guard KeySecret.matches(secret, key), let key else { throw Self.unknownKey }
    guard key.revoked == nil else {
      throw HTTPAPIError(
        code: "auth.revoked", category: .unauthenticated, message: "this key was revoked",
        remedy: "Ask for another one.")
    }
    return Caller(id: key.id, allowedCollections: key.allowedCollections, permission: key.permission)
  }

  private func callerWithoutKey(_ head: HTTPRequestHead) async throws -> Caller {
    let isOpen = try await keys.keys().isEmpty && (isLoopback || isInsecure)
    guard isOpen else {
      throw HTTPAPIError(
        code: "auth.missing", category: .unauthenticated, message: "this service needs a key",
        remedy: "Send `Authorization: Bearer qk_…`; `quarry keys create` makes a key.")
    }
    // Without keys, what protects the library from web pages is that a browser treats them as another origin; a page
    // whose name was rebound to 127.0.0.1 would be the same origin, but it sends its own name.
    guard isInsecure || BindPolicy.isLoopback(Self.hostName(head)) else {
      throw HTTPAPIError(
        code: "request.foreign_host", category: .forbidden,
        message: "without a key, only requests to localhost are served, not to '\(Self.hostName(head).clipped)'",
        remedy: "Make a key with `quarry keys create` and send it, or start the service with --insecure.")
    }
    return .local
  }

  /// The host that the client asked for, without the port; `localhost` for HTTP/1.0 clients that name none.
  private static func hostName(_ head: HTTPRequestHead) -> String {
    guard let host = head.headers["Host"], !host.isEmpty else { return "localhost" }
    if host.hasPrefix("["), let end = host.firstIndex(of: "]") { return String(host[...end]) }
    return String(host.prefix { $0 != ":" })
  }

  private static let unknownKey = HTTPAPIError(
    code: "auth.unknown_key", category: .unauthenticated, message: "there is no such key",
    remedy: "Check the key; `quarry keys list` shows the ids of all keys.")
}
