public import Core

/// Uploads of one collection as a source. It lists nothing: what there is to do is in the job table.
public struct UploadSource: DocumentSource {
  /// `upload://` and the collection.
  public let root: SourceURI
  /// The collection.
  public let collection: CollectionName
  private let store: any UploadStore

  /// Takes bytes from `store`.
  public init(_ store: any UploadStore, collection: CollectionName) {
    self.store = store
    self.collection = collection
    root = SourceURI(rawValue: SourceURI.uploads.rawValue + collection.rawValue)
  }

  /// The object that a job is about: an upload's stamp is its version.
  public static func object(of job: IngestionJob) -> SourceObject {
    SourceObject(
      uri: job.uri, collection: job.collection, byteCount: 0, modified: job.updated, stamp: job.stamp,
      document: job.document)
  }

  /// Nothing, and not all there is.
  public func list() async throws -> SourceListing {
    SourceListing(objects: [], isComplete: false, rootStamp: "")
  }

  /// The stored bytes, after a hash check.
  public func fetch(_ object: SourceObject) async throws -> LocalCopy {
    try await store.copy(of: ContentVersion(rawValue: object.stamp), uri: object.uri)
  }

  /// Nothing to release: the copy is the store's own file.
  public func discard(_ copy: LocalCopy) async {}
}
