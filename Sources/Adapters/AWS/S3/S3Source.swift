import AWSSigning
import Concurrency
public import Core
import Cryptography
import FoundationEssentials
import Glibc
import HTTPClient

/// The PDFs below a prefix of a bucket: the current version of each, whatever encrypts it.
///
/// Listed by ETag, size and time; read by ranges of one and the same version (`If-Match`), so that a download that
/// breaks off goes on where it was and never mixes two versions.
public struct S3Source: DocumentSource {
  /// `s3://bucket/prefix`.
  public let root: SourceURI
  /// The collection of everything below.
  public let collection: CollectionName
  let location: S3Location
  let bucket: S3Bucket
  private let scratch: ScratchSpace
  private let takes: @Sendable (String) -> Bool
  private let events: Events?

  /// Where the source's object events come from.
  public struct Events: Sendable {
    /// The queue.
    public var queue: MessageQueue
    /// How its messages are held.
    public var settings: ObjectEventSettings
    /// Told what happens to them.
    public var observe: @Sendable (ObjectEventNotice) -> Void

    /// Describes a queue of object events.
    public init(
      queue: MessageQueue, settings: ObjectEventSettings = .init(),
      observe: @escaping @Sendable (ObjectEventNotice) -> Void = { _ in }
    ) {
      self.queue = queue
      self.settings = settings
      self.observe = observe
    }
  }

  /// Creates a source.
  /// - Parameters:
  ///   - root: `s3://bucket/prefix`.
  ///   - paysRequests: Whether this account pays where the bucket asks it of the requester.
  ///   - scratch: Where downloads go.
  ///   - events: What tells of changes while the source is watched; without, it has to be listed.
  ///   - takes: Whether a path below the prefix is taken, by the patterns of the configuration.
  /// - Throws: `source.s3_uri` for another kind of URI.
  public init(
    root: SourceURI, collection: CollectionName, client: AWSClient, paysRequests: Bool = false, scratch: ScratchSpace,
    events: Events? = nil, takes: @escaping @Sendable (String) -> Bool = { _ in true }
  ) throws {
    guard let location = S3Location(root) else {
      throw AWSError(
        "source.s3_uri", .invalidConfiguration, "'\(root)' is no s3://bucket/prefix", remedy: "Check the bucket's name."
      )
    }
    self.root = root
    self.collection = collection
    self.location = location
    self.scratch = scratch
    self.takes = takes
    self.events = events
    bucket = S3Bucket(client: client, name: location.bucket, paysRequests: paysRequests)
  }

  /// Lists the objects page by page. A listing that breaks off is an error, never a short listing.
  public func list() async throws -> SourceListing {
    var objects: [SourceObject] = []
    var skipped: [SkippedObject] = []
    var token: String?
    repeat {
      try Task.checkCancellation()
      let page = try await bucket.list(prefix: location.key, after: token)
      for entry in page.entries {
        let uri = S3Location(bucket: location.bucket, key: entry.key).uri
        switch kind(of: entry.key) {
        case .document: objects.append(object(entry))
        case .unfinished:
          skipped.append(
            SkippedObject(
              name: uri.rawValue, code: "source.unfinished", reason: "it looks like an unfinished or temporary file"))
        case .other: continue
        }
      }
      token = page.next
    } while token != nil
    return SourceListing(
      objects: objects.sorted { $0.uri < $1.uri }, skipped: skipped, isComplete: true, rootStamp: location.bucket)
  }

  /// Looks at one object; nil when it is not there (also below a delete marker), or is none that the source takes.
  public func object(at uri: SourceURI) async throws -> SourceObject? {
    guard let place = S3Location(uri), mayTake(place), let entry = try await bucket.head(place.key) else { return nil }
    return object(entry)
  }

  /// Whether an object at this place would be taken.
  func mayTake(_ place: S3Location) -> Bool {
    place.bucket == location.bucket && place.key.utf8.starts(with: location.key.utf8)
      && kind(of: place.key) == .document
  }

  /// Begins to receive object events, if there is a queue for them.
  public func watch(notify: @escaping @Sendable () -> Void) async -> (any SourceWatch)? {
    guard let events else { return nil }
    let watch = ObjectEventWatch(
      self, queue: events.queue, settings: events.settings, observe: events.observe, notify: notify)
    watch.start()
    return watch
  }

  private enum Kind {
    case document
    case unfinished
    case other
  }

  /// Whether a key is the root's or below it. S3 lists `reports-old/a.pdf` too when it is asked for `reports`.
  private func isAtOrBelowRoot(_ key: String) -> Bool {
    let root = location.key
    guard key.utf8.starts(with: root.utf8) else { return false }
    return root.isEmpty || root.hasSuffix("/") || key.utf8.count == root.utf8.count
      || key.utf8.dropFirst(root.utf8.count).first == UInt8(ascii: "/")
  }

  /// The rules of a directory: hidden names, other suffixes, and what the patterns leave out are passed over.
  private func kind(of key: String) -> Kind {
    guard isAtOrBelowRoot(key) else { return .other }
    var below = key.dropFirst(location.key.count)
    if below.first == "/" { below = below.dropFirst() }
    let path = below.isEmpty ? key[...] : below
    let names = path.split(separator: "/")
    guard let name = names.last, !path.hasSuffix("/"), !names.contains(where: { $0.hasPrefix(".") }) else {
      return .other
    }
    let lower = name.lowercased()
    if lower.hasPrefix("~$")
      || [".part", ".tmp", ".partial", ".filepart"].contains(where: { lower.hasSuffix(".pdf" + $0) })
    {
      return .unfinished
    }
    // An object that is named as the root itself is taken whatever its name.
    guard lower.hasSuffix(".pdf") || key == location.key else { return .other }
    return takes(String(path)) ? .document : .other
  }

  private func object(_ entry: S3Bucket.Entry) -> SourceObject {
    SourceObject(
      uri: S3Location(bucket: location.bucket, key: entry.key).uri, collection: collection, byteCount: entry.byteCount,
      modified: entry.modified, stamp: Self.stamp(entry.etag, entry.byteCount, entry.modified))
  }

  private static func stamp(_ etag: String, _ bytes: Int, _ modified: Date) -> String {
    "\(etag)-\(bytes)-\(Int(modified.timeIntervalSince1970))"
  }

  /// Downloads an object and hashes it on the way.
  /// - Throws: `source.vanished`, `source.changed` when it is another version than was listed.
  public func fetch(_ object: SourceObject) async throws -> LocalCopy {
    guard let place = S3Location(object.uri), place.bucket == location.bucket else {
      throw AWSError("source.foreign", .internal, "\(object.uri) is not in bucket \(location.bucket)")
    }
    // The ETag of an object that was uploaded in parts has a dash itself.
    let etag = object.stamp.split(separator: "-").dropLast(2).joined(separator: "-")
    let path = try await scratch.reserve(object.byteCount, for: object.uri.rawValue)
    do {
      let version = try await download(place, etag: etag, byteCount: object.byteCount, to: path)
      return LocalCopy(path: path, version: version, byteCount: object.byteCount, isTemporary: true)
    } catch {
      await scratch.release(path, bytes: object.byteCount)
      throw error
    }
  }

  /// Removes a download.
  public func discard(_ copy: LocalCopy) async { await scratch.release(copy.path, bytes: copy.byteCount) }

  // MARK: - Download

  private func download(_ place: S3Location, etag: String, byteCount: Int, to path: String) async throws
    -> ContentVersion
  {
    let queue = BlockingQueue(label: "quarry.s3-download")
    let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw Self.disk(errno, path) }
    defer { close(file) }
    let digest = Locked(Digest())
    var received = 0
    var restarts = 0
    while true {
      let response = try await bucket.send(
        "GetObject", method: "GET", key: place.key,
        headers: [.init("If-Match", etag)] + (received > 0 ? [.init("Range", "bytes=\(received)-")] : []), timeout: nil,
        accepted: [404, 412])
      guard response.status != 404 else {
        throw AWSError(
          "source.vanished", .notFound, "\(place.uri) is no longer there",
          remedy: "Nothing: it is taken when it comes back.")
      }
      guard response.status != 412, received == 0 || response.status == 206 else { throw Self.changed(place) }
      let before = received
      do {
        for try await bytes in response.body {
          guard received + bytes.count <= byteCount else { throw Self.changed(place) }
          try await queue.run { () throws(AWSError) in
            try Self.write(bytes, to: file, path: path)
            digest.withLock { $0.sha.update(bytes) }
          }
          received += bytes.count
        }
      } catch let error as HTTPClientError {
        // What has come is kept; a connection that brings nothing at all does not go on for ever.
        restarts = received > before ? 0 : restarts + 1
        guard error.isTransient, restarts < 5 else {
          throw AWSError(
            "aws.unreachable", .unavailable, "s3:GetObject on \(place.uri): \(error.message)", remedy: error.remedy,
            underlying: error)
        }
        continue
      }
      guard received == byteCount else { throw Self.changed(place) }
      return ContentVersion(rawValue: digest.withLock { $0.sha.finalize().hexadecimal })
    }
  }

  /// SHA-256 as a value that a lock can hold.
  private final class Digest {
    var sha = SHA256()
  }

  private static func write(_ bytes: [UInt8], to file: Int32, path: String) throws(AWSError) {
    var offset = 0
    while offset < bytes.count {
      let count = bytes.withUnsafeBytes { raw in
        Glibc.write(file, raw.baseAddress?.advanced(by: offset), raw.count - offset)
      }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw disk(errno, path) }
      offset += count
    }
  }

  private static func changed(_ place: S3Location) -> AWSError {
    AWSError(
      "source.changed", .conflict, "\(place.uri) changed while it was read", remedy: "It is read again by itself.")
  }

  private static func disk(_ number: Int32, _ path: String) -> AWSError {
    let reason = String(cString: strerror(number))
    let isFull = number == ENOSPC || number == EDQUOT
    return AWSError(
      isFull ? "disk.full" : "aws.scratch", isFull ? .storageFull : .unavailable,
      "cannot write the download '\(path)': \(reason)", remedy: isFull ? "Free space on that disk." : nil)
  }
}
