/// Bytes that were uploaded and are kept.
public struct UploadedContent: Sendable, Hashable {
  /// SHA-256 of the bytes.
  public var version: ContentVersion
  /// How many there are.
  public var byteCount: Int

  /// Describes bytes.
  public init(version: ContentVersion, byteCount: Int) {
    self.version = version
    self.byteCount = byteCount
  }
}

/// Keeps the original bytes of uploads, each content once however many documents have it.
public protocol UploadStore: DocumentBytes {
  /// Makes room for bytes to come.
  /// - Parameter byteCount: How many, as far as the sender says.
  /// - Throws: `storage_full` when they would not fit.
  func receive(expecting byteCount: Int?) async throws -> any UploadReceiver
  /// The bytes of a version of the upload at `uri`; those of other uploads are out of reach, even when they are equal.
  /// - Throws: A ``CategorizedError`` of category `gone` when they are not kept, `corrupt` when they have changed.
  func copy(of version: ContentVersion, uri: SourceURI) async throws -> LocalCopy
  /// Lets go of every version kept for `uri`; bytes that no other document has are deleted.
  func forget(_ uri: SourceURI) async throws
  /// Deletes what uploads that never ended have left behind.
  func removeUnfinished() async throws
}

extension UploadStore {
  /// The file of ``copy(of:uri:)``.
  public func file(for version: ContentVersion, uri: SourceURI) async throws -> String {
    try await copy(of: version, uri: uri).path
  }
}

/// Takes the bytes of one upload as they arrive. Exactly one of `keep` and `discard` ends it.
public protocol UploadReceiver: Sendable {
  /// Takes the next bytes.
  /// - Throws: `storage_full` when the disk is full or the limit of all uploads is reached.
  func write(_ bytes: [UInt8]) async throws
  /// Keeps the bytes as a version of the upload at `uri`; they survive a power cut when it returns.
  func keep(for uri: SourceURI) async throws -> UploadedContent
  /// Deletes what has arrived.
  func discard() async
}
