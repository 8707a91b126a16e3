import AWSSigning
import Concurrency
public import Core
import FoundationEssentials
import Glibc
import HTTPClient

/// Files of events as objects below a prefix of a bucket: `<prefix>/events/v1/YYYY/MM/DD/HH/<name>.jsonl.gz`.
///
/// A file has the same key at every try, so that one sent twice replaces itself. What arrives is what was sent: the
/// signature covers the body's SHA-256. Large files go in parts.
///
/// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html, API_CreateMultipartUpload.html
public struct S3Archive: ReadableEventArchive {
  /// `s3`.
  public let name = "s3"
  /// The least that a part may have, but for the last one.
  /// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
  static let smallestPart = 5 << 20
  /// The most parts of one object.
  static let mostParts = 10_000

  private let bucket: S3Bucket
  /// Empty, or with a slash at its end.
  private let prefix: String
  private let partBytes: Int

  /// Creates an archive.
  /// - Parameters:
  ///   - location: Bucket and prefix.
  ///   - partBytes: Files above this size go in parts of this size; at least 5 MiB.
  public init(_ location: S3Location, client: AWSClient, partBytes: Int = 16 << 20) {
    bucket = S3Bucket(client: client, name: location.bucket)
    var prefix = location.key
    while prefix.hasSuffix("/") { prefix.removeLast() }
    self.prefix = prefix.isEmpty ? "" : prefix + "/"
    self.partBytes = max(Self.smallestPart, partBytes)
  }

  /// Puts a file.
  public func send(
    _ file: ArchiveFile, progress: ShipmentProgress, save: @escaping @Sendable (ShipmentProgress) async -> Void
  ) async throws -> ShipmentProgress {
    let handle = try FileSlices(file.path)
    let key = prefix + file.key
    guard file.byteCount > partBytes else {
      let response = try await bucket.send(
        "PutObject", method: "PUT", key: key, headers: Self.contentType,
        body: try await handle.read(0..<file.byteCount), timeout: Self.timeout(file.byteCount))
      _ = try await response.body.collect(upTo: 1 << 20)
      return progress
    }
    let upload = try await begin(key)
    do {
      let size = max(partBytes, (file.byteCount + Self.mostParts - 1) / Self.mostParts)
      var tags: [String] = []
      for start in stride(from: 0, to: file.byteCount, by: size) {
        let body = try await handle.read(start..<min(start + size, file.byteCount))
        let response = try await bucket.send(
          "PutObject", method: "PUT", key: key,
          query: [.init("partNumber", String(tags.count + 1)), .init("uploadId", upload)], body: body,
          timeout: Self.timeout(body.count))
        _ = try await response.body.collect(upTo: 1 << 20)
        guard let tag = response["ETag"] else { throw malformed(key, "gives no ETag for a part") }
        tags.append(tag)
      }
      try await complete(key, upload, tags)
    } catch {
      await abort(key, upload)
      throw error
    }
    return progress
  }

  /// Parts of an upload that is neither completed nor aborted are stored, and paid for, until a rule removes them. Tried
  /// for a moment only, in a task of its own, since this one may be cancelled.
  private func abort(_ key: String, _ upload: String) async {
    await Task { [bucket] in
      _ = try? await withTimeout(.seconds(2)) {
        _ = try await bucket.send(
          "AbortMultipartUpload", method: "DELETE", key: key, query: [.init("uploadId", upload)], accepted: [404])
      }
    }.value
  }

  private static let contentType: [SignableRequest.Field] = [.init("Content-Type", "application/gzip")]

  /// A minute, and what a slow line needs for the bytes (128 KiB/s).
  private static func timeout(_ bytes: Int) -> Duration { .seconds(60 + bytes / (128 << 10)) }

  private func begin(_ key: String) async throws -> String {
    let response = try await bucket.send(
      "PutObject", method: "POST", key: key, query: [.init("uploads", "")], headers: Self.contentType)
    let document = XMLElement.parse(try await response.body.collect(upTo: 1 << 20))
    guard let id = document?.first("UploadId")?.text, !id.isEmpty else {
      throw malformed(key, "gives no id for an upload in parts")
    }
    return id
  }

  private func complete(_ key: String, _ upload: String, _ tags: [String]) async throws {
    let parts = tags.enumerated().map { number, tag in
      let text = tag.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
      return "<Part><PartNumber>\(number + 1)</PartNumber><ETag>\(text)</ETag></Part>"
    }
    let body =
      "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\(parts.joined())"
      + "</CompleteMultipartUpload>"
    let response = try await bucket.send(
      "PutObject", method: "POST", key: key, query: [.init("uploadId", upload)],
      headers: [.init("Content-Type", "application/xml")], body: Array(body.utf8), timeout: .seconds(300))
    // The answer begins before the work is done, so that a failure comes with status 200 too.
    let document = XMLElement.parse(try await response.body.collect(upTo: 1 << 20))
    guard document?.name == "CompleteMultipartUploadResult" else {
      throw malformed(
        key, "does not complete an upload in parts: \(document?.first("Message")?.text ?? "no reason given")")
    }
  }

  private func malformed(_ key: String, _ problem: String) -> AWSError {
    AWSError(
      "aws.answer_malformed", .unavailable, "s3:PutObject on s3://\(bucket.name)/\(key): the service \(problem)",
      remedy: "It is tried again; check that the endpoint is S3's.")
  }

  /// Keys below the prefix.
  public func keys(
    prefix below: String, after start: String, while isWanted: @escaping @Sendable (String) -> Bool
  ) async throws -> [String] {
    var keys: [String] = []
    var token: String?
    repeat {
      let page = try await bucket.list(
        prefix: prefix + below, startAfter: start.isEmpty ? nil : prefix + start, after: token)
      for entry in page.entries {
        let key = String(entry.key.dropFirst(prefix.count))
        guard isWanted(key) else { return keys }
        keys.append(key)
      }
      token = page.next
    } while token != nil
    return keys
  }

  /// Copies an object to a file.
  public func fetch(_ key: String, to path: String) async throws {
    let response = try await bucket.send("GetObject", method: "GET", key: prefix + key, timeout: nil)
    try await FileSlices.write(response, to: path)
  }
}
