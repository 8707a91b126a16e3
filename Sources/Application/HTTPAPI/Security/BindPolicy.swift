public import Core

/// Who may be let in where: beyond this machine nobody without a key.
public enum BindPolicy {
  /// Whether `host` can be reached from this machine only: `localhost`, 127.0.0.0/8 and ::1.
  public static func isLoopback(_ host: String) -> Bool {
    var name = host.lowercased()
    if name.hasPrefix("["), name.hasSuffix("]") { name = String(name.dropFirst().dropLast()) }
    if name.hasPrefix("::ffff:") { name = String(name.dropFirst("::ffff:".count)) }
    if name == "localhost" || name == "::1" || name == "0:0:0:0:0:0:0:1" { return true }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127"
      && parts.allSatisfy { part in
        (1...3).contains(part.utf8.count) && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
          && (Int(part) ?? 256) < 256
      }
  }

  /// Refuses to listen beyond loopback without keys.
  /// - Parameters:
  ///   - host: The address to listen on.
  ///   - keys: All keys there are; revoked ones let nobody in.
  ///   - isInsecure: Whether the operator said `--insecure`.
  /// - Throws: `server.keys_needed`.
  public static func check(host: String, keys: [APIKey], isInsecure: Bool) throws {
    guard !isLoopback(host), !isInsecure, keys.allSatisfy({ $0.revoked != nil }) else { return }
    throw HTTPAPIError(
      code: "server.keys_needed", category: .invalidConfiguration,
      message: "the address \(host) can be reached from other machines, and there is no API key",
      remedy: "Make one with `quarry keys create`, listen on 127.0.0.1, or say --insecure.")
  }
}
