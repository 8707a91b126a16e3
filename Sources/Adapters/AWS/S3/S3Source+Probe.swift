import AWSSigning
import HTTPClient

extension S3Source {
  /// Tries what reading the source takes: one page of its listing, and the first byte of the first object there.
  /// - Returns: Whether there is an object at all; without one, reading was not tried.
  /// - Throws: ``AWSError`` naming the action that is not allowed.
  public func probe() async throws -> Bool {
    let page = try await bucket.list(prefix: location.key, after: nil)
    guard let entry = page.entries.first(where: { $0.byteCount > 0 }) else { return false }
    let response = try await bucket.send(
      "GetObject", method: "GET", key: entry.key, headers: [.init("Range", "bytes=0-0")])
    _ = try await response.body.collect(upTo: 1 << 10)
    return true
  }
}
