public import Core

/// Original bytes of documents in S3, downloaded again and compared with the indexed version's hash.
///
/// Downloads stay for the next page of the same document, within the bound of the scratch space; the one that was not
/// asked for longest goes first.
public actor S3Originals: DocumentBytes {
  private struct Kept {
    var source: S3Source
    var copy: LocalCopy
  }

  private let client: AWSClient
  private let paysRequests: Bool
  private let scratch: ScratchSpace
  private let limit: Int
  /// The least recently used first.
  private var kept: [Kept] = []
  private var running: [ContentVersion: Task<LocalCopy, any Error>] = [:]
  /// What the bytes of an object were found to be, so that they are not downloaded again to find the same.
  private var known: [SourceURI: (stamp: String, version: ContentVersion)] = [:]

  /// Downloads into `scratch`, which is for this alone and has room for `limit` bytes.
  public init(client: AWSClient, paysRequests: Bool, scratch: ScratchSpace, limit: Int) {
    self.client = client
    self.paysRequests = paysRequests
    self.scratch = scratch
    self.limit = limit
  }

  /// The path of a file with exactly the bytes of `version`.
  /// - Throws: `document.bytes_gone` when the object is gone or has other bytes now; ``AWSError`` of the calls.
  public func file(for version: ContentVersion, uri: SourceURI) async throws -> String {
    if let index = kept.firstIndex(where: { $0.copy.version == version }) {
      kept.append(kept.remove(at: index))
      return kept[kept.count - 1].copy.path
    }
    // Pages of one document are asked for together; it is downloaded once.
    let task = running[version] ?? Task { try await self.download(version, uri) }
    running[version] = task
    defer { running[version] = nil }
    return try await task.value.path
  }

  private func download(_ version: ContentVersion, _ uri: SourceURI) async throws -> LocalCopy {
    // An object that is a source's root is taken whatever its name is.
    let source = try S3Source(
      root: uri, collection: .default, client: client, paysRequests: paysRequests, scratch: scratch)
    guard let object = try await source.object(at: uri) else { throw Self.gone(uri, "the object is gone") }
    if let seen = known[uri], seen.stamp == object.stamp, seen.version != version { throw Self.otherBytes(uri) }
    var total = kept.reduce(0) { $0 + $1.copy.byteCount }
    while let oldest = kept.first, total + object.byteCount > limit {
      kept.removeFirst()
      total -= oldest.copy.byteCount
      await oldest.source.discard(oldest.copy)
    }
    let copy: LocalCopy
    do { copy = try await source.fetch(object) } catch let error as AWSError
      where ["source.vanished", "source.changed"].contains(error.code)
    {
      throw Self.gone(uri, error.message)
    }
    if known.count >= 1000 { known = [:] }
    known[uri] = (object.stamp, copy.version)
    guard copy.version == version else {
      await source.discard(copy)
      throw Self.otherBytes(uri)
    }
    kept.append(Kept(source: source, copy: copy))
    return copy
  }

  private static func otherBytes(_ uri: SourceURI) -> AWSError { gone(uri, "the object has other bytes now") }

  private static func gone(_ uri: SourceURI, _ reason: String) -> AWSError {
    AWSError(
      "document.bytes_gone", .gone, "the indexed version of \(uri) cannot be had any more: \(reason)",
      remedy: "Ingest the document again.")
  }
}
